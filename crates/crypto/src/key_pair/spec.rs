//! The names: which key pairs there are and which algorithms each one offers.

use std::fmt;
use std::str::FromStr;

/// The text names nothing of the kind asked for. Names are case sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name of a key spec or algorithm")]
pub struct UnknownName;

/// An enumeration whose variants have the names that AWS gives them.
macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($(#[$note:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$note])* #[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl $type {
            /// Every value, in the order of the AWS model.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that AWS gives it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name).ok_or(UnknownName)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What kind of key pair: the asymmetric values of KMS `KeySpec`, and of `DataKeyPairSpec`.
    KeyPairSpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }
}

named! {
    /// KMS `SigningAlgorithmSpec`, without SM2.
    SigningAlgorithm {
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        RsassaPkcs1V15Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsassaPkcs1V15Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsassaPkcs1V15Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
    }
}

named! {
    /// The RSA values of KMS `EncryptionAlgorithmSpec`: RSAES-OAEP of RFC 8017, MGF1 with the same hash, empty label.
    RsaEncryption {
        OaepSha1 = "RSAES_OAEP_SHA_1",
        OaepSha256 = "RSAES_OAEP_SHA_256",
    }
}

impl KeyPairSpec {
    /// What a key pair of this kind can sign with, in the order in which DescribeKey lists it; empty for ML-KEM.
    ///
    /// An elliptic curve has one hash; RSA offers all six algorithms whatever the modulus (AWS, "Key spec
    /// reference").
    pub fn signing_algorithms(self) -> &'static [SigningAlgorithm] {
        use SigningAlgorithm as Algorithm;
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[
                Algorithm::RsassaPkcs1V15Sha256,
                Algorithm::RsassaPkcs1V15Sha384,
                Algorithm::RsassaPkcs1V15Sha512,
                Algorithm::RsassaPssSha256,
                Algorithm::RsassaPssSha384,
                Algorithm::RsassaPssSha512,
            ],
            Self::EccNistP256 | Self::EccSecgP256k1 => &[Algorithm::EcdsaSha256],
            Self::EccNistP384 => &[Algorithm::EcdsaSha384],
            Self::EccNistP521 => &[Algorithm::EcdsaSha512],
            Self::EccNistEdwards25519 => &[Algorithm::Ed25519Sha512, Algorithm::Ed25519PhSha512],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[Algorithm::MlDsaShake256],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[],
        }
    }

    /// What a key pair of this kind can encrypt with, in the order in which DescribeKey lists it; RSA only.
    pub fn encryption_algorithms(self) -> &'static [RsaEncryption] {
        match self.modulus_length() {
            Some(_) => RsaEncryption::ALL,
            None => &[],
        }
    }

    /// Whether a key pair of this kind can agree on a secret: the NIST curves, not secp256k1.
    pub fn agrees(self) -> bool {
        matches!(self, Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521)
    }

    /// Whether a key pair of this kind can encapsulate and decapsulate: ML-KEM.
    pub fn encapsulates(self) -> bool {
        matches!(self, Self::MlKem512 | Self::MlKem768 | Self::MlKem1024)
    }

    /// The length of the RSA modulus in bytes.
    pub(crate) fn modulus_length(self) -> Option<usize> {
        match self {
            Self::Rsa2048 => Some(256),
            Self::Rsa3072 => Some(384),
            Self::Rsa4096 => Some(512),
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 | Self::EccSecgP256k1 => None,
            Self::EccNistEdwards25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => None,
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => None,
        }
    }
}

impl RsaEncryption {
    /// The longest plaintext in bytes, k - 2 hLen - 2 (RFC 8017 section 7.1.1); none for a key pair that is not RSA.
    pub fn max_plaintext(self, spec: KeyPairSpec) -> Option<usize> {
        let hash = match self {
            Self::OaepSha1 => 20,
            Self::OaepSha256 => 32,
        };
        spec.modulus_length().map(|modulus| modulus - 2 * hash - 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_no_other_text_does() {
        for spec in KeyPairSpec::ALL {
            assert_eq!(spec.as_str().parse(), Ok(*spec));
            assert_eq!(spec.as_str().to_lowercase().parse::<KeyPairSpec>(), Err(UnknownName));
        }
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(*algorithm));
        }
        for algorithm in RsaEncryption::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
        }
        assert_eq!("SYMMETRIC_DEFAULT".parse::<KeyPairSpec>(), Err(UnknownName));
        assert_eq!("SM2DSA".parse::<SigningAlgorithm>(), Err(UnknownName));
        assert_eq!("".parse::<RsaEncryption>(), Err(UnknownName));
    }

    #[test]
    fn rsa_lists_the_older_padding_first() {
        let names: Vec<_> = KeyPairSpec::Rsa3072.signing_algorithms().iter().map(|a| a.as_str()).collect();
        assert_eq!(
            names,
            [
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512"
            ]
        );
    }

    #[test]
    fn the_published_plaintext_limits() {
        // AWS KMS API reference, Encrypt, "Plaintext".
        let limit = |name: &str, algorithm: RsaEncryption| algorithm.max_plaintext(name.parse().unwrap());
        for (name, sha1, sha256) in [("RSA_2048", 214, 190), ("RSA_3072", 342, 318), ("RSA_4096", 470, 446)] {
            assert_eq!(limit(name, RsaEncryption::OaepSha1), Some(sha1));
            assert_eq!(limit(name, RsaEncryption::OaepSha256), Some(sha256));
        }
        assert_eq!(limit("ECC_NIST_P256", RsaEncryption::OaepSha1), None);
    }
}
