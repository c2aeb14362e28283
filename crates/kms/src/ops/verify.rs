//! Verify: checks a signature. A wrong one is an error, never SignatureValid=false.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html>

use base::Call;
use crypto::VerifyError;
use wire::kms::{KeyUsageType, Verify, VerifyRequest, VerifyResponse};

use super::request::stop_if_dry_run;
use super::signing::{Signed, algorithm_of, message_type};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;

impl KeyAction for Verify {
    const NAME: &'static str = "Verify";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Verify {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::SignVerify];
}

impl CryptographicOperation for Verify {
    fn parameters(request: &VerifyRequest) -> Option<Vec<u8>> {
        let default = request.message_type.is_none().then_some(("messageType", "RAW"));
        wire::event::shown_with(request, default)
    }

    async fn carry_out(kms: &Kms, call: &Call, request: VerifyRequest) -> Result<Used<Self>, KmsError> {
        let facts = Facts {
            signing_algorithm: Some(request.signing_algorithm.as_str()),
            message_type: Some(message_type(request.message_type)),
            ..Facts::default()
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        let name = request.signing_algorithm;
        let algorithm = algorithm_of(&key, name)?;
        let signed = Signed::new(request.message, request.message_type);
        let signature = request.signature;
        let work = move |private_key: &crypto::PrivateKey| {
            let verified = private_key.public_key().verify(algorithm, signed.message(), &signature);
            verified.map_err(|error| match error {
                VerifyError::InvalidSignature => KmsError::InvalidSignature,
                VerifyError::DigestLength => InvalidRequest::DigestLength(name.as_str()).into(),
                VerifyError::NotOffered => signed.refused(name),
            })
        };
        kms.materials.with_private_key(&key, work).await??;
        stop_if_dry_run(request.dry_run)?;
        Ok(key.used(VerifyResponse {
            key_id: Some(key.arn_text()),
            signature_valid: Some(true),
            signing_algorithm: Some(name),
        }))
    }
}
