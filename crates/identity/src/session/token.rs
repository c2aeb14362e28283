//! The form of session tokens.
//!
//! Format 1: base64 text (RFC 4648 section 4) of the byte `01` and a seal under the newest domain key for identities. Sealed
//! are the 40 characters of the secret access key and, as JSON, what the token says of its session. So a session needs no
//! place in the store, and nobody but this service can read or make a token.

use base::{SecretBytes, SecretString};
use base64_simd::STANDARD;
use crypto::Binding;
use keyring::{Domain, DomainKeys, SealedUnderDomain};

use super::contents::Contents;
use crate::draw::SECRET_LENGTH;
use crate::error::IdentityError;

const FORMAT: u8 = 1;
/// The longest text that can be a token: what a seal can hold, in base64.
const TEXT_MAX: usize = 90_000;

/// A token that was made here.
pub(super) struct Opened {
    pub(super) contents: Contents,
    pub(super) secret: SecretString,
}

/// Seals what a session is made of.
pub(super) async fn issue(
    keys: &DomainKeys,
    contents: &Contents,
    secret: &SecretString,
) -> Result<String, IdentityError> {
    let unencodable = |_| IdentityError::Damaged("the contents of a session token".to_owned());
    let json = serde_json::to_vec(contents).map_err(unencodable)?;
    let mut whole = SecretBytes::zeroed(secret.expose().len() + json.len());
    for (place, byte) in whole.expose_mut().iter_mut().zip(secret.expose().bytes().chain(json)) {
        *place = byte;
    }
    let sealed = keys.seal(&Domain::global(), &binding(), whole.expose()).await?;
    Ok(STANDARD.encode_to_string([&[FORMAT][..], &sealed.to_bytes()].concat()))
}

/// What a token says; `None` if it was not made here.
pub(super) async fn open(keys: &DomainKeys, token: &str) -> Result<Option<Opened>, IdentityError> {
    let Some(sealed) = decode(token) else { return Ok(None) };
    let opened = keys.open_untrusted(&Domain::global(), &binding(), &sealed).await?;
    Ok(opened.as_ref().and_then(read))
}

fn decode(token: &str) -> Option<SealedUnderDomain> {
    if token.len() > TEXT_MAX {
        return None;
    }
    let bytes = STANDARD.decode_to_vec(token).ok()?;
    let (format, sealed) = bytes.split_first()?;
    if *format == FORMAT { SealedUnderDomain::from_bytes(sealed) } else { None }
}

fn read(opened: &SecretBytes) -> Option<Opened> {
    let (secret, json) = opened.expose().split_at_checked(SECRET_LENGTH)?;
    let secret = SecretString::new(std::str::from_utf8(secret).ok()?.to_owned());
    Some(Opened { contents: serde_json::from_slice(json).ok()?, secret })
}

fn binding() -> Binding {
    Binding::new("session token")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", base64 in "AQAAA[A-Za-z0-9+/]{0,200}") {
            prop_assert!(decode(&text).is_none());
            let _ = decode(&base64);
        }
    }
}
