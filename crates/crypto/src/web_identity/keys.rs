//! The keys of an identity provider: a JWK Set (RFC 7517) of RSA (RFC 7518), EC (RFC 7518) and OKP (RFC 8037) keys.

use std::ops::RangeInclusive;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use serde_json::Value;

use super::algorithm::Algorithm;
use super::{KeySetError, TokenError, base64url, json};

/// The longest key set in bytes: ten times what a provider with a dozen certified keys publishes.
pub const KEY_SET_MAX: usize = 262_144;

/// The most keys of one type in a set; AWS takes as many.
const KEYS_MAX: usize = 100;

/// The most keys that one token is tried against.
const TRIES_MAX: usize = 10;

/// The types of key of which some can be used.
const KEY_TYPES: [&str; 3] = ["RSA", "EC", "OKP"];

/// Bits of an RSA modulus.
const RSA_BITS: RangeInclusive<usize> = 2_048..=8_192;

/// The public keys that an identity provider signs with.
pub struct JsonWebKeySet {
    keys: Vec<Key>,
}

struct Key {
    id: Option<String>,
    /// One for each algorithm that the key admits.
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl JsonWebKeySet {
    /// Reads a set.
    ///
    /// Keys that cannot be used are left out (RFC 7517 section 5): those of other types and curves, for encryption or
    /// another algorithm, of RSA with less than 2,048 or more than 8,192 bits, with a private half that everybody can
    /// read, and whatever is not a valid key. A key with `alg` admits that algorithm alone.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > KEY_SET_MAX {
            return Err(KeySetError::TooLong);
        }
        let set = json::read_object(json).ok_or(KeySetError::Malformed)?;
        let list = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Malformed)?;
        let count = |kind: &str| list.iter().filter(|key| text(key, "kty") == Some(kind)).count();
        if KEY_TYPES.iter().any(|kind| count(kind) > KEYS_MAX) {
            return Err(KeySetError::TooManyKeys);
        }
        Ok(Self { keys: list.iter().filter_map(Key::read).collect() })
    }

    /// Whether a key that can be used has this id. If none has, the provider may have a newer set.
    pub fn knows(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.id.as_deref() == Some(key_id))
    }

    /// Whether a key with this id, or any key if there is none, made this signature.
    pub(super) fn verify(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenError> {
        let fits = |key: &&Key| key_id.is_none_or(|id| key.id.as_deref() == Some(id));
        let verifiers = self.keys.iter().filter(fits).filter_map(|key| key.verifier(algorithm));
        let verifiers: Vec<_> = verifiers.take(TRIES_MAX + 1).collect();
        if verifiers.is_empty() || verifiers.len() > TRIES_MAX {
            return Err(TokenError::NoSuchKey);
        }
        let valid = verifiers.iter().any(|verifier| verifier.verify_sig(message, signature).is_ok());
        if valid { Ok(()) } else { Err(TokenError::BadSignature) }
    }
}

impl Key {
    /// Reads a JWK; none if it cannot be used.
    fn read(jwk: &Value) -> Option<Self> {
        let id = match jwk.get("kid") {
            Some(id) => Some(id.as_str()?.to_owned()),
            None => None,
        };
        let (document, offered) = public_key(jwk)?;
        if !is_for_signatures(jwk) {
            return None;
        }
        let admitted = offered.iter().filter(|algorithm| admits(jwk, **algorithm));
        let verifier = |algorithm: &Algorithm| {
            Some((*algorithm, ParsedPublicKey::new(algorithm.verification(), &document).ok()?))
        };
        let verifiers = admitted.map(verifier).collect::<Option<Vec<_>>>()?;
        (!verifiers.is_empty()).then_some(Self { id, verifiers })
    }

    /// None if the key does not admit the algorithm.
    fn verifier(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.verifiers.iter().find(|(admitted, _)| *admitted == algorithm).map(|(_, verifier)| verifier)
    }
}

/// `use` and `key_ops` allow it (RFC 7517 sections 4.2 and 4.3), and nobody but the provider has the private half,
/// which is `d` for every type.
fn is_for_signatures(jwk: &Value) -> bool {
    let verifies = |operations: &Vec<Value>| operations.iter().any(|operation| operation == "verify");
    jwk.get("use").is_none_or(|purpose| purpose == "sig")
        && jwk.get("key_ops").is_none_or(|operations| operations.as_array().is_some_and(verifies))
        && jwk.get("d").is_none()
}

/// Whether the key leaves its algorithm open or names this one (RFC 7517 section 4.4).
fn admits(jwk: &Value, algorithm: Algorithm) -> bool {
    jwk.get("alg").is_none_or(|name| name.as_str().and_then(Algorithm::from_name) == Some(algorithm))
}

/// The key in a form that the library reads, and the algorithms of its type.
fn public_key(jwk: &Value) -> Option<(Vec<u8>, &'static [Algorithm])> {
    match (text(jwk, "kty")?, text(jwk, "crv")) {
        ("RSA", _) => Some((rsa_key(jwk)?, Algorithm::OF_RSA)),
        ("EC", Some("P-256")) => Some((point::<32>(jwk)?, &[Algorithm::Es256])),
        ("EC", Some("P-384")) => Some((point::<48>(jwk)?, &[Algorithm::Es384])),
        ("EC", Some("P-521")) => Some((point::<66>(jwk)?, &[Algorithm::Es512])),
        ("OKP", Some("Ed25519")) => Some((edwards_point(jwk)?, &[Algorithm::Ed25519])),
        _ => None,
    }
}

/// A SubjectPublicKeyInfo; modulus and exponent have no leading zeros (RFC 7518 sections 2 and 6.3.1).
fn rsa_key(jwk: &Value) -> Option<Vec<u8>> {
    let (modulus, exponent) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    if !RSA_BITS.contains(&bits) {
        return None;
    }
    let document: PublicKeyX509Der<'_> = RsaPublicKeyComponents { n: modulus, e: exponent }.as_der().ok()?;
    Some(document.as_ref().to_vec())
}

/// An uncompressed point of SEC 1; both coordinates are as long as the field (RFC 7518 section 6.2.1).
fn point<const FIELD: usize>(jwk: &Value) -> Option<Vec<u8>> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    (x.len() == FIELD && y.len() == FIELD).then(|| [&[4][..], &x, &y].concat())
}

/// The 32 bytes of a public key (RFC 8032 section 5.1.5). A point of small order, under which anybody can make a
/// signature, is refused here, because the library takes it.
fn edwards_point(jwk: &Value) -> Option<Vec<u8>> {
    let raw: [u8; 32] = bytes(jwk, "x")?.try_into().ok()?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&raw).ok()?;
    (!key.is_weak()).then(|| raw.to_vec())
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name).and_then(Value::as_str)
}

fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    text(jwk, name).and_then(base64url)
}
