//! The public half of a key pair.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::kem::EncapsulationKey;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::ParsedPublicKey;
use base::SecretBytes;
use ed25519_dalek::{Digest as _, Sha512};

use super::external_mu::{self, ParameterSet};
use super::library::{self, Kind};
use super::message::{Message, Prepared, Unfit};
use super::private_key::KeyPairError;
use super::secp256k1::PublicPoint;
use super::{KeyPairSpec, RsaEncryption, SigningAlgorithm};

/// Length of an uncompressed point on secp256k1, in bytes (SEC 1 section 2.3.3).
const POINT: usize = 65;

/// The public half of a key pair, parsed and ready for use.
pub struct PublicKey {
    spec: KeyPairSpec,
    document: Vec<u8>,
    verifiers: Vec<(SigningAlgorithm, ParsedPublicKey)>,
    other: Other,
}

/// What a public key is used for besides the signatures that the library verifies.
enum Other {
    Nothing,
    Secp256k1(PublicPoint),
    Oaep(OaepPublicEncryptingKey),
    Ed25519Ph(ed25519_dalek::VerifyingKey),
    /// The raw public key of ML-DSA.
    ExternalMu(ParameterSet, Vec<u8>),
    MlKem(EncapsulationKey),
}

/// The signature was not found valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The caller's: it is not a signature of this message by this key under this algorithm.
    #[error("the signature is not valid for this message, key and algorithm")]
    InvalidSignature,
    /// The caller's: a digest or μ is not as long as the algorithm needs it.
    #[error("the digest does not have the length that the algorithm needs")]
    DigestLength,
    /// The caller's: the key has no such algorithm, or the algorithm does not take this kind of message.
    #[error("this key does not offer this algorithm for this kind of message")]
    NotOffered,
}

/// Nothing was encrypted with a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicEncryptError {
    /// The caller's: longer than [`RsaEncryption::max_plaintext`].
    #[error("the plaintext is longer than the algorithm and key can encrypt")]
    PlaintextTooLong,
    /// The caller's: only RSA keys encrypt.
    #[error("this key does not encrypt")]
    NotOffered,
    /// The cryptography library refused, which it never does for input within the limits.
    #[error("the cryptography library refused to encrypt")]
    Library,
}

/// No secret was encapsulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncapsulateError {
    /// The caller's: only ML-KEM keys encapsulate.
    #[error("this key does not encapsulate")]
    NotOffered,
    /// The cryptography library refused, which it never does for a parsed key.
    #[error("the cryptography library refused to encapsulate")]
    Library,
}

impl PublicKey {
    /// Parses a SubjectPublicKeyInfo in the form that [`PrivateKey`](super::PrivateKey) derives it.
    pub(super) fn from_document(spec: KeyPairSpec, document: Vec<u8>) -> Result<Self, KeyPairError> {
        let mut verifiers = Vec::new();
        for algorithm in spec.signing_algorithms() {
            if let Some(verification) = library::verification(spec, *algorithm) {
                let key =
                    ParsedPublicKey::new(verification, &document).map_err(|_| KeyPairError::Rejected)?;
                verifiers.push((*algorithm, key));
            }
        }
        let other = Other::parse(spec, &document).ok_or(KeyPairError::Rejected)?;
        Ok(Self { spec, document, verifiers, other })
    }

    /// What kind of key pair this is half of.
    pub fn spec(&self) -> KeyPairSpec {
        self.spec
    }

    /// The DER SubjectPublicKeyInfo (RFC 5280): uncompressed points, `rsaEncryption` with NULL for every use of RSA.
    pub fn spki_der(&self) -> &[u8] {
        &self.document
    }

    /// Checks a signature in the form that [`PrivateKey::sign`](super::PrivateKey::sign) gives it.
    ///
    /// # Errors
    /// See [`VerifyError`]: a signature of any wrong form or length is an invalid one.
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if !self.spec.signing_algorithms().contains(&algorithm) {
            return Err(VerifyError::NotOffered);
        }
        let key = self.verifiers.iter().find(|(offered, _)| *offered == algorithm).map(|(_, key)| key);
        let valid = match (message.prepare(algorithm)?, key, &self.other) {
            (Prepared::Digest(digest), Some(key), _) => key.verify_digest_sig(&digest, signature).is_ok(),
            (Prepared::Digest(digest), None, Other::Secp256k1(key)) => {
                key.verifies(digest.as_ref(), signature)
            }
            (Prepared::Whole(message), Some(key), _) => key.verify_sig(message, signature).is_ok(),
            (Prepared::PreHash(bytes), _, Other::Ed25519Ph(key)) => verifies_pre_hash(key, bytes, signature),
            (Prepared::ExternalMu(mu), _, Other::ExternalMu(set, key)) => {
                external_mu::verifies(*set, key, mu, signature)
            }
            _ => return Err(VerifyError::NotOffered),
        };
        if valid { Ok(()) } else { Err(VerifyError::InvalidSignature) }
    }

    /// RSAES-OAEP under an empty label. The ciphertext is as long as the modulus, and never the same twice.
    ///
    /// # Errors
    /// See [`PublicEncryptError`].
    pub fn encrypt(
        &self,
        encryption: RsaEncryption,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, PublicEncryptError> {
        let (Other::Oaep(key), Some(limit)) = (&self.other, encryption.max_plaintext(self.spec)) else {
            return Err(PublicEncryptError::NotOffered);
        };
        if plaintext.len() > limit {
            return Err(PublicEncryptError::PlaintextTooLong);
        }
        let mut out = vec![0; key.ciphertext_size()];
        let written = key.encrypt(library::oaep(encryption), plaintext, &mut out, None);
        let length = written.map_err(|_| PublicEncryptError::Library)?.len();
        out.truncate(length);
        Ok(out)
    }

    /// A fresh shared secret (32 bytes) and its ciphertext (768, 1088 or 1568 bytes): ML-KEM.Encaps of FIPS 203.
    ///
    /// # Errors
    /// See [`EncapsulateError`].
    pub fn encapsulate(&self) -> Result<(SecretBytes, Vec<u8>), EncapsulateError> {
        let Other::MlKem(key) = &self.other else {
            return Err(EncapsulateError::NotOffered);
        };
        let (ciphertext, secret) = key.encapsulate().map_err(|_| EncapsulateError::Library)?;
        Ok((SecretBytes::new(secret.as_ref().to_vec()), ciphertext.as_ref().to_vec()))
    }
}

impl Other {
    fn parse(spec: KeyPairSpec, document: &[u8]) -> Option<Self> {
        match Kind::of(spec) {
            Kind::Rsa(_) => {
                let key = PublicEncryptingKey::from_der(document).ok()?;
                OaepPublicEncryptingKey::new(key).ok().map(Self::Oaep)
            }
            Kind::EccNist(..) => Some(Self::Nothing),
            // A SubjectPublicKeyInfo with an uncompressed point ends in it.
            Kind::EccSecg(_) => PublicPoint::new(document.last_chunk::<POINT>()?).map(Self::Secp256k1),
            Kind::Ed25519 => {
                let raw = document.last_chunk()?;
                ed25519_dalek::VerifyingKey::from_bytes(raw).ok().map(Self::Ed25519Ph)
            }
            Kind::MlDsa(_, set) => {
                // A SubjectPublicKeyInfo of this size has 22 bytes before the key.
                document.get(22..).map(|raw| Self::ExternalMu(set, raw.to_vec()))
            }
            Kind::MlKem(algorithm, layout) => {
                let raw = layout.public_bytes(document)?;
                EncapsulationKey::new(algorithm, raw).ok().map(Self::MlKem)
            }
        }
    }
}

fn verifies_pre_hash(key: &ed25519_dalek::VerifyingKey, bytes: &[u8; 64], signature: &[u8]) -> bool {
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
        return false;
    };
    key.verify_prehashed(Sha512::new().chain_update(bytes), None, &signature).is_ok()
}

impl From<Unfit> for VerifyError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::DigestLength => Self::DigestLength,
            Unfit::NotOffered => Self::NotOffered,
        }
    }
}

/// The SubjectPublicKeyInfo of what the library can write out.
pub(super) fn document(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Option<Vec<u8>> {
    key.as_der().ok().map(|document| document.as_ref().to_vec())
}
