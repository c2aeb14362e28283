//! ImportKeyMaterial: takes in key material that was wrapped for the key: the first, the same again, or for symmetric
//! keys further material that waits for a rotation on demand.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>

use base::{Call, Timestamp};
use wire::kms::{
    ExpirationModelType, ImportKeyMaterial, ImportKeyMaterialRequest, ImportKeyMaterialResponse, ImportType,
    KeySpec,
};

use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::import::Import;
use crate::kind::KeyKind;
use crate::table::Handle;
use crate::{Kms, import_token};

/// How far away the end of imported material can be.
const VALID_DAYS_MAX: i64 = 365;

impl KeyAction for ImportKeyMaterial {
    const NAME: &'static str = "ImportKeyMaterial";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
    const IMPORTS: bool = true;
}

impl Handle for ImportKeyMaterial {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ImportKeyMaterialRequest,
    ) -> Result<ImportKeyMaterialResponse, KmsError> {
        let mut import = Import {
            kind: request.import_type,
            expected: request.key_material_id,
            description: request.key_material_description,
            valid_to: valid_to(request.expiration_model, request.valid_to, call.time)?,
            public_key: None,
        };
        let facts = Facts {
            expiration_model: request.expiration_model.as_ref().map(|model| model.as_str()),
            valid_to: request.valid_to,
            ..Facts::default()
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        check_parameters(&key, &import)?;
        let kind =
            KeyKind::of(key.record().spec).ok_or(KmsError::Bug("a key of a spec that cannot be made"))?;
        let token = &request.import_token;
        let wrapping_key = import_token::open(&kms.domain_keys, &key.arn(), token, call.time).await?;
        let secret = kms.materials.unwrap_material(wrapping_key, request.encrypted_key_material).await?;
        let imported = kms.materials.import(&key.arn(), kind, secret).await?;
        import.public_key = imported.public_key.map(|key| base64_simd::STANDARD.encode_to_string(key));
        let change = kms.change::<Self, _>(call, &request.key_id, &facts, |edit, _| {
            edit.import(&imported.material, &import)
        });
        change.await?;
        let id = imported.material.id.to_string();
        Ok(ImportKeyMaterialResponse {
            key_id: Some(key.arn_text()),
            key_material_id: (kind == KeyKind::Symmetric).then_some(id),
        })
    }
}

/// When the material expires: it does unless the request says that it does not.
fn valid_to(
    model: Option<ExpirationModelType>,
    date: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, InvalidRequest> {
    match (model.unwrap_or(ExpirationModelType::KeyMaterialExpires), date) {
        (ExpirationModelType::KeyMaterialDoesNotExpire, None) => Ok(None),
        (ExpirationModelType::KeyMaterialDoesNotExpire, Some(_)) => Err(InvalidRequest::ValidToNotExpected),
        (ExpirationModelType::KeyMaterialExpires, None) => Err(InvalidRequest::ValidToRequired),
        (ExpirationModelType::KeyMaterialExpires, Some(date)) => {
            let possible = now < date && date <= now.plus_days(VALID_DAYS_MAX);
            if possible { Ok(Some(date)) } else { Err(InvalidRequest::ValidToRange) }
        }
    }
}

/// Which material is meant can be said of symmetric keys only: others have one for ever.
fn check_parameters(key: &Usable<ImportKeyMaterial>, import: &Import) -> Result<(), KmsError> {
    let symmetric = key.record().spec == KeySpec::SymmetricDefault;
    let refused = |parameter| Err(InvalidRequest::SymmetricOnly(parameter).into());
    match import {
        Import { kind: Some(_), .. } if !symmetric => refused("ImportType"),
        Import { expected: Some(_), .. } if !symmetric => refused("KeyMaterialId"),
        Import { description: Some(_), .. } if !symmetric => refused("KeyMaterialDescription"),
        Import { kind: Some(ImportType::NewKeyMaterial), expected: Some(_), .. } => {
            Err(InvalidRequest::IdOfNewMaterial.into())
        }
        _ => Ok(()),
    }
}
