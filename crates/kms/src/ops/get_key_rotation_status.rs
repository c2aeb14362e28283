//! GetKeyRotationStatus: whether, how often and when next the key rotates by itself.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>
//!
//! OnDemandRotationStartDate never appears: a rotation on demand is complete when RotateKeyOnDemand answers.

use base::{Call, Timestamp};
use wire::kms::{GetKeyRotationStatus, GetKeyRotationStatusRequest, GetKeyRotationStatusResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::KeyState;
use crate::table::Handle;

impl KeyAction for GetKeyRotationStatus {
    const NAME: &'static str = "GetKeyRotationStatus";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for GetKeyRotationStatus {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: GetKeyRotationStatusRequest,
    ) -> Result<GetKeyRotationStatusResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        let record = key.record();
        if record.state == KeyState::PendingImport {
            return Err(KmsError::wrong_origin(key.key()));
        }
        // A key that is pending deletion reports no rotation; cancelling the deletion brings it back.
        let rotation = record.rotation.filter(|_| !record.state.is_pending_deletion());
        Ok(GetKeyRotationStatusResponse {
            key_id: Some(key.arn().id.to_string()),
            key_rotation_enabled: Some(rotation.is_some()),
            rotation_period_in_days: rotation.and_then(|rotation| i32::try_from(rotation.period_days).ok()),
            next_rotation_date: rotation.map(|rotation| Timestamp::from_millis(rotation.next_at)),
            ..GetKeyRotationStatusResponse::default()
        })
    }
}
