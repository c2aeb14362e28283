//! The audit records that mutations carry into the store's outbox: one per mutation, in the same commit.

use audit::{EventId, MutationRecord};
use base::{Call, KeyArn, Timestamp};

use crate::Kms;
use crate::error::KmsError;

const EVENT_SOURCE: &str = "kms.amazonaws.com";

impl Kms {
    /// The record of a call that changes keys.
    pub(crate) fn call_record(
        &self,
        call: &Call,
        operation: &'static str,
        keys: &[KeyArn],
    ) -> Result<Vec<u8>, KmsError> {
        let record = MutationRecord::of_call(self.event_id()?, call, EVENT_SOURCE, operation);
        let record = keys.iter().fold(record, |record, key| record.with_key(key.account, key));
        Ok(record.encode()?)
    }

    /// The record of something the service did by itself.
    pub(crate) fn service_record(
        &self,
        event: &'static str,
        key: &KeyArn,
        at: Timestamp,
    ) -> Result<Vec<u8>, KmsError> {
        let record =
            MutationRecord::of_service(self.event_id()?, at, key.account, key.region, EVENT_SOURCE, event);
        Ok(record.with_key(key.account, key).encode()?)
    }

    fn event_id(&self) -> Result<EventId, KmsError> {
        let mut random = [0; 16];
        self.randomness.fill(&mut random)?;
        Ok(EventId::new(random))
    }
}
