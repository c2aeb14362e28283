//! Import tokens: the private half of a wrapping key, sealed for the key that material will be imported into.
//!
//! Nothing is stored for a token. It is a version byte and JSON; the seal is bound to the key, the algorithm and the
//! date, so that a token of another key, or one that was changed, does not open.

use base::{KeyArn, SecretBytes, Timestamp};
use crypto::{Binding, KeyPairSpec, PrivateKey, WrappingAlgorithm};
use keyring::{Domain, DomainKeys, SealedUnderDomain};
use serde::{Deserialize, Serialize};

use crate::error::KmsError;

/// How long a token is valid.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>
const VALID_MILLIS: i64 = 24 * 60 * 60 * 1_000;

const VERSION: u8 = 1;

/// What a token says for everybody to read, protected by its seal.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Terms {
    #[serde(with = "crate::record::name")]
    algorithm: WrappingAlgorithm,
    #[serde(with = "crate::record::name")]
    spec: KeyPairSpec,
    /// Milliseconds since the epoch.
    valid_to: i64,
}

#[derive(Serialize, Deserialize)]
struct Token {
    terms: Terms,
    sealed: SealedUnderDomain,
}

/// An opened token: what unwraps the material.
pub(crate) struct WrappingKey {
    algorithm: WrappingAlgorithm,
    spec: KeyPairSpec,
    secret: SecretBytes,
}

impl Terms {
    fn binding(&self, arn: &KeyArn) -> Binding {
        Binding::new("kms import token")
            .part(arn.account.to_string().as_bytes())
            .part(arn.region.as_str().as_bytes())
            .part(arn.id.to_string().as_bytes())
            .part(self.algorithm.as_str().as_bytes())
            .part(self.spec.as_str().as_bytes())
            .part(&self.valid_to.to_be_bytes())
    }
}

/// The end of a token that is made at `now`.
pub(crate) fn valid_to(now: Timestamp) -> Timestamp {
    now.plus_millis(VALID_MILLIS)
}

/// Makes the token that brings `pair` back until `valid_to`, for material of the key `arn` and nothing else.
pub(crate) async fn issue(
    domain_keys: &DomainKeys,
    arn: &KeyArn,
    pair: &PrivateKey,
    algorithm: WrappingAlgorithm,
    valid_to: Timestamp,
) -> Result<Vec<u8>, KmsError> {
    let terms = Terms { algorithm, spec: pair.spec(), valid_to: valid_to.millis() };
    let secret = pair.expose_for_sealing().expose();
    let sealed = domain_keys.seal(&Domain::region(arn.region), &terms.binding(arn), secret).await?;
    let mut token = vec![VERSION];
    let written = serde_json::to_writer(&mut token, &Token { terms, sealed });
    written.map_err(|_| KmsError::Bug("an import token has no form in JSON"))?;
    Ok(token)
}

/// Opens a token that a caller brings for the key `arn`.
pub(crate) async fn open(
    domain_keys: &DomainKeys,
    arn: &KeyArn,
    token: &[u8],
    now: Timestamp,
) -> Result<WrappingKey, KmsError> {
    let Token { terms, sealed } = parse(token).ok_or(KmsError::InvalidImportToken)?;
    let secret =
        domain_keys.open_untrusted(&Domain::region(arn.region), &terms.binding(arn), &sealed).await?;
    let secret = secret.ok_or(KmsError::InvalidImportToken)?;
    if terms.valid_to <= now.millis() {
        return Err(KmsError::ExpiredImportToken);
    }
    Ok(WrappingKey { algorithm: terms.algorithm, spec: terms.spec, secret })
}

fn parse(token: &[u8]) -> Option<Token> {
    match token.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).ok(),
        _ => None,
    }
}

impl WrappingKey {
    /// The material that was wrapped. Takes as long as an RSA decryption: for the pool.
    pub(crate) fn unwrap_material(&self, wrapped: &[u8]) -> Result<SecretBytes, KmsError> {
        let key = PrivateKey::from_stored(self.spec, &self.secret);
        let key = key.map_err(|_| KmsError::Bug("a sealed wrapping key is no key"))?;
        self.algorithm.unwrap_material(&key, wrapped).map_err(|_| KmsError::InvalidCiphertext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_token_panics(token: Vec<u8>) {
            prop_assert!(parse(&token).is_none());
        }

        #[test]
        fn nothing_that_looks_like_a_token_panics(text in r#"\{"terms":\{"algorithm":"RSAES_OAEP_SHA_(1|256|x)","spec":"RSA_2048","valid_to":-?[0-9]{1,25}\},"sealed":\{"domain_key":[0-9]{1,12},"sealed":"[A-Za-z0-9+/=]{0,80}"\}\}"#) {
            let _ = parse(&[&[VERSION], text.as_bytes()].concat());
        }
    }
}
