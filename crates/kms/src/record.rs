//! What is stored of a key: versioned records that stay readable for ever.
//!
//! A record holds sealed material only; nothing in here can encrypt or decrypt.

use std::collections::BTreeMap;

use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::Record;
use wire::kms::{KeySpec, KeyUsageType};

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
    pub(crate) state: KeyState,
    /// The policy document as it was given, byte for byte.
    pub(crate) policy: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// How many aliases point here; kept in the same commit as the alias.
    pub(crate) aliases: u32,
    /// The material that encrypts: 64 hexadecimal digits.
    pub(crate) current_material: String,
    /// How many materials the key has ever had; the next one gets this number.
    pub(crate) materials: u32,
    /// On-demand rotations so far; they are limited for the key's whole life.
    pub(crate) on_demand_rotations: u32,
    /// Present while automatic rotation is on, also while the key is disabled or pending deletion.
    pub(crate) rotation: Option<RotationSchedule>,
    /// Present while the key is pending deletion.
    pub(crate) deletion: Option<DeletionSchedule>,
}

/// Enumerations of the service model are stored under their names on the wire.
mod name {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("unknown name of an enumeration"))
    }
}

/// The states a key of this version can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion,
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
    const VERSION: u8 = 1;
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
