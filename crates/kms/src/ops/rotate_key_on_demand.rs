//! RotateKeyOnDemand: new material now, at most 25 times in a key's life: made here, or the imported material that waits
//! for it. The automatic schedule is not moved.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html>

use base::Call;
use wire::kms::{
    KeySpec, OriginType, RotateKeyOnDemand, RotateKeyOnDemandRequest, RotateKeyOnDemandResponse,
};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::error::{KmsError, LimitExceeded};
use crate::kind::KeyKind;
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
        let key = kms.keys.find::<Self>(call, &request.key_id).await?.authorize::<Self>(call)?.usable()?;
        may_rotate(call, &key)?;
        let fresh = match key.record().origin {
            OriginType::External => None,
            OriginType::AwsKms | OriginType::AwsCloudhsm | OriginType::ExternalKeyStore => {
                Some(kms.materials.generate(&key.arn(), KeyKind::Symmetric).await?)
            }
        };
        let arn = kms
            .change::<Self, _>(call, &request.key_id, |edit, key| {
                may_rotate(call, key)?;
                edit.record.on_demand_rotations += 1;
                match &fresh {
                    Some(material) => edit.rotate_to(material, RotationKind::OnDemand, call.time)?,
                    None => edit.promote_pending(RotationKind::OnDemand, call.time)?,
                }
                Ok(key.arn_text())
            })
            .await?;
        Ok(RotateKeyOnDemandResponse { key_id: Some(arn) })
    }
}

fn may_rotate(call: &Call, key: &Usable<RotateKeyOnDemand>) -> Result<(), KmsError> {
    let record = key.record();
    if record.spec != KeySpec::SymmetricDefault {
        return Err(KmsError::RotationOfOneMaterial);
    }
    if record.on_demand_rotations >= ON_DEMAND_ROTATIONS_MAX {
        return Err(LimitExceeded::OnDemandRotations(key.arn()).into());
    }
    let imminent = call.time.plus_millis(IMMINENT_MILLIS).millis();
    if record.rotation.is_some_and(|rotation| rotation.next_at <= imminent) {
        return Err(KmsError::RotationImminent(key.arn()));
    }
    Ok(())
}
