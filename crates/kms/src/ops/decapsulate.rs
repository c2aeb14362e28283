//! Decapsulate: the shared secret of an ML-KEM ciphertext. Only a wrong length is an error; any other wrong ciphertext
//! gives a pseudo-random secret (implicit rejection, FIPS 203).
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html>

use base::Call;
use wire::kms::{Decapsulate, DecapsulateRequest, DecapsulateResponse, KeyUsageType};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;

impl KeyAction for Decapsulate {
    const NAME: &'static str = "Decapsulate";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Decapsulate {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncapsulateDecapsulate];
}

impl CryptographicOperation for Decapsulate {
    async fn carry_out(kms: &Kms, call: &Call, request: DecapsulateRequest) -> Result<Used<Self>, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        key.kind()?;
        let ciphertext = request.shared_secret_ciphertext_blob;
        let work = move |private_key: &crypto::PrivateKey| private_key.decapsulate(&ciphertext);
        let secret =
            kms.materials.with_private_key(&key, work).await?.map_err(|_| KmsError::InvalidCiphertext)?;
        stop_if_dry_run(request.dry_run)?;
        Ok(key.used(DecapsulateResponse {
            key_id: Some(key.arn_text()),
            shared_secret: Some(secret),
            encapsulation_algorithm: Some(request.encapsulation_algorithm),
        }))
    }
}
