//! DeriveSharedSecret: ECDH of the key's private half and a peer's public key; the raw x coordinate, no KDF.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html>

use base::Call;
use wire::kms::{DeriveSharedSecret, DeriveSharedSecretRequest, DeriveSharedSecretResponse, KeyUsageType};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;

impl KeyAction for DeriveSharedSecret {
    const NAME: &'static str = "DeriveSharedSecret";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for DeriveSharedSecret {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::KeyAgreement];
}

impl CryptographicOperation for DeriveSharedSecret {
    async fn carry_out(
        kms: &Kms,
        call: &Call,
        request: DeriveSharedSecretRequest,
    ) -> Result<Used<Self>, KmsError> {
        let addressee = kms.addressee(call, request.recipient).await?;
        let facts = Facts {
            key_agreement_algorithm: Some(request.key_agreement_algorithm.as_str()),
            measurements: addressee.measurements(),
            ..Facts::default()
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        key.kind()?;
        let peer = request.public_key;
        let work = move |private_key: &crypto::PrivateKey| private_key.derive_shared_secret(&peer);
        let secret = kms.materials.with_private_key(&key, work).await?;
        let secret = secret.map_err(|_| InvalidRequest::PeerKey)?;
        stop_if_dry_run(request.dry_run)?;
        let delivery = kms.deliver(secret, &addressee)?;
        Ok(key.used(DeriveSharedSecretResponse {
            key_id: Some(key.arn_text()),
            shared_secret: delivery.plaintext,
            ciphertext_for_recipient: delivery.ciphertext_for_recipient,
            key_agreement_algorithm: Some(request.key_agreement_algorithm),
            key_origin: Some(key.record().origin),
        }))
    }
}
