//! DisableKeyRotation: no automatic rotation any more. Materials that were made stay and go on decrypting.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html>

use base::Call;
use wire::kms::{DisableKeyRotation, DisableKeyRotationRequest, DisableKeyRotationResponse};

use super::enable_key_rotation::rotatable;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl KeyAction for DisableKeyRotation {
    const NAME: &'static str = "DisableKeyRotation";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::EnabledOrPendingImport;
}

impl Handle for DisableKeyRotation {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DisableKeyRotationRequest,
    ) -> Result<DisableKeyRotationResponse, KmsError> {
        kms.change::<Self, _>(call, &request.key_id, &Facts::default(), |edit, key| {
            rotatable(key)?;
            edit.unschedule_rotation();
            Ok(())
        })
        .await?;
        Ok(DisableKeyRotationResponse)
    }
}
