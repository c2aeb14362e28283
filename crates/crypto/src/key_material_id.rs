//! The id of one version of key material.

use std::fmt;
use std::str::FromStr;

use base::KeyId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ciphertext::kind;
use crate::digest::HmacSha256Key;
use crate::hexadecimal;

const LABEL: &[u8] = b"keywright key material id v1";

/// The id of one version of key material: `KeyMaterialId` of the API, 64 lower-case hexadecimal digits as text.
///
/// It is HMAC-SHA-256 under the material over `"keywright key material id v1"`, one byte for the kind of key id and the
/// sixteen bytes of the key id. It tells nothing about the material, is the same for related multi-Region keys, and
/// differs between two KMS keys that hold equal material. Not secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyMaterialId([u8; 32]);

/// The text is not the id of key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of key material is 64 lower-case hexadecimal digits")]
pub struct KeyMaterialIdError;

impl KeyMaterialId {
    /// The id that this secret has as material of this key: 256 bits, an HMAC key, or a private key in the form in which
    /// it is sealed.
    pub fn of(key_id: &KeyId, secret: &[u8]) -> Self {
        let identity = [LABEL, &[kind(key_id)], key_id.bytes()].concat();
        Self(HmacSha256Key::new(secret).sign(&identity))
    }

    /// The id with these bytes, read from a ciphertext or a record.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the id.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyMaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal::write(f, &self.0)
    }
}

impl fmt::Debug for KeyMaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterialId({self})")
    }
}

impl FromStr for KeyMaterialId {
    type Err = KeyMaterialIdError;

    fn from_str(text: &str) -> Result<Self, KeyMaterialIdError> {
        hexadecimal::read(text).map(Self).ok_or(KeyMaterialIdError)
    }
}

impl Serialize for KeyMaterialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyMaterialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_64_lower_case_digits_are_an_id() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(good.parse::<KeyMaterialId>().unwrap().to_string(), good);
        let short = "0".repeat(63);
        for text in ["", &short, &format!("{good}0"), &good.to_uppercase(), &good.replace('0', "g")] {
            assert_eq!(text.parse::<KeyMaterialId>(), Err(KeyMaterialIdError), "{text}");
        }
        let wide = format!("{}é", "0".repeat(62));
        assert_eq!((wide.len(), wide.parse::<KeyMaterialId>()), (64, Err(KeyMaterialIdError)));
    }

    #[test]
    fn equal_material_under_another_key_has_another_id() {
        let (secret, other_secret) = ([7; 32], [8; 32]);
        let id = KeyMaterialId::of(&KeyId::SingleRegion([1; 16]), &secret);
        assert_eq!(id, KeyMaterialId::of(&KeyId::SingleRegion([1; 16]), &secret));
        assert_ne!(id, KeyMaterialId::of(&KeyId::SingleRegion([2; 16]), &secret));
        assert_ne!(id, KeyMaterialId::of(&KeyId::MultiRegion([1; 16]), &secret));
        assert_ne!(id, KeyMaterialId::of(&KeyId::SingleRegion([1; 16]), &other_secret));
    }

    proptest! {
        #[test]
        fn every_id_reads_back_from_text_and_json(bytes: [u8; 32]) {
            let id = KeyMaterialId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<KeyMaterialId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<KeyMaterialId>(&json).unwrap(), id);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<KeyMaterialId>();
        }
    }
}
