//! UpdateKeyDescription: replaces the description of a key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html>

use base::Call;
use wire::kms::{UpdateKeyDescription, UpdateKeyDescriptionRequest, UpdateKeyDescriptionResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl KeyAction for UpdateKeyDescription {
    const NAME: &'static str = "UpdateKeyDescription";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

impl Handle for UpdateKeyDescription {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: UpdateKeyDescriptionRequest,
    ) -> Result<UpdateKeyDescriptionResponse, KmsError> {
        kms.change::<Self, _>(call, &request.key_id, &Facts::default(), |edit, _| {
            edit.record.description.clone_from(&request.description);
            Ok(())
        })
        .await?;
        Ok(UpdateKeyDescriptionResponse)
    }
}
