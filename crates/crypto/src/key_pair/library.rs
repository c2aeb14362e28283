//! Which constant of the library stands for which spec and algorithm.

use aws_lc_rs::signature::{
    self, EcdsaSigningAlgorithm, PqdsaSigningAlgorithm, RsaEncoding, VerificationAlgorithm,
};
use aws_lc_rs::{agreement, kem, rsa};

use super::der::MlKemLayout;
use super::external_mu::ParameterSet;
use super::{KeyPairSpec, RsaEncryption, SigningAlgorithm};

/// The kinds of key pair, each with what the library needs to make one.
pub(super) enum Kind {
    Rsa(rsa::KeySize),
    EccNist(&'static EcdsaSigningAlgorithm, &'static agreement::Algorithm),
    /// secp256k1, which agrees on nothing.
    EccSecg(&'static EcdsaSigningAlgorithm),
    Ed25519,
    MlDsa(&'static PqdsaSigningAlgorithm, ParameterSet),
    MlKem(&'static kem::Algorithm, MlKemLayout),
}

impl Kind {
    pub(super) fn of(spec: KeyPairSpec) -> Self {
        use KeyPairSpec as Spec;
        match spec {
            Spec::Rsa2048 => Self::Rsa(rsa::KeySize::Rsa2048),
            Spec::Rsa3072 => Self::Rsa(rsa::KeySize::Rsa3072),
            Spec::Rsa4096 => Self::Rsa(rsa::KeySize::Rsa4096),
            Spec::EccNistP256 => {
                Self::EccNist(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &agreement::ECDH_P256)
            }
            Spec::EccNistP384 => {
                Self::EccNist(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, &agreement::ECDH_P384)
            }
            Spec::EccNistP521 => {
                Self::EccNist(&signature::ECDSA_P521_SHA512_ASN1_SIGNING, &agreement::ECDH_P521)
            }
            Spec::EccSecgP256k1 => Self::EccSecg(&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING),
            Spec::EccNistEdwards25519 => Self::Ed25519,
            Spec::MlDsa44 => Self::MlDsa(&signature::ML_DSA_44_SIGNING, ParameterSet::MlDsa44),
            Spec::MlDsa65 => Self::MlDsa(&signature::ML_DSA_65_SIGNING, ParameterSet::MlDsa65),
            Spec::MlDsa87 => Self::MlDsa(&signature::ML_DSA_87_SIGNING, ParameterSet::MlDsa87),
            Spec::MlKem512 => Self::MlKem(&kem::ML_KEM_512, MlKemLayout::ML_KEM_512),
            Spec::MlKem768 => Self::MlKem(&kem::ML_KEM_768, MlKemLayout::ML_KEM_768),
            Spec::MlKem1024 => Self::MlKem(&kem::ML_KEM_1024, MlKemLayout::ML_KEM_1024),
        }
    }
}

/// How a key pair of this spec verifies this algorithm; none for Ed25519ph, which the library does not offer, for
/// secp256k1, which another library does faster, and for algorithms of other specs. PSS takes no salt but one as long as the hash.
pub(super) fn verification(
    spec: KeyPairSpec,
    algorithm: SigningAlgorithm,
) -> Option<&'static dyn VerificationAlgorithm> {
    use KeyPairSpec as Spec;
    use SigningAlgorithm as Algorithm;
    if !spec.signing_algorithms().contains(&algorithm) {
        return None;
    }
    Some(match (algorithm, spec) {
        (Algorithm::RsassaPssSha256, _) => &signature::RSA_PSS_2048_8192_SHA256,
        (Algorithm::RsassaPssSha384, _) => &signature::RSA_PSS_2048_8192_SHA384,
        (Algorithm::RsassaPssSha512, _) => &signature::RSA_PSS_2048_8192_SHA512,
        (Algorithm::RsassaPkcs1V15Sha256, _) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Algorithm::RsassaPkcs1V15Sha384, _) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Algorithm::RsassaPkcs1V15Sha512, _) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Algorithm::EcdsaSha256, Spec::EccSecgP256k1) => return None,
        (Algorithm::EcdsaSha256, _) => &signature::ECDSA_P256_SHA256_ASN1,
        (Algorithm::EcdsaSha384, _) => &signature::ECDSA_P384_SHA384_ASN1,
        (Algorithm::EcdsaSha512, _) => &signature::ECDSA_P521_SHA512_ASN1,
        (Algorithm::Ed25519Sha512, _) => &signature::ED25519,
        (Algorithm::MlDsaShake256, Spec::MlDsa44) => &signature::ML_DSA_44,
        (Algorithm::MlDsaShake256, Spec::MlDsa65) => &signature::ML_DSA_65,
        (Algorithm::MlDsaShake256, _) => &signature::ML_DSA_87,
        (Algorithm::Ed25519PhSha512, _) => return None,
    })
}

/// The padding of an RSA signature. The salt of PSS is as long as the hash.
pub(super) fn padding(algorithm: SigningAlgorithm) -> Option<&'static dyn RsaEncoding> {
    use SigningAlgorithm as Algorithm;
    match algorithm {
        Algorithm::RsassaPssSha256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::RsassaPssSha384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::RsassaPssSha512 => Some(&signature::RSA_PSS_SHA512),
        Algorithm::RsassaPkcs1V15Sha256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::RsassaPkcs1V15Sha384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::RsassaPkcs1V15Sha512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::EcdsaSha256 | Algorithm::EcdsaSha384 | Algorithm::EcdsaSha512 => None,
        Algorithm::Ed25519Sha512 | Algorithm::Ed25519PhSha512 | Algorithm::MlDsaShake256 => None,
    }
}

/// RSAES-OAEP with this hash, also in its mask generation.
pub(super) fn oaep(encryption: RsaEncryption) -> &'static rsa::OaepAlgorithm {
    match encryption {
        RsaEncryption::OaepSha1 => &rsa::OAEP_SHA1_MGF1SHA1,
        RsaEncryption::OaepSha256 => &rsa::OAEP_SHA256_MGF1SHA256,
    }
}
