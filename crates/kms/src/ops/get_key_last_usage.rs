//! GetKeyLastUsage: the last cryptographic operation with the key that succeeded. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>
//!
//! Differs from AWS: a use shows at once.

use base::{Call, Timestamp};
use wire::kms::{GetKeyLastUsage, GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::KeyUsageRecord;
use crate::table::Handle;

impl KeyAction for GetKeyLastUsage {
    const NAME: &'static str = "GetKeyLastUsage";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for GetKeyLastUsage {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: GetKeyLastUsageRequest,
    ) -> Result<GetKeyLastUsageResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        let created = Timestamp::from_millis(key.record().created_at);
        let tracked_since = kms.usage_tracked_since().await?.unwrap_or(created);
        Ok(GetKeyLastUsageResponse {
            key_id: Some(key.arn().id.to_string()),
            // Never used: there, and empty.
            key_last_usage: Some(kms.last_use(&key.arn()).await?.map(data).unwrap_or_default()),
            tracking_start_date: Some(tracked_since.max(created)),
            key_creation_date: Some(created),
        })
    }
}

fn data(last: KeyUsageRecord) -> KeyLastUsageData {
    KeyLastUsageData {
        operation: Some(last.operation),
        timestamp: Some(Timestamp::from_millis(last.at)),
        cloud_trail_event_id: last.event_id,
        kms_request_id: Some(last.request_id),
    }
}
