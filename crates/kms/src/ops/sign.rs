//! Sign: the signature of a message or of its digest.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>

use base::Call;
use crypto::SignError;
use wire::kms::{KeyUsageType, Sign, SignRequest, SignResponse};

use super::request::stop_if_dry_run;
use super::signing::{Signed, algorithm_of, message_type};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;

impl KeyAction for Sign {
    const NAME: &'static str = "Sign";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Sign {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::SignVerify];
}

impl CryptographicOperation for Sign {
    fn parameters(request: &SignRequest) -> Option<Vec<u8>> {
        let default = request.message_type.is_none().then_some(("messageType", "RAW"));
        wire::event::shown_with(request, default)
    }

    async fn carry_out(kms: &Kms, call: &Call, request: SignRequest) -> Result<Used<Self>, KmsError> {
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
        let work = move |private_key: &crypto::PrivateKey| {
            private_key.sign(algorithm, signed.message()).map_err(|error| match error {
                SignError::DigestLength => InvalidRequest::DigestLength(name.as_str()).into(),
                SignError::NotOffered => signed.refused(name),
                SignError::Library => KmsError::Bug("the cryptography library refused to sign"),
            })
        };
        let signature = kms.materials.with_private_key(&key, work).await??;
        stop_if_dry_run(request.dry_run)?;
        Ok(key.used(SignResponse {
            key_id: Some(key.arn_text()),
            signature: Some(signature),
            signing_algorithm: Some(name),
        }))
    }
}
