//! What stands in a root file: JSON, version 1. Every later release reads it.

use base::{SecretArray, SecretBytes};
use base64_simd::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::passphrase::Derivation;
use crate::base64_text;
use crate::digest::{constant_time_equal, sha256};
use crate::seal::Sealed;

const VERSION: u32 = 1;
const NOTICE: &str = "Not protected: whoever reads this file can open every key. For development only.";

/// More than a root file ever has, so that the buffer does not grow and leave copies behind.
const ROOM: usize = 4096;

/// How the root key is kept in the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Kept {
    Plain { notice: String, root_key: PlainKey },
    Passphrase { argon2id: Derivation, sealed_root_key: Sealed },
}

/// The root key as base64 text: the one secret here that can be written, and only into a root file.
pub(super) struct PlainKey(SecretArray<32>);

/// Why bytes are not a root file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotReadable {
    Newer(u32),
    Damaged,
}

/// The checksum (SHA-256 of `kept` as compact JSON) tells a damaged file from a wrong passphrase. Whoever can change
/// the file can also change the checksum: against them only the seal under the passphrase protects.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<K> {
    version: u32,
    kept: K,
    #[serde(with = "base64_text")]
    checksum: Vec<u8>,
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Kept {
    /// Keeps a copy of the root key as it is.
    pub(super) fn plain(secret: &SecretArray<32>) -> Self {
        let mut copy = SecretArray::zeroed();
        copy.expose_mut().copy_from_slice(secret.expose());
        Self::Plain { notice: NOTICE.into(), root_key: PlainKey(copy) }
    }

    fn is_within_bounds(&self) -> bool {
        match self {
            Self::Plain { .. } => true,
            Self::Passphrase { argon2id, .. } => argon2id.is_within_bounds(),
        }
    }
}

impl PlainKey {
    pub(super) fn secret(&self) -> &SecretArray<32> {
        &self.0
    }
}

/// Reads a root file. The reason why JSON does not fit is dropped: it may quote a secret.
pub(super) fn read(bytes: &[u8]) -> Result<Kept, NotReadable> {
    let Versioned { version } = serde_json::from_slice(bytes).map_err(|_| NotReadable::Damaged)?;
    if version > VERSION {
        return Err(NotReadable::Newer(version));
    }
    let document: Document<Kept> = serde_json::from_slice(bytes).map_err(|_| NotReadable::Damaged)?;
    let expected = checksum(&document.kept).map_err(|_| NotReadable::Damaged)?;
    let whole = version == VERSION
        && constant_time_equal(&document.checksum, &expected)
        && document.kept.is_within_bounds();
    if whole { Ok(document.kept) } else { Err(NotReadable::Damaged) }
}

/// Writes a root file.
pub(super) fn write(kept: &Kept) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let document = Document { version: VERSION, kept, checksum: checksum(kept)?.to_vec() };
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer_pretty(&mut *bytes, &document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn checksum(kept: &Kept) -> Result<[u8; 32], serde_json::Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *bytes, kept)?;
    Ok(sha256(&bytes))
}

impl Serialize for PlainKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(STANDARD.encode_to_string(self.0.expose()));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for PlainKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = SecretBytes::new(base64_text::deserialize(deserializer)?);
        let secret = SecretArray::copy_from(bytes.expose());
        secret.map(Self).ok_or_else(|| D::Error::custom("a root key has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn plain() -> Vec<u8> {
        write(&Kept::plain(&SecretArray::copy_from(&[9; 32]).unwrap())).unwrap().to_vec()
    }

    /// A document with these contents and the checksum that belongs to them.
    fn document(kept: &str) -> Vec<u8> {
        let checksum = STANDARD.encode_to_string(sha256(kept.as_bytes()));
        format!(r#"{{"version":1,"kept":{kept},"checksum":"{checksum}"}}"#).into_bytes()
    }

    fn sealed_with(memory_kib: u32) -> String {
        let sealed = STANDARD.encode_to_string([1; 77]);
        let salt = STANDARD.encode_to_string([1; 16]);
        format!(
            r#"{{"passphrase":{{"argon2id":{{"memory_kib":{memory_kib},"passes":3,"lanes":1,"salt":"{salt}"}},"sealed_root_key":"{sealed}"}}}}"#
        )
    }

    #[test]
    fn what_is_written_reads_back() {
        let Ok(Kept::Plain { root_key, notice }) = read(&plain()) else { panic!("not a plain root") };
        assert_eq!((root_key.secret().expose(), notice.as_str()), (&[9; 32], NOTICE));
    }

    #[test]
    fn a_file_cannot_demand_all_memory() {
        assert!(matches!(read(&document(&sealed_with(65_536))), Ok(Kept::Passphrase { .. })));
        for memory_kib in [0, 1_048_577, u32::MAX] {
            assert_eq!(read(&document(&sealed_with(memory_kib))).err(), Some(NotReadable::Damaged));
        }
    }

    #[test]
    fn a_newer_version_is_named_whatever_else_it_holds() {
        assert_eq!(read(br#"{"version":2,"something":[]}"#).err(), Some(NotReadable::Newer(2)));
        assert_eq!(read(br#"{"version":0}"#).err(), Some(NotReadable::Damaged));
    }

    #[test]
    fn every_changed_value_is_damage() {
        let good: Value = serde_json::from_slice(&plain()).unwrap();
        let other_key = STANDARD.encode_to_string([8; 32]);
        for (at, value) in [
            ("/version", json!(0)),
            ("/checksum", json!("")),
            ("/kept/plain/root_key", json!(other_key)),
            ("/kept/plain/root_key", json!("AAAA")),
            ("/kept/plain/notice", json!("harmless")),
            ("/kept/plain", json!({})),
            ("/kept", json!("plain")),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(at).unwrap() = value;
            assert_eq!(
                read(&serde_json::to_vec(&changed).unwrap()).err(),
                Some(NotReadable::Damaged),
                "{at}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).is_err());
        }

        #[test]
        fn no_truncation_is_read(cut in 0..1_000_usize) {
            let whole = plain();
            let end = whole.trim_ascii_end().len();
            prop_assert!(read(&whole[..cut.min(end - 1)]).is_err());
        }
    }
}
