//! The seed file of local-kms, in the three forms that it has had: keys grouped by kind, a plain list, and version 2.
//!
//! <https://github.com/nsmithuk/local-kms#seeding-file-format>

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LocalKmsSeed {
    #[serde(rename = "Version")]
    _version: Option<u32>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) keys: LocalKmsKeys,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) aliases: Vec<LocalKmsAlias>,
}

/// Keys with the kind that their group has; a listed key tells its kind itself.
#[derive(Default)]
pub(super) struct LocalKmsKeys(pub(super) Vec<(KeyKind, LocalKmsKey)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Aes,
    Ecc,
    Hmac,
    Listed,
    Rsa,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LocalKmsKey {
    pub(super) key_id: Option<String>,
    /// `KeyId`, `Description`, `KeySpec`, `KeyUsage`, `Origin` and others.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) metadata: BTreeMap<String, Option<String>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) backing_keys: Vec<String>,
    pub(super) private_key_pem: Option<String>,
    pub(super) material: Option<LocalKmsMaterial>,
    pub(super) next_key_rotation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LocalKmsMaterial {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) backing_keys: Vec<String>,
    pub(super) private_key_pem: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LocalKmsAlias {
    pub(super) alias_name: String,
    pub(super) target_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Grouped {
    #[serde(default, deserialize_with = "or_empty")]
    symmetric: Symmetric,
    #[serde(default, deserialize_with = "or_empty")]
    asymmetric: Asymmetric,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Symmetric {
    #[serde(default, deserialize_with = "or_empty")]
    aes: Vec<LocalKmsKey>,
    #[serde(default, deserialize_with = "or_empty")]
    hmac: Vec<LocalKmsKey>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Asymmetric {
    #[serde(default, deserialize_with = "or_empty")]
    rsa: Vec<LocalKmsKey>,
    #[serde(default, deserialize_with = "or_empty")]
    ecc: Vec<LocalKmsKey>,
}

/// A name without a value is as good as none.
fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl From<Grouped> for LocalKmsKeys {
    fn from(grouped: Grouped) -> Self {
        let of_kind = |kind, keys: Vec<LocalKmsKey>| keys.into_iter().map(move |key| (kind, key));
        let symmetric = of_kind(KeyKind::Aes, grouped.symmetric.aes)
            .chain(of_kind(KeyKind::Hmac, grouped.symmetric.hmac));
        let asymmetric = of_kind(KeyKind::Rsa, grouped.asymmetric.rsa)
            .chain(of_kind(KeyKind::Ecc, grouped.asymmetric.ecc));
        Self(symmetric.chain(asymmetric).collect())
    }
}

impl<'de> Deserialize<'de> for LocalKmsKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = LocalKmsKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys, or keys under Symmetric and Asymmetric")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LocalKmsKeys, A::Error> {
        Grouped::deserialize(MapAccessDeserializer::new(map)).map(LocalKmsKeys::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<LocalKmsKeys, A::Error> {
        let keys = Vec::<LocalKmsKey>::deserialize(SeqAccessDeserializer::new(sequence))?;
        Ok(LocalKmsKeys(keys.into_iter().map(|key| (KeyKind::Listed, key)).collect()))
    }
}
