//! GenerateDataKeyPairWithoutPlaintext: as GenerateDataKeyPair, but the private half is given out encrypted only.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html>

use base::Call;
use wire::kms::{
    GenerateDataKeyPairWithoutPlaintext, GenerateDataKeyPairWithoutPlaintextRequest,
    GenerateDataKeyPairWithoutPlaintextResponse, KeyUsageType,
};

use super::generate_data_key::symmetric;
use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for GenerateDataKeyPairWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyPairWithoutPlaintext";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GenerateDataKeyPairWithoutPlaintext {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for GenerateDataKeyPairWithoutPlaintext {
    async fn carry_out(
        kms: &Kms,
        call: &Call,
        request: GenerateDataKeyPairWithoutPlaintextRequest,
    ) -> Result<Used<Self>, KmsError> {
        let facts = Facts {
            data_key_pair_spec: Some(request.key_pair_spec.as_str()),
            ..Facts::of_encryption(None, request.encryption_context.as_ref())
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        symmetric(&key)?;
        let spec = kms.pair_spec(call, request.key_pair_spec)?;
        stop_if_dry_run(request.dry_run)?;
        let pair = kms.data_key_pair(&key, spec, request.encryption_context.as_ref()).await?;
        note_material(call, MATERIAL, key.record().current_material.as_ref());
        Ok(key.used(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob: Some(pair.encrypted),
            public_key: Some(pair.public_key),
            key_id: Some(key.arn_text()),
            key_pair_spec: Some(request.key_pair_spec),
            key_material_id: key.record().current_material.clone(),
        }))
    }
}
