//! Encrypt: up to 4,096 bytes directly under a symmetric key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>

use base::Call;
use wire::kms::{Encrypt, EncryptRequest, EncryptResponse, EncryptionAlgorithmSpec};

use super::request::{encryption_context, no_grant_tokens, stop_if_dry_run, symmetric_algorithm};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::table::Handle;

impl KeyAction for Encrypt {
    const NAME: &'static str = "Encrypt";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
}

impl CryptographicAction for Encrypt {}

impl Handle for Encrypt {
    const READ_ONLY: bool = true;

    async fn handle(kms: &Kms, call: &Call, request: EncryptRequest) -> Result<EncryptResponse, KmsError> {
        no_grant_tokens(request.grant_tokens.as_ref())?;
        let key = kms.keys.find::<Self>(call, &request.key_id).await?.authorize::<Self>(call)?.usable()?;
        symmetric_algorithm(request.encryption_algorithm)?;
        stop_if_dry_run(request.dry_run)?;
        let context = encryption_context(request.encryption_context.as_ref());
        let ciphertext = kms.encrypt_under(&key, &context, &request.plaintext).await?;
        Ok(EncryptResponse {
            ciphertext_blob: Some(ciphertext),
            key_id: Some(key.arn_text()),
            encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        })
    }
}
