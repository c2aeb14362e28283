//! What is stored of a key: versioned records that stay readable for ever.
//!
//! A record holds sealed material only; nothing in here can encrypt or decrypt.

use std::collections::BTreeMap;

use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::Record;
use wire::kms::{KeyLastUsageTrackingOperation, KeySpec, KeyUsageType, OriginType};

use crate::managed_key::ManagedService;
use crate::multi_region::MultiRegion;
use crate::principal::UniqueIds;

/// Metadata, policy and tags of one KMS key. One record, so that each operation is one compare-and-swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    pub(crate) description: String,
    #[serde(with = "name")]
    pub(crate) spec: KeySpec,
    #[serde(with = "name")]
    pub(crate) usage: KeyUsageType,
    /// Who makes the material. Fixed for the key's life.
    #[serde(with = "name", default = "made_here")]
    pub(crate) origin: OriginType,
    pub(crate) state: KeyState,
    /// The policy document as it was given, byte for byte.
    pub(crate) policy: String,
    /// The unique ids of the users and roles that the policy names, by the ARNs under which it does.
    #[serde(default, skip_serializing_if = "UniqueIds::is_empty")]
    pub(crate) policy_principals: UniqueIds,
    pub(crate) tags: BTreeMap<String, String>,
    /// How many aliases point here; kept in the same commit as the alias.
    pub(crate) aliases: u32,
    /// How many grants the key has; kept in the same commit as the grant.
    #[serde(default)]
    pub(crate) grants: u32,
    /// The material that encrypts: 64 hexadecimal digits. Absent until material was imported for the first time.
    pub(crate) current_material: Option<String>,
    /// How many materials have ever been current; the next one gets this number.
    pub(crate) materials: u32,
    /// The materials that came from outside, in the order of their first import: at most one for each rotation and
    /// one that waits. Their ids stay when they expire or are deleted.
    #[serde(default)]
    pub(crate) imported: Vec<ImportedMaterial>,
    /// The imported material that the next rotation on demand makes current.
    #[serde(default)]
    pub(crate) pending_material: Option<String>,
    /// The oldest materials, below this number, are not kept any more.
    #[serde(default)]
    pub(crate) retired: u32,
    /// On-demand rotations so far; they are limited for the key's whole life.
    pub(crate) on_demand_rotations: u32,
    /// Present while automatic rotation is on, also while the key is disabled or pending deletion.
    pub(crate) rotation: Option<RotationSchedule>,
    /// Present while the key is pending deletion.
    pub(crate) deletion: Option<DeletionSchedule>,
    /// Present while the key is pending replica deletion: the days of the window that begins when the last replica is
    /// gone.
    #[serde(default)]
    pub(crate) window_after_replicas: Option<u32>,
    /// The service whose AWS managed key this is; absent on customer managed keys.
    #[serde(default)]
    pub(crate) managed_by: Option<ManagedService>,
    /// Present on multi-Region keys.
    #[serde(default)]
    pub(crate) multi_region: Option<MultiRegion>,
}

/// Enumerations of the service model are stored under their names on the wire.
pub(crate) mod name {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("unknown name of an enumeration"))
    }
}

/// The origin of keys from before there was a choice.
fn made_here() -> OriginType {
    OriginType::AwsKms
}

/// One imported material, without the material itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportedMaterial {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    /// False once it has expired or was deleted, until it is imported again.
    pub(crate) present: bool,
    /// When it expires, in milliseconds since the epoch; absent if it does not.
    pub(crate) valid_to: Option<i64>,
    /// SubjectPublicKeyInfo in base64, of key pairs: it can be asked for while the material is not here.
    pub(crate) public_key: Option<String>,
}

/// The states a key of this version can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion,
    PendingReplicaDeletion,
    PendingImport,
}

impl KeyState {
    /// Whether the key waits for its deletion, be it for the end of its own window or for its replicas.
    pub(crate) fn is_pending_deletion(self) -> bool {
        matches!(self, Self::PendingDeletion | Self::PendingReplicaDeletion)
    }
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotationSchedule {
    pub(crate) period_days: u32,
    /// Milliseconds since the epoch. In the past: the rotation was missed and is owed.
    pub(crate) next_at: i64,
}

/// A deletion that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletionSchedule {
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
}

impl Record for KeyRecord {
    const KIND: &'static str = "kms key";
    /// 2: imported material, multi-Region keys, AWS managed keys. A reader of 1 would take such a key for an ordinary one.
    const VERSION: u8 = 2;

    fn decode_older(version: u8, bytes: &[u8]) -> Option<Self> {
        // Members that version 1 lacks have defaults.
        (version == 1).then(|| serde_json::from_slice(bytes).ok()).flatten()
    }
}

/// One key material, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    pub(crate) sealed: SealedUnderDomain,
}

impl Record for MaterialRecord {
    const KIND: &'static str = "kms key material";
    const VERSION: u8 = 1;
}

/// How a material became the current one; listed by number, without the material itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotationRecord {
    pub(crate) material: String,
    /// Absent for the material that the key was created with.
    pub(crate) rotated: Option<Rotated>,
}

/// When and why a rotation happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotated {
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) kind: RotationKind,
}

/// Why a rotation happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RotationKind {
    #[serde(rename = "AUTOMATIC")]
    Automatic,
    #[serde(rename = "ON_DEMAND")]
    OnDemand,
}

impl Record for RotationRecord {
    const KIND: &'static str = "kms key rotation";
    const VERSION: u8 = 1;
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    /// The key id it points to.
    pub(crate) target: String,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// Milliseconds since the epoch.
    pub(crate) updated_at: i64,
}

impl Record for AliasRecord {
    const KIND: &'static str = "kms alias";
    const VERSION: u8 = 1;
}

/// A number of keys; one of several shards that add up to the keys of an account and Region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyCountRecord {
    pub(crate) keys: u64,
}

impl Record for KeyCountRecord {
    const KIND: &'static str = "kms key count";
    const VERSION: u8 = 1;
}

/// The last use of a key, beside the key, so that noting it changes nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyUsageRecord {
    #[serde(with = "name")]
    pub(crate) operation: KeyLastUsageTrackingOperation,
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) request_id: String,
    /// Absent in records of before there were such events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<String>,
}

impl Record for KeyUsageRecord {
    const KIND: &'static str = "kms key usage";
    const VERSION: u8 = 1;
}

/// When this store began to record the uses of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageTrackingRecord {
    /// Milliseconds since the epoch.
    pub(crate) since: i64,
}

impl Record for UsageTrackingRecord {
    const KIND: &'static str = "kms usage tracking";
    const VERSION: u8 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first version wrote it.
    const VERSION_1: &str = r#"{"created_at":1700000000000,"description":"d","spec":"SYMMETRIC_DEFAULT",
        "usage":"ENCRYPT_DECRYPT","state":"Disabled","policy":"{}","tags":{"a":"b"},"aliases":1,
        "current_material":"00ff","materials":2,"on_demand_rotations":1,
        "rotation":{"period_days":365,"next_at":1731536000000},"deletion":null}"#;

    #[test]
    fn a_key_of_the_first_version_is_read_as_what_it_was() {
        let record = KeyRecord::decode_older(1, VERSION_1.as_bytes()).unwrap();
        assert_eq!((record.origin, record.state), (OriginType::AwsKms, KeyState::Disabled));
        assert_eq!((record.current_material.as_deref(), record.materials), (Some("00ff"), 2));
        assert!(record.imported.is_empty() && record.pending_material.is_none());
        assert_eq!((record.multi_region, record.window_after_replicas), (None, None));
        assert_eq!(KeyRecord::decode_older(0, VERSION_1.as_bytes()), None);
    }

    #[test]
    fn a_use_of_before_there_were_events_is_read_and_a_newer_one_keeps_its_own() {
        let noted = r#"{"operation":"Encrypt","at":1700000000000,"request_id":"r"}"#;
        let older: KeyUsageRecord = serde_json::from_str(noted).unwrap();
        assert_eq!((older.at, older.request_id.as_str(), &older.event_id), (1_700_000_000_000, "r", &None));
        assert_eq!(serde_json::to_string(&older).unwrap(), noted);
        let newer = KeyUsageRecord { event_id: Some("e".to_owned()), ..older };
        let read: KeyUsageRecord = serde_json::from_str(&serde_json::to_string(&newer).unwrap()).unwrap();
        assert_eq!(read, newer);
    }
}
