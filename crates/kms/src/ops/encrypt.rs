//! Encrypt: up to 4,096 bytes (or what the operator admits) directly under a symmetric key, less under an RSA key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>

use base::Call;
use wire::kms::{Encrypt, EncryptRequest, EncryptResponse, EncryptionAlgorithmSpec, KeyUsageType};

use super::encryption::checked;
use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for Encrypt {
    const NAME: &'static str = "Encrypt";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Encrypt {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for Encrypt {
    fn parameters(request: &EncryptRequest) -> Option<Vec<u8>> {
        let default =
            request.encryption_algorithm.is_none().then_some(("encryptionAlgorithm", "SYMMETRIC_DEFAULT"));
        wire::event::shown_with(request, default)
    }

    async fn carry_out(kms: &Kms, call: &Call, request: EncryptRequest) -> Result<Used<Self>, KmsError> {
        let facts = Facts::of_encryption(request.encryption_algorithm, request.encryption_context.as_ref());
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        let algorithm = request.encryption_algorithm.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault);
        let context = request.encryption_context.as_ref();
        checked(&key, algorithm, context, request.plaintext.len())?;
        stop_if_dry_run(request.dry_run)?;
        let sealed = kms.seal(&key, algorithm, context, request.plaintext).await?;
        note_material(call, MATERIAL, sealed.material_id.as_ref());
        Ok(key.used(EncryptResponse {
            ciphertext_blob: Some(sealed.blob),
            key_id: Some(key.arn_text()),
            encryption_algorithm: Some(algorithm),
        }))
    }
}
