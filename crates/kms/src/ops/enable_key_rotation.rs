//! EnableKeyRotation: rotates the material every RotationPeriodInDays (90 to 2560, default 365), first one period from
//! now. Called again with another period, it begins a new schedule; with the same period, it changes nothing.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>

use base::Call;
use wire::kms::{
    EnableKeyRotation, EnableKeyRotationRequest, EnableKeyRotationResponse, KeySpec, OriginType,
};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::RotationSchedule;
use crate::table::Handle;

const PERIOD_DAYS_DEFAULT: u32 = 365;

impl KeyAction for EnableKeyRotation {
    const NAME: &'static str = "EnableKeyRotation";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::EnabledOrPendingImport;
}

impl Handle for EnableKeyRotation {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: EnableKeyRotationRequest,
    ) -> Result<EnableKeyRotationResponse, KmsError> {
        let days = request.rotation_period_in_days.and_then(|days| u32::try_from(days).ok());
        let schedule = RotationSchedule::starting(call.time, days.unwrap_or(PERIOD_DAYS_DEFAULT));
        let facts =
            Facts { rotation_period_in_days: i32::try_from(schedule.period_days).ok(), ..Facts::default() };
        kms.change::<Self, _>(call, &request.key_id, &facts, |edit, key| {
            rotatable(key)?;
            if edit.record.rotation.is_none_or(|present| present.period_days != schedule.period_days) {
                edit.schedule_rotation(schedule);
            }
            Ok(())
        })
        .await?;
        Ok(EnableKeyRotationResponse)
    }
}

/// Only symmetric keys have more than one material, and only material that is made here can be made anew.
pub(super) fn rotatable<A: KeyAction>(key: &Usable<A>) -> Result<(), KmsError> {
    let (spec, origin) = (key.record().spec, key.record().origin);
    if origin != OriginType::AwsKms {
        return Err(KmsError::wrong_origin(key.key()));
    }
    if spec == KeySpec::SymmetricDefault {
        return key.key().must_lead();
    }
    let text = format!("{} key spec is {spec} which is not valid for this operation.", key.arn());
    Err(KmsError::Unsupported(text))
}
