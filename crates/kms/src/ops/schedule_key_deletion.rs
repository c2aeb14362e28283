//! ScheduleKeyDeletion: the key can no longer be used, and ceases to exist after 7 to 30 days (default 30).
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>

use base::{Call, Timestamp};
use wire::kms::{KeyState, ScheduleKeyDeletion, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::due::DueWork;
use crate::error::{InvalidRequest, KmsError};
use crate::record::{self, DeletionSchedule};
use crate::table::Handle;

const WINDOW_DAYS_DEFAULT: i32 = 30;

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
        let days = window_days(request.pending_window_in_days)?;
        let at: Timestamp = call.time.plus_days(days.into());
        let arn = kms
            .change::<Self, _>(call, &request.key_id, |edit, key| {
                edit.record.state = record::KeyState::PendingDeletion;
                edit.record.deletion = Some(DeletionSchedule { at: at.millis() });
                edit.schedule(DueWork::Delete, at);
                Ok(key.arn_text())
            })
            .await?;
        Ok(ScheduleKeyDeletionResponse {
            key_id: Some(arn),
            deletion_date: Some(at),
            key_state: Some(KeyState::PendingDeletion),
            pending_window_in_days: Some(days),
        })
    }
}

/// The model admits 1 to 365, the service 7 to 30.
fn window_days(asked: Option<i32>) -> Result<i32, KmsError> {
    match asked.unwrap_or(WINDOW_DAYS_DEFAULT) {
        days @ 7..=30 => Ok(days),
        days => Err(InvalidRequest::PendingWindow(days).into()),
    }
}
