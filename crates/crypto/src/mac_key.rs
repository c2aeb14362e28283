//! HMAC keys (RFC 2104, FIPS 198-1): what KMS GenerateMac and VerifyMac use.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use base::{Randomness, RandomnessUnavailable, SecretBytes};

use crate::key_pair::UnknownName;
use crate::key_pair::spec::named;

named! {
    /// KMS `MacAlgorithmSpec`. The key is as long as the tag.
    MacAlgorithm {
        HmacSha224 = "HMAC_SHA_224",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha384 = "HMAC_SHA_384",
        HmacSha512 = "HMAC_SHA_512",
    }
}

/// An HMAC key, prepared for any number of tags.
///
/// It cannot be cloned, printed or stored: what is stored is a [`Sealed`](crate::Sealed) copy of the secret.
pub struct MacKey {
    algorithm: MacAlgorithm,
    secret: SecretBytes,
    key: hmac::Key,
}

/// The secret is not exactly as long as the keys of the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not have the length that the algorithm needs")]
pub struct MacKeyLength;

/// The tag is not the one of this message under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message authentication code is not valid for this message and key")]
pub struct InvalidMac;

impl MacAlgorithm {
    /// Bytes of a key: 28, 32, 48 or 64.
    pub fn key_length(self) -> usize {
        self.tag_length()
    }

    /// Bytes of a tag: 28, 32, 48 or 64.
    pub fn tag_length(self) -> usize {
        match self {
            Self::HmacSha224 => 28,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    fn library(self) -> hmac::Algorithm {
        match self {
            Self::HmacSha224 => hmac::HMAC_SHA224,
            Self::HmacSha256 => hmac::HMAC_SHA256,
            Self::HmacSha384 => hmac::HMAC_SHA384,
            Self::HmacSha512 => hmac::HMAC_SHA512,
        }
    }
}

impl MacKey {
    /// A new random key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate(
        algorithm: MacAlgorithm,
        randomness: &dyn Randomness,
    ) -> Result<Self, RandomnessUnavailable> {
        let mut secret = SecretBytes::zeroed(algorithm.key_length());
        randomness.fill(secret.expose_mut())?;
        Ok(Self::prepare(algorithm, secret))
    }

    /// A key that was made before: opened from its seal, or a caller's own.
    ///
    /// # Errors
    /// The secret is not [`MacAlgorithm::key_length`] bytes long.
    pub fn from_secret(algorithm: MacAlgorithm, secret: SecretBytes) -> Result<Self, MacKeyLength> {
        if secret.len() != algorithm.key_length() {
            return Err(MacKeyLength);
        }
        Ok(Self::prepare(algorithm, secret))
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The secret itself, for [`SealingKey::seal`](crate::SealingKey::seal) and nothing else.
    pub fn expose_for_sealing(&self) -> &SecretBytes {
        &self.secret
    }

    /// The tag of the message, [`MacAlgorithm::tag_length`] bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    /// Checks a tag in constant time. A shortened tag is not valid.
    ///
    /// # Errors
    /// It is not the tag of this message.
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), InvalidMac> {
        hmac::verify(&self.key, message, mac).map_err(|_| InvalidMac)
    }

    fn prepare(algorithm: MacAlgorithm, secret: SecretBytes) -> Self {
        let key = hmac::Key::new(algorithm.library(), secret.expose());
        Self { algorithm, secret, key }
    }
}
