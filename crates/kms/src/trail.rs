//! What the audit trail is told: of calls, and of what the service does by itself.

use audit::{EventName, ServiceEvent};
use base::{Call, KeyArn, Timestamp};

use crate::Kms;
use crate::error::KmsError;
use crate::keys::LoadedKey;

const EVENT_SOURCE: &str = "kms.amazonaws.com";
/// What says which key material a call used.
pub(crate) const MATERIAL: &str = "keyMaterialId";
/// The type of resource, of aliases too.
const KEY_RESOURCE: &str = "AWS::KMS::Key";

/// An operation as events name it.
pub(crate) const fn event_name(operation: &'static str, read_only: bool) -> EventName {
    EventName { source: EVENT_SOURCE, operation, read_only, is_global: false, is_data: false }
}

/// A call is about a key.
pub(crate) fn note_key(call: &Call, key: KeyArn) {
    call.event.add_resource(KEY_RESOURCE, key.account, key);
}

/// A call is about a key that is at hand.
pub(crate) fn note_loaded_key(call: &Call, key: &LoadedKey) {
    call.event.add_resource(KEY_RESOURCE, key.arn.account, &*key.arn_text);
}

/// A call is about an alias of its account.
pub(crate) fn note_alias(call: &Call, arn: impl std::fmt::Display) {
    call.event.add_resource(KEY_RESOURCE, call.caller.account, arn);
}

/// A call used this key material; only that of symmetric keys is told.
pub(crate) fn note_material(call: &Call, name: &'static str, id: Option<&String>) {
    if let Some(id) = id {
        call.event.add(name, id);
    }
}

/// The ARN of the first key that a call was found to be about.
pub(crate) fn first_key(call: &Call) -> Option<String> {
    let is_key = |arn: &&String| arn.contains(":key/");
    call.event.so_far(|noted| noted.resources.iter().map(|resource| &resource.arn).find(is_key).cloned())
}

impl Kms {
    /// The event of a call that changes keys, for the transaction that does so.
    pub(crate) fn call_record(
        &self,
        call: &Call,
        operation: &'static str,
        keys: &[KeyArn],
    ) -> Result<Vec<u8>, KmsError> {
        keys.iter().for_each(|key| note_key(call, *key));
        Ok(self.trail.beside_change(call, event_name(operation, false))?)
    }

    /// The event of something the service did by itself to a key, for the transaction that does it.
    pub(crate) fn service_record(
        &self,
        event: &'static str,
        key: &KeyArn,
        at: Timestamp,
    ) -> Result<Vec<u8>, KmsError> {
        Ok(self.service_event(event, key, at)?.encode())
    }

    /// The same, to be told more.
    pub(crate) fn service_event(
        &self,
        event: &'static str,
        key: &KeyArn,
        at: Timestamp,
    ) -> Result<ServiceEvent, KmsError> {
        let event = self.trail.service_event(at, key.account, key.region, (EVENT_SOURCE, event))?;
        Ok(event.with_resource(KEY_RESOURCE, key.account, key))
    }
}
