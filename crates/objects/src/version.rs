//! Versions of objects, and how they are named.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>

use std::fmt;
use std::str::FromStr;

use base::Timestamp;
use serde::{Deserialize, Serialize};
use store::Record;

use crate::error::ObjectsError;
use crate::record::ObjectRecord;
use crate::request::Query;

/// The name of the version that has no id of its own.
pub(crate) const NULL: &str = "null";
/// Of an id: the ordinal in hexadecimal, before the own id of the version.
const ORDINAL_DIGITS: usize = 16;
const ID_DIGITS: usize = ORDINAL_DIGITS + 32;

/// Whether a bucket keeps versions. A bucket that never did has none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Versioning {
    /// What is replaced or deleted stays.
    Enabled,
    /// What has an id stays; what is written or deleted now replaces the version without one.
    Suspended,
}

/// Which of the versions of its key something is. What was written before its bucket kept versions is the first one, and
/// has no id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Later versions have higher ones.
    pub(crate) ordinal: u64,
    pub(crate) has_id: bool,
}

/// How a request names a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionId {
    /// The one without an id.
    Null,
    /// The one with these.
    Own {
        /// Its place among the versions of its key.
        ordinal: u64,
        /// The own id of the version.
        version: String,
    },
}

/// The text names no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidVersionId;

/// What a deletion leaves where versions are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteMarker {
    /// The own id of this version: 32 hexadecimal digits.
    pub(crate) version: String,
    pub(crate) standing: Standing,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
}

/// A version that is not the object that is there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VersionRecord {
    /// It was there.
    Object(Box<ObjectRecord>),
    /// A deletion.
    DeleteMarker(DeleteMarker),
}

impl Record for VersionRecord {
    const KIND: &'static str = "a version";
    const VERSION: u8 = 1;
}

/// What is known of a key whose bucket keeps versions. Whoever changes what lies under the key changes this as well, so that
/// one change follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    /// The ordinal of the next version.
    pub(crate) next: u64,
    /// Where the version without an id is, if that is not the object that is there now.
    pub(crate) null: Option<u64>,
}

impl Record for History {
    const KIND: &'static str = "the history of a key";
    const VERSION: u8 = 1;
}

impl Default for History {
    fn default() -> Self {
        Self { next: 1, null: None }
    }
}

impl VersionRecord {
    pub(crate) fn standing(&self) -> Standing {
        match self {
            Self::Object(record) => record.standing,
            Self::DeleteMarker(marker) => marker.standing,
        }
    }

    /// 32 hexadecimal digits that no other version has.
    pub(crate) fn own_id(&self) -> &str {
        match self {
            Self::Object(record) => &record.version,
            Self::DeleteMarker(marker) => &marker.version,
        }
    }

    /// Whether this id is its own.
    pub(crate) fn is(&self, id: &VersionId) -> bool {
        match self {
            Self::Object(record) => record.is(id),
            Self::DeleteMarker(marker) => id.is(marker.standing, &marker.version),
        }
    }
}

impl Standing {
    /// The id of a version as requests name it.
    pub(crate) fn id(self, version: &str) -> String {
        if self.has_id { format!("{:016x}{version}", self.ordinal) } else { NULL.to_owned() }
    }
}

impl DeleteMarker {
    pub(crate) fn id(&self) -> String {
        self.standing.id(&self.version)
    }

    pub(crate) fn modified(&self) -> Timestamp {
        Timestamp::from_millis(self.modified)
    }
}

impl VersionId {
    /// The version that a query names, if it does.
    ///
    /// # Errors
    /// No version has such a name.
    pub(crate) fn of_query(query: &Query) -> Result<Option<Self>, ObjectsError> {
        query.get("versionId").map(Self::read).transpose()
    }

    /// # Errors
    /// No version has such a name.
    pub(crate) fn read(text: &str) -> Result<Self, ObjectsError> {
        let fault = match text {
            "" => "Version id cannot be the empty string",
            _ => "Invalid version id specified",
        };
        text.parse().map_err(|_| ObjectsError::invalid_argument(fault, "versionId", text))
    }

    /// Whether a version of its key is meant.
    pub(crate) fn is(&self, standing: Standing, own: &str) -> bool {
        match self {
            Self::Null => !standing.has_id,
            Self::Own { ordinal, version } => {
                standing.has_id && standing.ordinal == *ordinal && own == version
            }
        }
    }
}

impl FromStr for VersionId {
    type Err = InvalidVersionId;

    fn from_str(text: &str) -> Result<Self, InvalidVersionId> {
        if text == NULL {
            return Ok(Self::Null);
        }
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != ID_DIGITS || !text.bytes().all(is_digit) {
            return Err(InvalidVersionId);
        }
        let (ordinal, version) = text.split_at_checked(ORDINAL_DIGITS).ok_or(InvalidVersionId)?;
        let ordinal = u64::from_str_radix(ordinal, 16).map_err(|_| InvalidVersionId)?;
        Ok(Self::Own { ordinal, version: version.to_owned() })
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str(NULL),
            Self::Own { ordinal, version } => write!(f, "{ordinal:016x}{version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_names_the_version_that_it_was_made_of(ordinal in any::<u64>(), own in any::<u128>()) {
            let (own, standing) = (format!("{own:032x}"), Standing { ordinal, has_id: true });
            let id: VersionId = standing.id(&own).parse().unwrap();
            prop_assert!(id.is(standing, &own));
            prop_assert_eq!(id.to_string(), standing.id(&own));
            for other in [
                Standing { ordinal: ordinal ^ 1, has_id: true },
                Standing { ordinal, has_id: false },
            ] {
                prop_assert!(!id.is(other, &own), "{other:?}");
            }
            prop_assert!(!VersionId::Null.is(standing, &own));
        }

        #[test]
        fn no_text_is_more_than_refused(text in ".*") {
            if let Ok(id) = text.parse::<VersionId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn the_version_without_an_id_is_called_null() {
        assert_eq!(Standing::default().id("x"), "null");
        assert!("null".parse::<VersionId>().unwrap().is(Standing::default(), "x"));
        for bad in ["", "NULL", "3", &"0".repeat(47), &"0".repeat(49), &"F".repeat(48)] {
            assert_eq!(bad.parse::<VersionId>(), Err(InvalidVersionId), "{bad}");
        }
    }
}
