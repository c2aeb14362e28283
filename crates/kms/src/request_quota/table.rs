//! AWS's request quotas as data: what each one counts, its name as a setting, and its rate.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>

use std::fmt;

use base::Region;
use wire::kms::{DataKeyPairSpec, KeySpec};

/// What one quota counts, for one account in one Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Cryptographic operations with symmetric encryption keys and HMAC keys, and GenerateRandom.
    Symmetric,
    /// Cryptographic operations with RSA keys.
    Rsa,
    /// Cryptographic operations with ML-DSA keys.
    MlDsa,
    /// Cryptographic operations with keys on elliptic curves.
    EllipticCurve,
    /// Data key pairs of one spec, with and without plaintext.
    DataKeyPair(DataKeyPairSpec),
    /// One operation.
    Operation(&'static str),
}

impl Counted {
    /// Where a cryptographic operation counts, by its key. AWS has no quota for ML-KEM.
    pub(super) fn of_key(spec: KeySpec) -> Option<Self> {
        match spec {
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Some(Self::Symmetric),
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => Some(Self::Rsa),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => Some(Self::MlDsa),
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1
            | KeySpec::EccNistEdwards25519
            | KeySpec::Sm2 => Some(Self::EllipticCurve),
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => None,
        }
    }
}

impl fmt::Display for Counted {
    /// The name in Service Quotas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symmetric => f.write_str("Cryptographic operations (symmetric) request rate"),
            Self::Rsa => f.write_str("Cryptographic operations (RSA) request rate"),
            Self::MlDsa => f.write_str("Cryptographic operations (ML-DSA) request rate"),
            Self::EllipticCurve => f.write_str("Cryptographic operations (ECC and SM2) request rate"),
            Self::DataKeyPair(spec) => write!(f, "GenerateDataKeyPair ({spec}) request rate"),
            Self::Operation(name) => write!(f, "{name} request rate"),
        }
    }
}

/// Requests in 1,000 seconds: some of AWS's rates are below one a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate(pub(super) u64);

impl Rate {
    pub(super) const fn per_second(requests: u64) -> Self {
        Self(requests.saturating_mul(1_000))
    }
}

/// AWS's rate of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DefaultRate {
    /// The same in every Region.
    Everywhere(Rate),
    /// That of [`Counted::Symmetric`]: three sizes of Region.
    Symmetric,
    /// Lower in China.
    InChina { elsewhere: Rate, china: Rate },
}

/// A quota of AWS KMS on requests, counted for each account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestQuota {
    pub(super) counts: Counted,
    setting: &'static str,
    default: DefaultRate,
}

impl RequestQuota {
    /// What the quota is called in a configuration.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// AWS's requests per second, where that is a whole number and the same in every Region.
    pub fn default_per_second(&self) -> Option<u64> {
        match self.default {
            DefaultRate::Everywhere(Rate(rate)) => Some(rate / 1_000),
            DefaultRate::Symmetric | DefaultRate::InChina { .. } => None,
        }
    }

    pub(super) fn default_in(&self, region: &Region) -> Rate {
        match self.default {
            DefaultRate::Everywhere(rate) => rate,
            DefaultRate::InChina { china, .. } if region.partition() == "aws-cn" => china,
            DefaultRate::InChina { elsewhere, .. } => elsewhere,
            DefaultRate::Symmetric => Rate::per_second(match region.as_str() {
                "us-east-1" | "us-west-2" | "eu-west-1" => 100_000,
                "us-east-2" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1" | "eu-central-1"
                | "eu-west-2" => 20_000,
                _ => 10_000,
            }),
        }
    }
}

/// The actions that count by their key. ReEncrypt counts by the key that decrypts.
pub(super) const BY_KEY: [&str; 10] = [
    "Decrypt",
    "DeriveSharedSecret",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncryptFrom",
    "Sign",
    "Verify",
    "VerifyMac",
];

const fn everywhere(counts: Counted, setting: &'static str, per_second: u64) -> RequestQuota {
    RequestQuota { counts, setting, default: DefaultRate::Everywhere(Rate::per_second(per_second)) }
}

const fn operation(name: &'static str, setting: &'static str, per_second: u64) -> RequestQuota {
    everywhere(Counted::Operation(name), setting, per_second)
}

const fn pair(spec: DataKeyPairSpec, setting: &'static str, per_second: u64) -> RequestQuota {
    everywhere(Counted::DataKeyPair(spec), setting, per_second)
}

const fn rsa_pair(
    spec: DataKeyPairSpec,
    setting: &'static str,
    per_second: u64,
    china: Rate,
) -> RequestQuota {
    let default = DefaultRate::InChina { elsewhere: Rate::per_second(per_second), china };
    RequestQuota { counts: Counted::DataKeyPair(spec), setting, default }
}

/// AWS's request quotas. Those of custom key stores are left out, for there are none.
pub static REQUEST_QUOTAS: [RequestQuota; 54] = [
    RequestQuota {
        counts: Counted::Symmetric,
        setting: "cryptographic_operations_symmetric",
        default: DefaultRate::Symmetric,
    },
    everywhere(Counted::Rsa, "cryptographic_operations_rsa", 1_000),
    everywhere(Counted::MlDsa, "cryptographic_operations_ml_dsa", 1_000),
    everywhere(Counted::EllipticCurve, "cryptographic_operations_ecc_and_sm2", 1_000),
    pair(DataKeyPairSpec::EccNistP256, "generate_data_key_pair_ecc_nist_p256", 100),
    pair(DataKeyPairSpec::EccNistP384, "generate_data_key_pair_ecc_nist_p384", 100),
    pair(DataKeyPairSpec::EccNistP521, "generate_data_key_pair_ecc_nist_p521", 100),
    pair(DataKeyPairSpec::EccSecgP256k1, "generate_data_key_pair_ecc_secg_p256k1", 100),
    pair(DataKeyPairSpec::EccNistEdwards25519, "generate_data_key_pair_ecc_nist_edwards25519", 100),
    rsa_pair(DataKeyPairSpec::Rsa2048, "generate_data_key_pair_rsa_2048", 20, Rate(1_000)),
    rsa_pair(DataKeyPairSpec::Rsa3072, "generate_data_key_pair_rsa_3072", 4, Rate(500)),
    rsa_pair(DataKeyPairSpec::Rsa4096, "generate_data_key_pair_rsa_4096", 1, Rate(100)),
    pair(DataKeyPairSpec::Sm2, "generate_data_key_pair_sm2", 25),
    operation("CancelKeyDeletion", "cancel_key_deletion", 5),
    operation("ConnectCustomKeyStore", "connect_custom_key_store", 5),
    operation("CreateAlias", "create_alias", 5),
    operation("CreateCustomKeyStore", "create_custom_key_store", 5),
    operation("CreateGrant", "create_grant", 50),
    operation("CreateKey", "create_key", 5),
    operation("DeleteAlias", "delete_alias", 15),
    operation("DeleteCustomKeyStore", "delete_custom_key_store", 5),
    operation("DeleteImportedKeyMaterial", "delete_imported_key_material", 15),
    operation("DescribeCustomKeyStores", "describe_custom_key_stores", 5),
    operation("DescribeKey", "describe_key", 2_000),
    operation("DisableKey", "disable_key", 5),
    operation("DisableKeyRotation", "disable_key_rotation", 5),
    operation("DisconnectCustomKeyStore", "disconnect_custom_key_store", 5),
    operation("EnableKey", "enable_key", 5),
    operation("EnableKeyRotation", "enable_key_rotation", 15),
    operation("GetKeyLastUsage", "get_key_last_usage", 5),
    operation("GetKeyPolicy", "get_key_policy", 1_000),
    operation("GetKeyRotationStatus", "get_key_rotation_status", 1_000),
    operation("GetParametersForImport", "get_parameters_for_import", 1),
    operation("GetPublicKey", "get_public_key", 2_000),
    operation("ImportKeyMaterial", "import_key_material", 15),
    operation("ListAliases", "list_aliases", 500),
    operation("ListGrants", "list_grants", 100),
    operation("ListKeyPolicies", "list_key_policies", 100),
    operation("ListKeyRotations", "list_key_rotations", 100),
    operation("ListKeys", "list_keys", 500),
    operation("ListResourceTags", "list_resource_tags", 2_000),
    operation("ListRetirableGrants", "list_retirable_grants", 100),
    operation("PutKeyPolicy", "put_key_policy", 15),
    operation("ReplicateKey", "replicate_key", 5),
    operation("RetireGrant", "retire_grant", 50),
    operation("RevokeGrant", "revoke_grant", 50),
    operation("RotateKeyOnDemand", "rotate_key_on_demand", 5),
    operation("ScheduleKeyDeletion", "schedule_key_deletion", 15),
    operation("TagResource", "tag_resource", 10),
    operation("UntagResource", "untag_resource", 5),
    operation("UpdateAlias", "update_alias", 5),
    operation("UpdateCustomKeyStore", "update_custom_key_store", 5),
    operation("UpdateKeyDescription", "update_key_description", 5),
    operation("UpdatePrimaryRegion", "update_primary_region", 5),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn named(setting: &str) -> &'static RequestQuota {
        REQUEST_QUOTAS.iter().find(|quota| quota.setting == setting).unwrap()
    }

    #[test]
    fn every_operation_of_the_model_counts_once_where_aws_counts_it() {
        // Without a quota on AWS's page.
        let unlimited = ["Encapsulate", "Decapsulate"];
        let by_request = ["GenerateRandom", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"];
        for name in wire::kms::OPERATION_NAMES {
            let own = REQUEST_QUOTAS.iter().any(|quota| quota.counts == Counted::Operation(name));
            let by_key = BY_KEY.contains(&name) || name == "ReEncrypt";
            let ways = [own, by_key, unlimited.contains(&name), by_request.contains(&name)];
            assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{name}");
        }
    }

    #[test]
    fn settings_are_the_names_of_service_quotas_in_snake_case() {
        let mut seen = HashSet::new();
        for quota in &REQUEST_QUOTAS {
            let name = quota.counts.to_string();
            let words = name.strip_suffix(" request rate").unwrap();
            let (mut snake, mut last) = (String::new(), ' ');
            for character in words.chars() {
                if last.is_ascii_lowercase() && character.is_ascii_uppercase() {
                    snake.push('_');
                }
                match character {
                    ' ' | '-' => snake.push('_'),
                    '(' | ')' => {}
                    other => snake.push(other.to_ascii_lowercase()),
                }
                last = character;
            }
            assert_eq!(quota.setting, snake, "{name}");
            assert!(seen.insert(quota.setting));
        }
    }

    #[test]
    fn rates_differ_by_region_where_aws_says_so() {
        let in_region = |setting: &str, region: &str| named(setting).default_in(&region.parse().unwrap());
        let symmetric = |region| in_region("cryptographic_operations_symmetric", region);
        assert_eq!(symmetric("us-east-1"), Rate::per_second(100_000));
        assert_eq!(symmetric("eu-central-1"), Rate::per_second(20_000));
        assert_eq!(symmetric("eu-north-1"), Rate::per_second(10_000));
        assert_eq!(in_region("generate_data_key_pair_rsa_3072", "cn-north-1"), Rate(500));
        assert_eq!(in_region("generate_data_key_pair_rsa_3072", "eu-central-1"), Rate::per_second(4));
        assert_eq!(in_region("create_key", "cn-north-1"), Rate::per_second(5));
    }
}
