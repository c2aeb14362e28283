//! ScheduleKeyDeletion: the key can no longer be used, and ceases to exist after 7 to 30 days (default 30, or what the
//! operator has set). For a primary key they begin when the last of its replicas is gone.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>

use base::{Call, Timestamp};
use wire::kms::{ScheduleKeyDeletion, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};

use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::table::Handle;
use crate::{DELETION_WINDOW_DAYS, Kms, metadata, record};

impl KeyAction for ScheduleKeyDeletion {
    const NAME: &'static str = "ScheduleKeyDeletion";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

impl Handle for ScheduleKeyDeletion {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ScheduleKeyDeletionRequest,
    ) -> Result<ScheduleKeyDeletionResponse, KmsError> {
        let days = window_days(request.pending_window_in_days.unwrap_or(kms.settings.deletion_window_days))?;
        let at: Timestamp = call.time.plus_days(days.into());
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let days_without_use = kms.days_without_use(&arn, call.time).await?;
        let facts = Facts { pending_window_in_days: Some(days), days_without_use, ..Facts::default() };
        let response = kms.change::<Self, _>(call, &request.key_id, &facts, |edit, key| {
            let waits_for_replicas = key.record().has_replicas() && key.record().leads_in(key.arn().region);
            if waits_for_replicas {
                edit.record.state = record::KeyState::PendingReplicaDeletion;
                edit.record.window_after_replicas = u32::try_from(days).ok();
            } else {
                edit.begin_deletion(at);
            }
            Ok(ScheduleKeyDeletionResponse {
                key_id: Some(key.arn_text()),
                deletion_date: (!waits_for_replicas).then_some(at),
                key_state: Some(metadata::state(edit.record.state)),
                pending_window_in_days: Some(days),
            })
        });
        let response = response.await?;
        kms.note_dependents(call, &arn).await;
        Ok(response)
    }
}

/// The model admits 1 to 365, the service 7 to 30.
fn window_days(days: i32) -> Result<i32, KmsError> {
    if DELETION_WINDOW_DAYS.contains(&days) {
        Ok(days)
    } else {
        Err(InvalidRequest::PendingWindow(days).into())
    }
}
