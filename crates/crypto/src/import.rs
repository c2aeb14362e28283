//! Key material that comes from outside: unwrapped with a private RSA key that was made for that.
//!
//! Wrapping methods: <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html>

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use base::SecretBytes;

use crate::key_pair::UnknownName;
use crate::key_pair::spec::named;
use crate::{InvalidCiphertext, PrivateKey, RsaEncryption};

named! {
    /// The values of KMS `AlgorithmSpec` that work with RSA wrapping keys today: RSAES-OAEP (RFC 8017) of the material
    /// itself, or of an AES-256 key that wraps the material with padding (RFC 5649).
    WrappingAlgorithm {
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
    }
}

/// What RFC 5649 adds to a text at least: the wrapped integrity check value.
const KEY_WRAP_OVERHEAD: usize = 8;

impl WrappingAlgorithm {
    /// Whether an AES key stands between the RSA key and the material, so that the material may be of any length.
    pub fn is_hybrid(self) -> bool {
        matches!(self, Self::RsaAesKeyWrapSha1 | Self::RsaAesKeyWrapSha256)
    }

    fn encryption(self) -> RsaEncryption {
        match self {
            Self::RsaesOaepSha1 | Self::RsaAesKeyWrapSha1 => RsaEncryption::OaepSha1,
            Self::RsaesOaepSha256 | Self::RsaAesKeyWrapSha256 => RsaEncryption::OaepSha256,
        }
    }

    /// The material that was wrapped with the public half of `key`.
    ///
    /// # Errors
    /// Anything else, always the same error.
    pub fn unwrap_material(self, key: &PrivateKey, wrapped: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
        if !self.is_hybrid() {
            return key.decrypt(self.encryption(), wrapped);
        }
        // First the wrapped AES key, as long as the modulus, then the wrapped material.
        let modulus = key.spec().modulus_length().ok_or(InvalidCiphertext)?;
        let (wrapped_key, wrapped_material) = wrapped.split_at_checked(modulus).ok_or(InvalidCiphertext)?;
        let aes_key = key.decrypt(self.encryption(), wrapped_key)?;
        let aes_key = AesKek::new(&AES_256, aes_key.expose()).map_err(|_| InvalidCiphertext)?;
        unwrap_with_padding(aes_key, wrapped_material)
    }
}

fn unwrap_with_padding(key: AesKek, wrapped: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
    if wrapped.len() < 2 * KEY_WRAP_OVERHEAD {
        return Err(InvalidCiphertext);
    }
    let mut out = SecretBytes::zeroed(wrapped.len());
    let material = key.unwrap_with_padding(wrapped, out.expose_mut()).map_err(|_| InvalidCiphertext)?;
    Ok(SecretBytes::new(material.to_vec()))
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::KeyPairSpec;
    use proptest::prelude::*;

    pub(super) fn key() -> &'static PrivateKey {
        static KEY: OnceLock<PrivateKey> = OnceLock::new();
        KEY.get_or_init(|| PrivateKey::generate(KeyPairSpec::Rsa2048).unwrap())
    }

    fn wrap(algorithm: WrappingAlgorithm, material: &[u8]) -> Vec<u8> {
        let encrypt = |text: &[u8]| key().public_key().encrypt(algorithm.encryption(), text).unwrap();
        if !algorithm.is_hybrid() {
            return encrypt(material);
        }
        let mut out = vec![0; material.len() + 15];
        let wrapped = AesKek::new(&AES_256, &[7; 32]).unwrap().wrap_with_padding(material, &mut out).unwrap();
        [encrypt(&[7; 32]), wrapped.to_vec()].concat()
    }

    #[test]
    fn every_algorithm_opens_what_was_wrapped_with_it() {
        for algorithm in WrappingAlgorithm::ALL {
            let opened = algorithm.unwrap_material(key(), &wrap(*algorithm, &[9; 32])).unwrap();
            assert_eq!(opened.expose(), [9; 32], "{algorithm}");
        }
    }

    #[test]
    fn another_algorithm_or_key_opens_nothing() {
        for algorithm in WrappingAlgorithm::ALL {
            let wrapped = wrap(*algorithm, &[9; 32]);
            for other in WrappingAlgorithm::ALL.iter().filter(|other| *other != algorithm) {
                assert!(other.unwrap_material(key(), &wrapped).is_err(), "{algorithm} {other}");
            }
            let other = PrivateKey::generate(KeyPairSpec::Rsa2048).unwrap();
            assert!(algorithm.unwrap_material(&other, &wrapped).is_err(), "{algorithm}");
        }
    }

    #[test]
    fn every_name_reads_back_and_the_retired_one_does_not() {
        for algorithm in WrappingAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
        }
        assert_eq!("RSAES_PKCS1_V1_5".parse::<WrappingAlgorithm>(), Err(UnknownName));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn material_of_any_length_comes_out_as_it_went_in(material in prop::collection::vec(any::<u8>(), 1..600)) {
            for algorithm in WrappingAlgorithm::ALL.iter().filter(|algorithm| algorithm.is_hybrid()) {
                let opened = algorithm.unwrap_material(key(), &wrap(*algorithm, &material)).unwrap();
                prop_assert_eq!(opened.expose(), &material[..]);
            }
        }

        #[test]
        fn a_changed_or_cut_wrapping_is_refused(position: prop::sample::Index, flip in 1_u8.., cut in 1_usize..40) {
            for algorithm in WrappingAlgorithm::ALL {
                let mut wrapped = wrap(*algorithm, &[9; 32]);
                prop_assert!(algorithm.unwrap_material(key(), &wrapped[..wrapped.len() - cut]).is_err());
                let position = position.index(wrapped.len());
                wrapped[position] ^= flip;
                prop_assert!(algorithm.unwrap_material(key(), &wrapped).is_err());
            }
        }

        #[test]
        fn no_input_panics(wrapped: Vec<u8>) {
            for algorithm in WrappingAlgorithm::ALL {
                prop_assert!(algorithm.unwrap_material(key(), &wrapped).is_err());
            }
        }
    }
}
