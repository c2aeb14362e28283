//! Grant tokens: what CreateGrant gives for a grant, and any request about the key may carry.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#grant_token>
//!
//! Grants take effect at once here, so a token adds nothing to them; one that belongs to no grant is refused all the
//! same. A token is no credential: whoever holds it may do no more than before.
//!
//! Format 1: base64url text (RFC 4648 section 5, without padding) of the byte `01` and a seal under the Region's domain
//! key over `<account>/<region>/<key id>/<grant id>`. No two seals are alike, so no two tokens are. Every later release
//! reads it.

use std::sync::Arc;

use base::{KeyArn, Region};
use base64_simd::URL_SAFE_NO_PAD;
use crypto::Binding;
use keyring::{Domain, DomainKeys, KeyringError, SealedUnderDomain};

use super::GrantId;
use crate::error::KmsError;
use crate::{Kms, paths};

const FORMAT: u8 = 1;

/// Makes and reads grant tokens. They are not stored.
pub(crate) struct GrantTokens(Arc<DomainKeys>);

impl GrantTokens {
    pub(crate) fn new(domain_keys: Arc<DomainKeys>) -> Self {
        Self(domain_keys)
    }

    /// A new token for a grant.
    pub(crate) async fn issue(&self, key: &KeyArn, grant: &GrantId) -> Result<String, KmsError> {
        let content = format!("{}/{grant}", paths::reference(key));
        let sealed =
            self.0.seal(&Domain::region(key.region), &binding(key.region), content.as_bytes()).await?;
        Ok(encode(&sealed))
    }

    /// The key and the grant that a token was made for in this Region; `None` if it was not made here. The grant may
    /// be gone.
    pub(crate) async fn read(
        &self,
        region: Region,
        token: &str,
    ) -> Result<Option<(KeyArn, GrantId)>, KmsError> {
        let Some(sealed) = decode(token) else { return Ok(None) };
        match self.0.open(&Domain::region(region), &binding(region), &sealed).await {
            Ok(content) => Ok(std::str::from_utf8(content.expose()).ok().and_then(names)),
            Err(KeyringError::Seal(_) | KeyringError::MissingDomainKey { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Kms {
    /// Refuses grant tokens that belong to no grant on one of `keys`, which are all of one Region.
    pub(crate) async fn check_grant_tokens(
        &self,
        tokens: Option<&Vec<String>>,
        keys: &[KeyArn],
    ) -> Result<(), KmsError> {
        for token in tokens.into_iter().flatten() {
            if !self.is_grant_token(token, keys).await? {
                return Err(KmsError::InvalidGrantToken);
            }
        }
        Ok(())
    }

    async fn is_grant_token(&self, token: &str, keys: &[KeyArn]) -> Result<bool, KmsError> {
        let Some(key) = keys.first() else { return Ok(false) };
        match self.grant_tokens.read(key.region, token).await? {
            Some((key, id)) if keys.contains(&key) => {
                Ok(self.store.get(&paths::grant(&key, &id)?).await?.is_some())
            }
            _ => Ok(false),
        }
    }
}

fn encode(sealed: &SealedUnderDomain) -> String {
    URL_SAFE_NO_PAD.encode_to_string([&[FORMAT][..], &sealed.to_bytes()].concat())
}

fn decode(token: &str) -> Option<SealedUnderDomain> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(token).ok()?;
    let (format, sealed) = bytes.split_first()?;
    if *format == FORMAT { SealedUnderDomain::from_bytes(sealed) } else { None }
}

fn names(content: &str) -> Option<(KeyArn, GrantId)> {
    let (key, grant) = content.rsplit_once('/')?;
    Some((paths::key_reference(key)?, GrantId::read(grant)?))
}

fn binding(region: Region) -> Binding {
    Binding::new("kms grant token").part(region.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A seal of the form that keyring and crypto give them: the number of a domain key, a format byte, the rest.
    fn sealed() -> impl Strategy<Value = SealedUnderDomain> {
        (1..=10_000_u32, proptest::collection::vec(any::<u8>(), 45..300)).prop_map(|(number, rest)| {
            SealedUnderDomain::from_bytes(&[&number.to_be_bytes()[..], &[1], &rest].concat()).unwrap()
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back_and_suits_the_model(sealed in sealed()) {
            let token = encode(&sealed);
            prop_assert!((1..=8_192).contains(&token.len()));
            prop_assert_eq!(decode(&token), Some(sealed));
        }

        #[test]
        fn another_format_is_not_read(sealed in sealed(), format in 0..=255_u8) {
            prop_assume!(format != FORMAT);
            let other = [&[format][..], &sealed.to_bytes()].concat();
            prop_assert_eq!(decode(&URL_SAFE_NO_PAD.encode_to_string(other)), None);
        }

        #[test]
        fn no_text_panics(token in "\\PC{0,300}", content in "[0-9a-f/-]{0,200}|\\PC{0,200}") {
            let _ = decode(&token);
            let _ = names(&content);
        }

        #[test]
        fn the_names_in_a_token_read_back(id in "[0-9a-f]{64}", account in "[0-9]{12}", multi_region: bool) {
            let (single, multi) =
                ("1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab");
            let key = if multi_region { multi } else { single };
            let arn = paths::key_reference(&format!("{account}/eu-central-1/{key}")).unwrap();
            let content = format!("{}/{id}", paths::reference(&arn));
            prop_assert_eq!(names(&content), Some((arn, GrantId::read(&id).unwrap())));
            prop_assert_eq!(names(content.trim_start_matches(&account)), None);
            prop_assert_eq!(names(&content.to_uppercase()), None);
        }
    }
}
