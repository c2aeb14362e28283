//! Encapsulate: a fresh shared secret and its ML-KEM ciphertext (FIPS 203) for the key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encapsulate.html>

use base::Call;
use wire::kms::{Encapsulate, EncapsulateRequest, EncapsulateResponse, KeyUsageType};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;

impl KeyAction for Encapsulate {
    const NAME: &'static str = "Encapsulate";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Encapsulate {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncapsulateDecapsulate];
}

impl CryptographicOperation for Encapsulate {
    async fn carry_out(kms: &Kms, call: &Call, request: EncapsulateRequest) -> Result<Used<Self>, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        key.kind()?;
        stop_if_dry_run(request.dry_run)?;
        let work = |private_key: &crypto::PrivateKey| private_key.public_key().encapsulate();
        let made = kms.materials.with_private_key(&key, work).await?;
        let (secret, ciphertext) =
            made.map_err(|_| KmsError::Bug("the cryptography library refused a key"))?;
        Ok(key.used(EncapsulateResponse {
            key_id: Some(key.arn_text()),
            shared_secret: Some(secret),
            shared_secret_ciphertext_blob: Some(ciphertext),
            encapsulation_algorithm: Some(request.encapsulation_algorithm),
        }))
    }
}
