//! What kind of key a key spec makes, and which algorithms go with it.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html>

use crypto::{KeyPairSpec, MacAlgorithm, RsaEncryption};
use wire::kms::{
    EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec, GrantOperation, KeyAgreementAlgorithmSpec, KeySpec,
    KeyUsageType, MacAlgorithmSpec, SigningAlgorithmSpec,
};

/// The kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A 256-bit AES key with any number of materials.
    Symmetric,
    /// An HMAC key.
    Mac(MacAlgorithm),
    /// A private and a public key.
    Pair(KeyPairSpec),
}

impl KeyKind {
    /// The kind of a spec; `None` for one that no cryptography here offers.
    pub(crate) fn of(spec: KeySpec) -> Option<Self> {
        Some(match spec {
            KeySpec::SymmetricDefault => Self::Symmetric,
            KeySpec::Hmac224 => Self::Mac(MacAlgorithm::HmacSha224),
            KeySpec::Hmac256 => Self::Mac(MacAlgorithm::HmacSha256),
            KeySpec::Hmac384 => Self::Mac(MacAlgorithm::HmacSha384),
            KeySpec::Hmac512 => Self::Mac(MacAlgorithm::HmacSha512),
            KeySpec::Rsa2048 => Self::Pair(KeyPairSpec::Rsa2048),
            KeySpec::Rsa3072 => Self::Pair(KeyPairSpec::Rsa3072),
            KeySpec::Rsa4096 => Self::Pair(KeyPairSpec::Rsa4096),
            KeySpec::EccNistP256 => Self::Pair(KeyPairSpec::EccNistP256),
            KeySpec::EccNistP384 => Self::Pair(KeyPairSpec::EccNistP384),
            KeySpec::EccNistP521 => Self::Pair(KeyPairSpec::EccNistP521),
            KeySpec::EccSecgP256k1 => Self::Pair(KeyPairSpec::EccSecgP256k1),
            KeySpec::EccNistEdwards25519 => Self::Pair(KeyPairSpec::EccNistEdwards25519),
            KeySpec::MlDsa44 => Self::Pair(KeyPairSpec::MlDsa44),
            KeySpec::MlDsa65 => Self::Pair(KeyPairSpec::MlDsa65),
            KeySpec::MlDsa87 => Self::Pair(KeyPairSpec::MlDsa87),
            KeySpec::MlKem512 => Self::Pair(KeyPairSpec::MlKem512),
            KeySpec::MlKem768 => Self::Pair(KeyPairSpec::MlKem768),
            KeySpec::MlKem1024 => Self::Pair(KeyPairSpec::MlKem1024),
            KeySpec::Sm2 => return None,
        })
    }

    /// Whether material of this kind can come from outside: not that of the post-quantum algorithms.
    pub(crate) fn is_importable(self) -> bool {
        match self {
            Self::Symmetric | Self::Mac(_) => true,
            Self::Pair(spec) => !matches!(
                spec,
                KeyPairSpec::MlDsa44
                    | KeyPairSpec::MlDsa65
                    | KeyPairSpec::MlDsa87
                    | KeyPairSpec::MlKem512
                    | KeyPairSpec::MlKem768
                    | KeyPairSpec::MlKem1024
            ),
        }
    }

    /// Whether two kinds are alike enough that an alias may move from one to the other.
    pub(crate) fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Symmetric, Self::Symmetric)
                | (Self::Mac(_), Self::Mac(_))
                | (Self::Pair(_), Self::Pair(_))
        )
    }
}

/// The usages that a spec admits.
pub(crate) fn usages(spec: KeySpec) -> &'static [KeyUsageType] {
    use KeyUsageType::{EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify};
    match spec {
        KeySpec::SymmetricDefault => &[EncryptDecrypt],
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => &[GenerateVerifyMac],
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => &[EncryptDecrypt, SignVerify],
        KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 => &[SignVerify, KeyAgreement],
        KeySpec::Sm2 => &[EncryptDecrypt, SignVerify, KeyAgreement],
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => &[EncapsulateDecapsulate],
        KeySpec::EccSecgP256k1
        | KeySpec::EccNistEdwards25519
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87 => &[SignVerify],
    }
}

/// The algorithm lists that DescribeKey and GetPublicKey show: one of them, by the key's usage.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Algorithms {
    pub(crate) encryption: Option<Vec<EncryptionAlgorithmSpec>>,
    pub(crate) signing: Option<Vec<SigningAlgorithmSpec>>,
    pub(crate) mac: Option<Vec<MacAlgorithmSpec>>,
    pub(crate) key_agreement: Option<Vec<KeyAgreementAlgorithmSpec>>,
    pub(crate) encapsulation: Option<Vec<EncapsulationAlgorithmSpec>>,
}

/// The algorithms of a key, in AWS's order: clients take the first.
pub(crate) fn algorithms(spec: KeySpec, usage: KeyUsageType) -> Algorithms {
    let none = Algorithms::default();
    match (KeyKind::of(spec), usage) {
        (Some(KeyKind::Symmetric), _) => {
            Algorithms { encryption: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]), ..none }
        }
        (Some(KeyKind::Mac(algorithm)), _) => {
            Algorithms { mac: algorithm.as_str().parse().ok().map(|mac| vec![mac]), ..none }
        }
        (Some(KeyKind::Pair(_)), KeyUsageType::EncryptDecrypt) => Algorithms {
            encryption: Some(vec![
                EncryptionAlgorithmSpec::RsaesOaepSha1,
                EncryptionAlgorithmSpec::RsaesOaepSha256,
            ]),
            ..none
        },
        (Some(KeyKind::Pair(pair)), KeyUsageType::SignVerify) => {
            let names = pair.signing_algorithms().iter().filter_map(|name| name.as_str().parse().ok());
            Algorithms { signing: Some(names.collect()), ..none }
        }
        (Some(KeyKind::Pair(_)), KeyUsageType::KeyAgreement) => {
            Algorithms { key_agreement: Some(vec![KeyAgreementAlgorithmSpec::Ecdh]), ..none }
        }
        (Some(KeyKind::Pair(_)), KeyUsageType::EncapsulateDecapsulate) => {
            Algorithms { encapsulation: Some(vec![EncapsulationAlgorithmSpec::MlKem]), ..none }
        }
        (Some(KeyKind::Pair(_)), KeyUsageType::GenerateVerifyMac) | (None, _) => none,
    }
}

/// The operations that a grant on a key can allow.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations>
pub(crate) fn grant_operations(spec: KeySpec, usage: KeyUsageType) -> &'static [GrantOperation] {
    use GrantOperation::{
        CreateGrant, Decapsulate, Decrypt, DeriveSharedSecret, DescribeKey, Encapsulate, Encrypt,
        GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext,
        GenerateDataKeyWithoutPlaintext, GenerateMac, GetPublicKey, ReEncryptFrom, ReEncryptTo, RetireGrant,
        Sign, Verify, VerifyMac,
    };
    match usage {
        KeyUsageType::EncryptDecrypt if spec == KeySpec::SymmetricDefault => &[
            Encrypt,
            Decrypt,
            ReEncryptFrom,
            ReEncryptTo,
            GenerateDataKey,
            GenerateDataKeyWithoutPlaintext,
            GenerateDataKeyPair,
            GenerateDataKeyPairWithoutPlaintext,
            DescribeKey,
            CreateGrant,
            RetireGrant,
        ],
        KeyUsageType::EncryptDecrypt => &[
            Encrypt,
            Decrypt,
            ReEncryptFrom,
            ReEncryptTo,
            GetPublicKey,
            DescribeKey,
            CreateGrant,
            RetireGrant,
        ],
        KeyUsageType::SignVerify => &[Sign, Verify, GetPublicKey, DescribeKey, CreateGrant, RetireGrant],
        KeyUsageType::GenerateVerifyMac => &[GenerateMac, VerifyMac, DescribeKey, CreateGrant, RetireGrant],
        KeyUsageType::KeyAgreement => {
            &[DeriveSharedSecret, GetPublicKey, DescribeKey, CreateGrant, RetireGrant]
        }
        KeyUsageType::EncapsulateDecapsulate => {
            &[Encapsulate, Decapsulate, GetPublicKey, DescribeKey, CreateGrant, RetireGrant]
        }
    }
}

/// The RSA encryption of an algorithm, if it is one.
pub(crate) fn rsa_encryption(algorithm: EncryptionAlgorithmSpec) -> Option<RsaEncryption> {
    match algorithm {
        EncryptionAlgorithmSpec::RsaesOaepSha1 => Some(RsaEncryption::OaepSha1),
        EncryptionAlgorithmSpec::RsaesOaepSha256 => Some(RsaEncryption::OaepSha256),
        EncryptionAlgorithmSpec::SymmetricDefault | EncryptionAlgorithmSpec::Sm2pke => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_but_sm2_has_a_kind() {
        for spec in KeySpec::ALL {
            assert_eq!(KeyKind::of(spec).is_none(), spec == KeySpec::Sm2, "{spec}");
        }
    }

    #[test]
    fn algorithm_lists_are_those_that_aws_prints() {
        let signing = |spec| algorithms(spec, KeyUsageType::SignVerify).signing.unwrap();
        let names: Vec<_> = signing(KeySpec::Rsa2048).iter().map(|algorithm| algorithm.as_str()).collect();
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
        assert_eq!(signing(KeySpec::EccNistP384), [SigningAlgorithmSpec::EcdsaSha384]);
        let mac = algorithms(KeySpec::Hmac512, KeyUsageType::GenerateVerifyMac);
        assert_eq!(mac.mac, Some(vec![MacAlgorithmSpec::HmacSha512]));
    }
}
