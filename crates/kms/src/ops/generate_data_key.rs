//! GenerateDataKey: random bytes, in plaintext and encrypted under the key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>

use base::{Call, SecretBytes};
use wire::kms::{
    DataKeySpec, GenerateDataKey, GenerateDataKeyRequest, GenerateDataKeyResponse, KeyUsageType, Operation,
};

use super::request::{encryption_context, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule, Usable};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::kind::KeyKind;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for GenerateDataKey {
    const NAME: &'static str = "GenerateDataKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GenerateDataKey {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for GenerateDataKey {
    async fn carry_out(
        kms: &Kms,
        call: &Call,
        request: GenerateDataKeyRequest,
    ) -> Result<Used<Self>, KmsError> {
        let length = data_key_length(request.key_spec, request.number_of_bytes)?;
        let addressee = kms.addressee(call, request.recipient).await?;
        let facts = Facts {
            measurements: addressee.measurements(),
            ..Facts::of_encryption(None, request.encryption_context.as_ref())
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        symmetric(&key)?;
        stop_if_dry_run(request.dry_run)?;
        let context = encryption_context(request.encryption_context.as_ref());
        let plaintext = kms.random_secret(length)?;
        let ciphertext = kms.materials.encrypt(&key, &context, plaintext.expose()).await?;
        let delivery = kms.deliver(plaintext, &addressee)?;
        note_material(call, MATERIAL, key.record().current_material.as_ref());
        Ok(key.used(GenerateDataKeyResponse {
            ciphertext_blob: Some(ciphertext),
            plaintext: delivery.plaintext,
            key_id: Some(key.arn_text()),
            ciphertext_for_recipient: delivery.ciphertext_for_recipient,
            key_material_id: addressee.unless_attested(key.record().current_material.clone()),
        }))
    }
}

/// Refuses keys that are not symmetric encryption keys.
pub(super) fn symmetric<A: CryptographicAction>(key: &Usable<A>) -> Result<(), KmsError> {
    match key.kind()? {
        KeyKind::Symmetric => Ok(()),
        KeyKind::Mac(_) | KeyKind::Pair(_) => Err(KmsError::InvalidKeyUsage(format!(
            "{} key spec is {} which is not valid for {}.",
            key.arn(),
            key.record().spec,
            <A::Operation as Operation>::NAME
        ))),
    }
}

/// The length that exactly one of KeySpec and NumberOfBytes asks for.
pub(super) fn data_key_length(spec: Option<DataKeySpec>, bytes: Option<i32>) -> Result<usize, KmsError> {
    match (spec, bytes) {
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (None, Some(bytes)) => usize::try_from(bytes).map_err(|_| InvalidRequest::DataKeySize.into()),
        (None, None) | (Some(_), Some(_)) => Err(InvalidRequest::DataKeySize.into()),
    }
}

impl Kms {
    /// Fresh random bytes.
    pub(super) fn random_secret(&self, length: usize) -> Result<SecretBytes, KmsError> {
        let mut secret = SecretBytes::zeroed(length);
        self.randomness.fill(secret.expose_mut())?;
        Ok(secret)
    }
}
