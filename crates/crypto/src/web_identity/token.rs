//! A token as it was sent: header, payload and signature (RFC 7515 section 7.1).

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::{Claims, JsonWebKeySet, TokenError, base64url, json};

/// The longest token in characters (AWS STS API reference, AssumeRoleWithWebIdentity, "WebIdentityToken").
pub const TOKEN_MAX: usize = 20_000;

/// A token that has the form of one. Nothing in it may be believed yet.
///
/// Whoever holds a token can use it, so it cannot be printed.
pub struct SignedToken<'a> {
    /// Header and payload as they were sent, which is what was signed.
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<String>,
    /// None if the payload is no set of claims.
    claims: Option<Map<String, Value>>,
}

impl<'a> SignedToken<'a> {
    /// Reads a token in compact serialization.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] and [`TokenError::UnsupportedAlgorithm`].
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > TOKEN_MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let (algorithm, key_id) = read_header(&decode(header)?)?;
        let claims = json::read_object(&decode(payload)?);
        Ok(Self { signed, signature: decode(signature)?, algorithm, key_id, claims })
    }

    /// Which key the token says that it is signed with (RFC 7515 section 4.1.4).
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Which issuer the token says that it is from: to find the keys to [verify](Self::verify) it with, and for
    /// nothing else.
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.claims.as_ref()?.get("iss")?.as_str()
    }

    /// The claims, if one of the keys made the signature.
    ///
    /// A token that names a key is held against the keys of that id alone, one that names none against every key that
    /// admits its algorithm. Times are not checked.
    ///
    /// # Errors
    /// [`TokenError::NoSuchKey`], [`TokenError::BadSignature`] and [`TokenError::UnreadableClaims`].
    pub fn verify(&self, keys: &JsonWebKeySet) -> Result<Claims, TokenError> {
        keys.verify(self.key_id(), self.algorithm, self.signed.as_bytes(), &self.signature)?;
        Claims::read(self.claims.clone().ok_or(TokenError::UnreadableClaims)?)
    }
}

/// The algorithm and the key's id. Members that only inform are not looked at, nor are those that bring a key along.
fn read_header(json: &[u8]) -> Result<(Algorithm, Option<String>), TokenError> {
    let header = json::read_object(json).ok_or(TokenError::Malformed)?;
    let text =
        |name: &str| header.get(name).map(|value| value.as_str().ok_or(TokenError::Malformed)).transpose();
    let (name, key_id) = (text("alg")?.ok_or(TokenError::Malformed)?, text("kid")?);
    if header.contains_key("crit") {
        return Err(TokenError::Malformed);
    }
    let algorithm = Algorithm::from_name(name).ok_or(TokenError::UnsupportedAlgorithm)?;
    Ok((algorithm, key_id.map(str::to_owned)))
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    base64url(part).ok_or(TokenError::Malformed)
}
