//! Encoded authorization messages: why a request was refused, for whoever may read it.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>
//!
//! Format 1: base64url text (RFC 4648 section 5, without padding) of the byte `01` and a seal under the newest domain key for
//! identities over the message, which is JSON.

use base64_simd::URL_SAFE_NO_PAD;
use crypto::Binding;
use keyring::{Domain, SealedUnderDomain};

use crate::error::IdentityError;
use crate::service::Identity;

const FORMAT: u8 = 1;

impl Identity {
    /// Encodes a message so that nobody can read it but by DecodeAuthorizationMessage.
    ///
    /// # Errors
    /// The message has more than 65,536 bytes, or the keyring fails.
    pub async fn encode_authorization_message(&self, message: &str) -> Result<String, IdentityError> {
        let sealed = self.domain_keys.seal(&Domain::global(), &binding(), message.as_bytes()).await?;
        Ok(URL_SAFE_NO_PAD.encode_to_string([&[FORMAT][..], &sealed.to_bytes()].concat()))
    }

    /// The message; `None` if it was not encoded here.
    pub(crate) async fn decode_authorization_message(
        &self,
        encoded: &str,
    ) -> Result<Option<String>, IdentityError> {
        let Some(sealed) = sealed(encoded) else { return Ok(None) };
        let opened = self.domain_keys.open_untrusted(&Domain::global(), &binding(), &sealed).await?;
        Ok(opened.and_then(|message| std::str::from_utf8(message.expose()).ok().map(str::to_owned)))
    }
}

fn sealed(encoded: &str) -> Option<SealedUnderDomain> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(encoded).ok()?;
    let (format, sealed) = bytes.split_first()?;
    if *format == FORMAT { SealedUnderDomain::from_bytes(sealed) } else { None }
}

fn binding() -> Binding {
    Binding::new("authorization message")
}
