//! CancelKeyDeletion: a key that waits for its deletion becomes Disabled, or pending import if it has lost its material.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html>

use base::{Call, Timestamp};
use wire::kms::{CancelKeyDeletion, CancelKeyDeletionRequest, CancelKeyDeletionResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::due::DueWork;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::KeyState;
use crate::table::Handle;

impl KeyAction for CancelKeyDeletion {
    const NAME: &'static str = "CancelKeyDeletion";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::PendingDeletion;
}

impl Handle for CancelKeyDeletion {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CancelKeyDeletionRequest,
    ) -> Result<CancelKeyDeletionResponse, KmsError> {
        let arn = kms
            .change::<Self, _>(call, &request.key_id, &Facts::default(), |edit, key| {
                edit.record.state = KeyState::Disabled;
                edit.record.window_after_replicas = None;
                if let Some(deletion) = edit.record.deletion.take() {
                    edit.unschedule(DueWork::Delete, Timestamp::from_millis(deletion.at));
                }
                edit.record.follow_materials();
                Ok(key.arn_text())
            })
            .await?;
        Ok(CancelKeyDeletionResponse { key_id: Some(arn) })
    }
}
