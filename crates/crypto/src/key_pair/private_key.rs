//! A live key pair: what signs, decrypts, agrees and decapsulates.

use aws_lc_rs::agreement::{self, ParsedPublicKey, ParsedPublicKeyFormat, UnparsedPublicKey};
use aws_lc_rs::digest::{SHA3_256, digest};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::kem::DecapsulationKey;
use aws_lc_rs::rsa::{self, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair};
use base::{SecretArray, SecretBytes};
use ed25519_dalek::{Digest as _, Sha512};

use super::der::{MlKemLayout, algorithm_identifier, is_one_sequence};
use super::external_mu::{self, ParameterSet};
use super::library::{self, Kind};
use super::message::{Message, Prepared, Unfit};
use super::public_key::{PublicKey, document};
use super::secp256k1::SigningScalar;
use super::{KeyPairSpec, RsaEncryption, SigningAlgorithm};
use crate::InvalidCiphertext;
use crate::digest::constant_time_equal;

/// A private key with its public half, parsed and ready for use from any thread.
///
/// It cannot be cloned, printed or stored: what is stored is a [`Sealed`](crate::Sealed) copy of
/// [`Self::expose_for_sealing`].
pub struct PrivateKey {
    public: PublicKey,
    secret: Secret,
    document: SecretBytes,
}

/// The secret in the forms that its uses need.
enum Secret {
    Rsa { signing: Box<rsa::KeyPair>, decrypting: Box<OaepPrivateDecryptingKey> },
    EccNist { signing: Box<EcdsaKeyPair>, agreement: agreement::PrivateKey },
    EccSecg { pair: Box<EcdsaKeyPair>, signing: SigningScalar },
    Ed25519 { pure: Box<Ed25519KeyPair>, pre_hash: Box<ed25519_dalek::SigningKey> },
    MlDsa { pair: Box<PqdsaKeyPair>, set: ParameterSet, seed: SecretArray<{ external_mu::SEED }> },
    MlKem(Box<DecapsulationKey>, MlKemLayout),
}

/// There is no key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyPairError {
    /// Whose the bytes are: they are not one valid private key of the spec in PKCS#8 DER.
    #[error("the bytes are not a valid private key of this spec")]
    Rejected,
    /// The cryptography library failed, as for want of memory or randomness.
    #[error("the cryptography library failed to make a key pair")]
    Library,
}

/// Nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The caller's: a digest or μ is not as long as the algorithm needs it.
    #[error("the digest does not have the length that the algorithm needs")]
    DigestLength,
    /// The caller's: the key has no such algorithm, or the algorithm does not take this kind of message.
    #[error("this key does not offer this algorithm for this kind of message")]
    NotOffered,
    /// The cryptography library failed, as for want of memory or randomness.
    #[error("the cryptography library failed to sign")]
    Library,
}

/// The bytes are not a valid public key on the curve of the private key, or that key agrees on nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid public key on the same curve")]
pub struct InvalidPeerKey;

impl PrivateKey {
    /// A new key pair; the public exponent of RSA is 65537.
    ///
    /// # Errors
    /// [`KeyPairError::Library`].
    pub fn generate(spec: KeyPairSpec) -> Result<Self, KeyPairError> {
        let document = generate_document(spec).ok_or(KeyPairError::Library)?;
        Self::from_stored(spec, &document).map_err(|_| KeyPairError::Library)
    }

    /// The key pair in this document: one that [`Self::expose_for_sealing`] gave, or a caller's own private key in
    /// PKCS#8 DER (RFC 5208, RFC 5958), from which the public half is derived.
    ///
    /// # Errors
    /// [`KeyPairError::Rejected`] for anything that is not one valid private key of this spec.
    pub fn from_stored(spec: KeyPairSpec, stored: &SecretBytes) -> Result<Self, KeyPairError> {
        if !is_one_sequence(stored.expose()) {
            return Err(KeyPairError::Rejected);
        }
        let secret = Secret::parse(spec, stored.expose()).ok_or(KeyPairError::Rejected)?;
        let public = secret.public_document().ok_or(KeyPairError::Rejected)?;
        let document = secret.document().ok_or(KeyPairError::Rejected)?;
        Ok(Self { public: PublicKey::from_document(spec, public)?, secret, document })
    }

    /// What kind of key pair this is.
    pub fn spec(&self) -> KeyPairSpec {
        self.public.spec()
    }

    /// The secret as PKCS#8 DER, for [`SealingKey::seal`](crate::SealingKey::seal) and nothing else.
    pub fn expose_for_sealing(&self) -> &SecretBytes {
        &self.document
    }

    /// The secret as an unencrypted PrivateKeyInfo (RFC 5958, version 0), as GenerateDataKeyPair returns it.
    ///
    /// RSA, the curves (RFC 5915 with the public key) and Ed25519 (RFC 8410) are what every library reads; ML-DSA is
    /// the seed form of RFC 9881, ML-KEM the expanded form of RFC 9935.
    ///
    /// # Errors
    /// None today.
    pub fn pkcs8(&self) -> Result<SecretBytes, KeyPairError> {
        Ok(SecretBytes::new(self.document.expose().to_vec()))
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A signature: RSA as long as the modulus, ECDSA as DER SEQUENCE of r and s, Ed25519 64 bytes, ML-DSA raw.
    ///
    /// Only RSASSA-PKCS1-v1_5 and Ed25519 give the same signature twice.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(&self, algorithm: SigningAlgorithm, message: Message<'_>) -> Result<Vec<u8>, SignError> {
        if !self.spec().signing_algorithms().contains(&algorithm) {
            return Err(SignError::NotOffered);
        }
        let signature = match (&self.secret, message.prepare(algorithm)?) {
            (Secret::Rsa { signing, .. }, Prepared::Digest(digest)) => {
                let padding = library::padding(algorithm).ok_or(SignError::NotOffered)?;
                let mut out = vec![0; signing.public_modulus_len()];
                signing.sign_digest(padding, &digest, &mut out).is_ok().then_some(out)
            }
            (Secret::EccNist { signing, .. }, Prepared::Digest(digest)) => {
                signing.sign_digest(&digest).ok().map(|signature| signature.as_ref().to_vec())
            }
            (Secret::EccSecg { signing, .. }, Prepared::Digest(digest)) => signing.sign(digest.as_ref()),
            (Secret::Ed25519 { pure, .. }, Prepared::Whole(message)) => {
                pure.try_sign(message).ok().map(|signature| signature.as_ref().to_vec())
            }
            (Secret::Ed25519 { pre_hash, .. }, Prepared::PreHash(bytes)) => {
                let hashed = Sha512::new().chain_update(bytes);
                pre_hash.sign_prehashed(hashed, None).ok().map(|signature| signature.to_bytes().to_vec())
            }
            (Secret::MlDsa { pair, .. }, Prepared::Whole(message)) => {
                let mut out = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut out).is_ok().then_some(out)
            }
            (Secret::MlDsa { set, seed, .. }, Prepared::ExternalMu(mu)) => {
                external_mu::sign(*set, seed.expose(), mu)
            }
            _ => return Err(SignError::NotOffered),
        };
        signature.ok_or(SignError::Library)
    }

    /// The plaintext of an RSAES-OAEP ciphertext.
    ///
    /// # Errors
    /// Anything else, always the same error; so too for a key that is not RSA.
    pub fn decrypt(
        &self,
        encryption: RsaEncryption,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        let Secret::Rsa { decrypting, .. } = &self.secret else {
            return Err(InvalidCiphertext);
        };
        let mut out = SecretBytes::zeroed(decrypting.min_output_size());
        let plaintext = decrypting
            .decrypt(library::oaep(encryption), ciphertext, out.expose_mut(), None)
            .map_err(|_| InvalidCiphertext)?;
        Ok(SecretBytes::new(plaintext.to_vec()))
    }

    /// ECDH (SP 800-56A section 5.7.1.2): the x coordinate of the shared point, as long as the curve's field, with no
    /// key derivation.
    ///
    /// # Errors
    /// The peer's key is not one SubjectPublicKeyInfo with a point on this key's curve, given by name (the point may be
    /// compressed); or this key is not on P-256, P-384 or P-521.
    pub fn derive_shared_secret(&self, peer_spki_der: &[u8]) -> Result<SecretBytes, InvalidPeerKey> {
        let Secret::EccNist { agreement: own, .. } = &self.secret else {
            return Err(InvalidPeerKey);
        };
        let peer = UnparsedPublicKey::new(own.algorithm(), peer_spki_der);
        let peer = ParsedPublicKey::try_from(peer).map_err(|_| InvalidPeerKey)?;
        // The library also takes the curve spelled out in parameters, which RFC 5480 section 2.1.1 forbids.
        let names_our_curve =
            algorithm_identifier(peer_spki_der) == algorithm_identifier(self.public.spki_der());
        let is_document = peer.format() == ParsedPublicKeyFormat::X509 && is_one_sequence(peer_spki_der);
        if !is_document || !names_our_curve {
            return Err(InvalidPeerKey);
        }
        agreement::agree(own, peer, InvalidPeerKey, |secret| Ok(SecretBytes::new(secret.to_vec())))
    }

    /// The shared secret (32 bytes) of a ciphertext: ML-KEM.Decaps of FIPS 203.
    ///
    /// A ciphertext of the right length that this key's public half did not make gives another secret, not an error:
    /// implicit rejection.
    ///
    /// # Errors
    /// The ciphertext has another length than the key's ciphertexts have; or the key is not ML-KEM.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
        let Secret::MlKem(key, _) = &self.secret else {
            return Err(InvalidCiphertext);
        };
        let secret = key.decapsulate(ciphertext.into()).map_err(|_| InvalidCiphertext)?;
        Ok(SecretBytes::new(secret.as_ref().to_vec()))
    }
}

impl Secret {
    fn parse(spec: KeyPairSpec, stored: &[u8]) -> Option<Self> {
        match Kind::of(spec) {
            Kind::Rsa(size) => {
                let decrypting = PrivateDecryptingKey::from_pkcs8(stored).ok()?;
                if decrypting.key_size_bits() != size.len() * 8 {
                    return None;
                }
                let decrypting = Box::new(OaepPrivateDecryptingKey::new(decrypting).ok()?);
                Some(Self::Rsa { signing: Box::new(rsa::KeyPair::from_pkcs8(stored).ok()?), decrypting })
            }
            Kind::EccNist(algorithm, agreement) => {
                let signing = Box::new(EcdsaKeyPair::from_pkcs8(algorithm, stored).ok()?);
                let agreement = agreement::PrivateKey::from_private_key_der(agreement, stored).ok()?;
                Some(Self::EccNist { signing, agreement })
            }
            Kind::EccSecg(algorithm) => {
                let pair = Box::new(EcdsaKeyPair::from_pkcs8(algorithm, stored).ok()?);
                let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
                let signing = SigningScalar::new(scalar.as_ref())?;
                Some(Self::EccSecg { pair, signing })
            }
            Kind::Ed25519 => {
                let pure = Box::new(Ed25519KeyPair::from_pkcs8(stored).ok()?);
                let seed: Curve25519SeedBin<'_> = pure.seed().ok()?.as_be_bytes().ok()?;
                let seed = SecretArray::copy_from(seed.as_ref())?;
                let pre_hash = Box::new(ed25519_dalek::SigningKey::from_bytes(seed.expose()));
                Some(Self::Ed25519 { pure, pre_hash })
            }
            Kind::MlDsa(algorithm, set) => {
                let pair = Box::new(PqdsaKeyPair::from_pkcs8(algorithm, stored).ok()?);
                // The library writes the seed form of RFC 9881, which ends in the seed.
                let document = pair.to_pkcs8v1().ok()?;
                let seed = SecretArray::copy_from(document.as_ref().last_chunk::<{ external_mu::SEED }>()?)?;
                Some(Self::MlDsa { pair, set, seed })
            }
            Kind::MlKem(algorithm, layout) => {
                let raw = layout.private_bytes(stored)?;
                // The check of FIPS 203 section 7.3, made once here.
                let (encapsulation_key, hash) = layout.encapsulation_key(raw)?;
                let intact = constant_time_equal(digest(&SHA3_256, encapsulation_key).as_ref(), hash);
                let key = DecapsulationKey::new(algorithm, raw).ok()?;
                intact.then(|| Self::MlKem(Box::new(key), layout))
            }
        }
    }

    fn public_document(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa { signing, .. } => document(signing.public_key()),
            Self::EccNist { signing: pair, .. } | Self::EccSecg { pair, .. } => document(pair.public_key()),
            Self::Ed25519 { pure, .. } => document(pure.public_key()),
            Self::MlDsa { pair, .. } => document(pair.public_key()),
            Self::MlKem(key, layout) => {
                let raw = key.key_bytes().ok()?;
                layout.encapsulation_key(raw.as_ref()).map(|(key, _)| layout.public_document(key))
            }
        }
    }

    /// The canonical document, whatever form the key came in.
    fn document(&self) -> Option<SecretBytes> {
        match self {
            Self::Rsa { signing, .. } => {
                let document: Pkcs8V1Der<'_> = signing.as_der().ok()?;
                Some(secret(document.as_ref()))
            }
            Self::EccNist { signing: pair, .. } | Self::EccSecg { pair, .. } => {
                pair.to_pkcs8v1().ok().map(|document| secret(document.as_ref()))
            }
            Self::Ed25519 { pure, .. } => pure.to_pkcs8v1().ok().map(|document| secret(document.as_ref())),
            Self::MlDsa { pair, .. } => pair.to_pkcs8v1().ok().map(|document| secret(document.as_ref())),
            Self::MlKem(key, layout) => ml_kem_document(*layout, key),
        }
    }
}

fn generate_document(spec: KeyPairSpec) -> Option<SecretBytes> {
    match Kind::of(spec) {
        Kind::Rsa(size) => {
            let document: Pkcs8V1Der<'_> = rsa::KeyPair::generate(size).ok()?.as_der().ok()?;
            Some(secret(document.as_ref()))
        }
        Kind::EccNist(algorithm, _) | Kind::EccSecg(algorithm) => {
            Some(secret(EcdsaKeyPair::generate(algorithm).ok()?.to_pkcs8v1().ok()?.as_ref()))
        }
        Kind::Ed25519 => Some(secret(Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref())),
        Kind::MlDsa(algorithm, _) => {
            Some(secret(PqdsaKeyPair::generate(algorithm).ok()?.to_pkcs8v1().ok()?.as_ref()))
        }
        Kind::MlKem(algorithm, layout) => {
            ml_kem_document(layout, &DecapsulationKey::generate(algorithm).ok()?)
        }
    }
}

fn ml_kem_document(layout: MlKemLayout, key: &DecapsulationKey) -> Option<SecretBytes> {
    let raw = key.key_bytes().ok()?;
    Some(layout.private_document(raw.as_ref()))
}

fn secret(document: &[u8]) -> SecretBytes {
    SecretBytes::new(document.as_ref().to_vec())
}

impl From<Unfit> for SignError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::DigestLength => Self::DigestLength,
            Unfit::NotOffered => Self::NotOffered,
        }
    }
}
