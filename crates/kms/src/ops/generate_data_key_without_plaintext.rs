//! GenerateDataKeyWithoutPlaintext: as GenerateDataKey, but only the encrypted half is given out.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html>

use base::Call;
use wire::kms::{
    GenerateDataKeyWithoutPlaintext, GenerateDataKeyWithoutPlaintextRequest,
    GenerateDataKeyWithoutPlaintextResponse, KeyUsageType,
};

use super::generate_data_key::{data_key_length, symmetric};
use super::request::{encryption_context, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for GenerateDataKeyWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyWithoutPlaintext";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GenerateDataKeyWithoutPlaintext {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for GenerateDataKeyWithoutPlaintext {
    async fn carry_out(
        kms: &Kms,
        call: &Call,
        request: GenerateDataKeyWithoutPlaintextRequest,
    ) -> Result<Used<Self>, KmsError> {
        let length = data_key_length(request.key_spec, request.number_of_bytes)?;
        let facts = Facts::of_encryption(None, request.encryption_context.as_ref());
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        symmetric(&key)?;
        stop_if_dry_run(request.dry_run)?;
        let context = encryption_context(request.encryption_context.as_ref());
        let plaintext = kms.random_secret(length)?;
        note_material(call, MATERIAL, key.record().current_material.as_ref());
        Ok(key.used(GenerateDataKeyWithoutPlaintextResponse {
            ciphertext_blob: Some(kms.materials.encrypt(&key, &context, plaintext.expose()).await?),
            key_id: Some(key.arn_text()),
            key_material_id: key.record().current_material.clone(),
        }))
    }
}
