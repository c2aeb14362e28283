//! RotateKeyOnDemand: new material now, at most 25 times in a key's life: made here, or the imported material that waits
//! for it. The automatic schedule is not moved.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html>

use base::Call;
use wire::kms::{KeySpec, RotateKeyOnDemand, RotateKeyOnDemandRequest, RotateKeyOnDemandResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::change::{Attempts, Committed};
use crate::error::{KmsError, LimitExceeded};
use crate::facts::Facts;
use crate::record::RotationKind;
use crate::rotation::ON_DEMAND_ROTATIONS_MAX;
use crate::table::Handle;

/// An automatic rotation this near refuses one on demand.
const IMMINENT_MILLIS: i64 = 20 * 60 * 1_000;

impl KeyAction for RotateKeyOnDemand {
    const NAME: &'static str = "RotateKeyOnDemand";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Enabled;
}

impl Handle for RotateKeyOnDemand {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: RotateKeyOnDemandRequest,
    ) -> Result<RotateKeyOnDemandResponse, KmsError> {
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        loop {
            let key = kms.changeable::<Self>(call, &arn, &Facts::default()).await?;
            may_rotate(call, &key)?;
            if let Some(edit) = kms.rotation(key.key(), RotationKind::OnDemand, call.time).await? {
                let record = kms.call_record(call, <Self as KeyAction>::NAME, &[key.arn()])?;
                if kms.commit(edit.into_transaction(record)?).await? == Committed::Yes {
                    return Ok(RotateKeyOnDemandResponse { key_id: Some(key.arn_text()) });
                }
            }
            attempts.again().await?;
        }
    }
}

fn may_rotate(call: &Call, key: &Usable<RotateKeyOnDemand>) -> Result<(), KmsError> {
    let record = key.record();
    if record.spec != KeySpec::SymmetricDefault {
        return Err(KmsError::RotationOfOneMaterial);
    }
    key.key().must_lead()?;
    if record.on_demand_rotations >= ON_DEMAND_ROTATIONS_MAX {
        return Err(LimitExceeded::OnDemandRotations(key.arn()).into());
    }
    let imminent = call.time.plus_millis(IMMINENT_MILLIS).millis();
    if record.rotation.is_some_and(|rotation| rotation.next_at <= imminent) {
        return Err(KmsError::RotationImminent(key.arn()));
    }
    Ok(())
}
