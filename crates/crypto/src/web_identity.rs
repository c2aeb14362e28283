//! Web identity tokens: JSON Web Tokens (RFC 7519) that an identity provider signed, and its keys (RFC 7517).
//!
//! What STS AssumeRoleWithWebIdentity believes its caller by:
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>. A token is a JWS in
//! compact serialization (RFC 7515 section 7.1). AWS takes RS256 to RS512 and ES256 to ES512; PS256 to PS512 and EdDSA
//! are taken here as well.
//!
//! The key decides how it may be used: it holds one verifier for each algorithm that it admits, and the header of a
//! token can only choose among these. So no signature is ever checked as something else than what its key is for
//! (RFC 8725 sections 2.1 and 3.1), there is no way to name a secret or `none`, and a key that a token brings along or
//! points to is never looked at.
//!
//! Pure: the caller gets keys and tokens, and holds the times of the claims against its own clock. Lengths, nesting,
//! the number of keys and that of the keys tried have bounds.

mod algorithm;
mod claims;
mod json;
mod keys;
#[cfg(test)]
mod tests;
mod token;
#[cfg(test)]
mod vectors;

pub use claims::Claims;
pub use keys::{JsonWebKeySet, KEY_SET_MAX};
pub use token::{SignedToken, TOKEN_MAX};

/// The bytes are not a set of keys. Whatever is wrong with them is the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than [`KEY_SET_MAX`] bytes.
    #[error("the key set is longer than {KEY_SET_MAX} bytes")]
    TooLong,
    /// Not one JSON object with an array of keys, or a member stands twice in an object.
    #[error("the key set is not a JSON Web Key Set")]
    Malformed,
    /// More than 100 keys of one type.
    #[error("the key set has more than 100 keys of one type")]
    TooManyKeys,
}

/// The token proves nothing. Whatever is wrong with it is the sender's, or that of the provider that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too long, not three parts in base64url, or its header is not a JSON object with an algorithm; or the header
    /// names an extension that must be understood (`crit`), and none is.
    #[error("the token is not a signed JSON Web Token")]
    Malformed,
    /// The header names an algorithm that no key of an identity provider has, such as `none` or `HS256`.
    #[error("the token is signed with an algorithm that is not supported")]
    UnsupportedAlgorithm,
    /// No key of the set has the token's key id and admits its algorithm; or more than 10 do, too many to try.
    #[error("no key of the provider is the one that the token is signed with")]
    NoSuchKey,
    /// The signature is not that of the key over this header and these claims.
    #[error("the signature of the token is not valid")]
    BadSignature,
    /// The signature holds, but what was signed is not a set of claims, or a registered claim is of the wrong type.
    #[error("the claims of the token cannot be read")]
    UnreadableClaims,
}

/// The bytes of text in base64url without padding (RFC 7515 section 2); only the one text that stands for them.
fn base64url(text: &str) -> Option<Vec<u8>> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}
