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

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::SeededRandomness;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A key of any length, as the published vectors have them.
    fn published(algorithm: MacAlgorithm, secret: &[u8]) -> MacKey {
        MacKey::prepare(algorithm, SecretBytes::new(secret.to_vec()))
    }

    #[test]
    fn the_published_tags_of_rfc_4231() {
        // RFC 4231, test cases 1, 2 and 6.
        let cases: [(&[u8], &[u8], [&str; 4]); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                [
                    "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
                    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
                     daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
                ],
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                [
                    "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
                    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                     9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
                ],
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                [
                    "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
                    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
                    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
                     6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
                ],
            ),
        ];
        for (secret, message, tags) in cases {
            for (algorithm, tag) in MacAlgorithm::ALL.iter().zip(tags) {
                assert_eq!(hexadecimal(&published(*algorithm, secret).sign(message)), tag, "{algorithm}");
            }
        }
    }

    #[test]
    fn only_the_whole_tag_of_the_same_message_and_key_is_valid() {
        let randomness = SeededRandomness::new(1);
        for algorithm in MacAlgorithm::ALL {
            let key = MacKey::generate(*algorithm, &randomness).unwrap();
            let tag = key.sign(b"message");
            assert_eq!(tag.len(), algorithm.tag_length());
            assert_eq!(key.verify(b"message", &tag), Ok(()));
            assert_eq!(key.verify(b"massage", &tag), Err(InvalidMac));
            let other = MacKey::generate(*algorithm, &randomness).unwrap();
            assert_eq!(other.verify(b"message", &tag), Err(InvalidMac));
            let mut flipped = tag.clone();
            flipped[tag.len() - 1] ^= 1;
            let longer = [&tag[..], &[0]].concat();
            for wrong in [&[][..], &tag[1..], &tag[..tag.len() - 1], &longer, &flipped] {
                assert_eq!(key.verify(b"message", wrong), Err(InvalidMac));
            }
        }
    }

    #[test]
    fn a_stored_key_gives_the_same_tags_and_another_length_no_key() {
        for algorithm in MacAlgorithm::ALL {
            let key = MacKey::generate(*algorithm, &SeededRandomness::new(1)).unwrap();
            let stored = key.expose_for_sealing().expose();
            assert_eq!(stored.len(), algorithm.key_length());
            let again = MacKey::from_secret(*algorithm, SecretBytes::new(stored.to_vec())).unwrap();
            assert_eq!(again.sign(b"message"), key.sign(b"message"));
            assert_eq!(again.algorithm(), *algorithm);
            for length in [0, 20, stored.len() - 1, stored.len() + 1] {
                let refused = MacKey::from_secret(*algorithm, SecretBytes::zeroed(length));
                assert_eq!(refused.err(), Some(MacKeyLength), "{algorithm} {length}");
            }
        }
    }

    #[test]
    fn every_name_reads_back_and_no_other_text_does() {
        for algorithm in MacAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
        }
        assert_eq!("HMAC_256".parse::<MacAlgorithm>(), Err(UnknownName));
    }
}
