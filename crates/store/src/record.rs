//! The form of a stored record: one version byte, then JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Entry, StoreError};

/// Something that a room stores: a version byte and JSON. Old versions stay readable for ever.
pub trait Record: Serialize + DeserializeOwned {
    /// What an error message calls it, such as `"a KMS key"`.
    const KIND: &'static str;

    /// The version that this program writes. Raise it when a reader of the old form would misread the new one.
    const VERSION: u8;

    /// Reads the JSON of a version before [`Self::VERSION`]; `None` if it cannot be read.
    fn decode_older(version: u8, bytes: &[u8]) -> Option<Self> {
        let _ = (version, bytes);
        None
    }
}

/// The bytes to store for `record`.
///
/// # Errors
/// [`StoreError::Encoding`] if the record does not have a form in JSON.
pub fn encode_record<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![R::VERSION];
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::Encoding { kind: R::KIND, reason: error.to_string() })?;
    Ok(bytes)
}

/// The record in `entry`.
///
/// # Errors
/// [`StoreError::Newer`] if a newer release wrote it, [`StoreError::Damaged`] if it cannot be read.
pub fn decode_record<R: Record>(entry: &Entry) -> Result<R, StoreError> {
    let damaged = |reason: String| StoreError::damaged(entry.key.as_str(), format!("{}: {reason}", R::KIND));
    let Some((&version, json)) = entry.value.split_first() else {
        return Err(damaged("the value is empty".to_owned()));
    };
    if version > R::VERSION {
        let place = entry.key.to_string();
        return Err(StoreError::Newer { kind: R::KIND, place, found: version, supported: R::VERSION });
    }
    if version < R::VERSION {
        return R::decode_older(version, json)
            .ok_or_else(|| damaged(format!("format version {version} cannot be read")));
    }
    // The parser's own text can quote the value: only the place is said.
    serde_json::from_slice(json).map_err(|error| {
        damaged(format!("not the JSON of format version {version} (column {})", error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Revision};
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        count: u64,
    }

    impl Record for Sample {
        const KIND: &'static str = "a sample";
        const VERSION: u8 = 3;

        fn decode_older(version: u8, bytes: &[u8]) -> Option<Self> {
            // Version 2 was the bare name.
            (version == 2)
                .then(|| serde_json::from_slice(bytes).ok())
                .flatten()
                .map(|name| Self { name, count: 0 })
        }
    }

    fn entry(value: &[u8]) -> Entry {
        Entry {
            key: Key::new("samples/a").unwrap(),
            revision: Revision::from_engine(1),
            value: value.to_vec(),
        }
    }

    #[test]
    fn the_bytes_are_a_version_and_json() {
        let bytes = encode_record(&Sample { name: "a".to_owned(), count: 2 }).unwrap();
        assert_eq!(bytes, b"\x03{\"name\":\"a\",\"count\":2}");
    }

    #[test]
    fn an_older_version_is_read_by_its_own_reader() {
        assert_eq!(decode_record::<Sample>(&entry(b"\x02\"old\"")).unwrap().name, "old");
        let unreadable = decode_record::<Sample>(&entry(b"\x01\"old\"")).unwrap_err();
        assert!(matches!(unreadable, StoreError::Damaged { place, .. } if place == "samples/a"));
    }

    #[test]
    fn a_newer_version_is_named_and_blamed_on_a_newer_release() {
        let error = decode_record::<Sample>(&entry(b"\x04{}")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("version 4") && text.contains("newer Keywright"), "{text}");
    }

    #[test]
    fn damage_names_the_place_and_not_the_value() {
        for value in [&b""[..], b"\x03", b"\x03{\"name\":\"sealed\"", b"\x03\"sealed\""] {
            let text = decode_record::<Sample>(&entry(value)).unwrap_err().to_string();
            assert!(text.contains("samples/a") && !text.contains("sealed"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn records_read_back(name in any::<String>(), count in any::<u64>()) {
            let record = Sample { name, count };
            let bytes = encode_record(&record).unwrap();
            prop_assert_eq!(decode_record::<Sample>(&entry(&bytes)).unwrap(), record);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode_record::<Sample>(&entry(&bytes));
        }
    }
}
