//! DeleteImportedKeyMaterial: takes imported material away at once. The key cannot be used until it is imported again,
//! unless it was material that only waited for its rotation.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html>

use base::Call;
use wire::kms::{
    DeleteImportedKeyMaterial, DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse, KeySpec,
};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::table::Handle;

impl KeyAction for DeleteImportedKeyMaterial {
    const NAME: &'static str = "DeleteImportedKeyMaterial";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
    const IMPORTS: bool = true;
}

impl Handle for DeleteImportedKeyMaterial {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DeleteImportedKeyMaterialRequest,
    ) -> Result<DeleteImportedKeyMaterialResponse, KmsError> {
        let asked = request.key_material_id.as_deref();
        kms.change::<Self, _>(call, &request.key_id, &Facts::default(), |edit, key| {
            let symmetric = key.record().spec == KeySpec::SymmetricDefault;
            if asked.is_some() && !symmetric {
                return Err(InvalidRequest::SymmetricOnly("KeyMaterialId").into());
            }
            let deleted = edit.delete_imported(asked)?;
            Ok(DeleteImportedKeyMaterialResponse {
                key_id: Some(key.arn_text()),
                key_material_id: deleted.filter(|_| symmetric),
            })
        })
        .await
    }
}
