//! Regions and the partition they lie in.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Longest Region name that the KMS model admits (`RegionType`).
const LENGTH_MAX: usize = 32;

/// A Region name such as `eu-central-1`. Small enough to copy; a request never allocates for it.
#[derive(Clone, Copy)]
pub struct Region {
    length: u8,
    bytes: [u8; LENGTH_MAX],
}

/// The text does not have the form of a Region name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a Region name looks like eu-central-1: two or three lower-case words and a number, joined by dashes"
)]
pub struct RegionError;

impl Region {
    /// The name, for example `eu-central-1`.
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The partition that ARNs of this Region carry: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        let name = self.as_str();
        if name.starts_with("cn-") {
            "aws-cn"
        } else if name.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl FromStr for Region {
    type Err = RegionError;

    /// Accepts the model's pattern `^([a-z]+-){2,3}\d+$`, at most 32 characters.
    fn from_str(text: &str) -> Result<Self, RegionError> {
        let mut words = text.rsplit('-');
        let number = words.next().unwrap_or_default();
        let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let lower = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let count = words.clone().count();
        if !numbered || !(2..=3).contains(&count) || !words.all(lower) {
            return Err(RegionError);
        }
        let length = u8::try_from(text.len()).map_err(|_| RegionError)?;
        let mut bytes = [0; LENGTH_MAX];
        bytes.get_mut(..text.len()).ok_or(RegionError)?.copy_from_slice(text.as_bytes());
        Ok(Self { length, bytes })
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Region {}

impl PartialOrd for Region {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Region {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_names_read_back_and_know_their_partition() {
        for (name, partition) in [
            ("us-east-1", "aws"),
            ("ap-southeast-12", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
        ] {
            let region: Region = name.parse().unwrap();
            assert_eq!(region.to_string(), name);
            assert_eq!(region.partition(), partition);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let long = format!("eu-{}-1", "c".repeat(40));
        for name in
            ["", "-", "eu", "eu-central", "eu-central-", "EU-central-1", "eu--1", "a-b-c-d-1", "eu-1", &long]
        {
            assert!(name.parse::<Region>().is_err(), "{name}");
        }
    }
}
