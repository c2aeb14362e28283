//! KMS key ids and key ARNs.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, Arn, Region};

/// The id of a KMS key: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-id>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyId {
    /// A key that exists in one Region.
    SingleRegion([u8; 16]),
    /// A key that may have related keys with the same id in other Regions.
    MultiRegion([u8; 16]),
}

/// The text is not a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is a UUID in lower case with dashes, or mrk- and 32 lower-case hexadecimal digits")]
pub struct KeyIdError;

impl KeyId {
    /// A version 4 UUID made of random bytes.
    pub fn single_region(random: [u8; 16]) -> Self {
        Self::SingleRegion(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }

    /// A multi-Region id made of random bytes.
    pub fn multi_region(random: [u8; 16]) -> Self {
        Self::MultiRegion(random)
    }

    /// The sixteen bytes of the id, without its kind.
    pub fn bytes(&self) -> &[u8; 16] {
        match self {
            Self::SingleRegion(bytes) | Self::MultiRegion(bytes) => bytes,
        }
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let lower =
            text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if let Some(digits) = text.strip_prefix("mrk-") {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            let parsed = uuid::Uuid::try_parse(digits).map_err(|_| KeyIdError)?;
            return if plain { Ok(Self::MultiRegion(parsed.into_bytes())) } else { Err(KeyIdError) };
        }
        // `try_parse` also takes braces, urn: and plain hexadecimal forms; a key id is only the dashed one.
        if text.len() != 36 || !lower {
            return Err(KeyIdError);
        }
        uuid::Uuid::try_parse(text).map(|id| Self::SingleRegion(id.into_bytes())).map_err(|_| KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleRegion(bytes) => {
                let mut text = uuid::Uuid::encode_buffer();
                f.write_str(uuid::Uuid::from_bytes_ref(bytes).hyphenated().encode_lower(&mut text))
            }
            Self::MultiRegion(bytes) => write!(f, "mrk-{}", uuid::Uuid::from_bytes_ref(bytes).simple()),
        }
    }
}

/// Where a key lives: `arn:<partition>:kms:<region>:<account>:key/<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn {
    /// The account that owns the key.
    pub account: AccountId,
    /// The Region of the key.
    pub region: Region,
    /// The key's id.
    pub id: KeyId,
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Several times in a request, so no format string is read.
        f.write_str("arn:")?;
        f.write_str(self.region.partition())?;
        f.write_str(":kms:")?;
        f.write_str(self.region.as_str())?;
        f.write_str(":")?;
        fmt::Display::fmt(&self.account, f)?;
        f.write_str(":key/")?;
        fmt::Display::fmt(&self.id, f)
    }
}

/// The text is no key ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key ARN looks like arn:aws:kms:<region>:<account>:key/<key id>")]
pub struct KeyArnError;

impl FromStr for KeyArn {
    type Err = KeyArnError;

    fn from_str(text: &str) -> Result<Self, KeyArnError> {
        let arn = Arn::parse(text).map_err(|_| KeyArnError)?;
        let region: Region = arn.region.parse().map_err(|_| KeyArnError)?;
        let account = arn.account.parse().map_err(|_| KeyArnError)?;
        let id = arn.resource.strip_prefix("key/").and_then(|id| id.parse().ok()).ok_or(KeyArnError)?;
        let is_of_kms = (arn.service, arn.partition) == ("kms", region.partition());
        if is_of_kms { Ok(Self { account, region, id }) } else { Err(KeyArnError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_forms_are_read() {
        let id: KeyId = "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap();
        assert!(matches!(id, KeyId::SingleRegion(_)));
        let id: KeyId = "mrk-1234abcd12ab34cd56ef1234567890ab".parse().unwrap();
        assert!(matches!(id, KeyId::MultiRegion(_)));
    }

    #[test]
    fn key_arns_are_read_as_they_are_written() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        for text in [
            format!("arn:aws:kms:eu-central-1:123456789012:key/{id}"),
            format!("arn:aws-cn:kms:cn-north-1:123456789012:key/{id}"),
            "arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab".to_owned(),
        ] {
            assert_eq!(text.parse::<KeyArn>().unwrap().to_string(), text);
        }
        for text in [
            String::new(),
            id.to_owned(),
            format!("arn:aws:kms:cn-north-1:123456789012:key/{id}"),
            format!("arn:aws:s3:eu-central-1:123456789012:key/{id}"),
            format!("arn:aws:kms::123456789012:key/{id}"),
            format!("arn:aws:kms:eu-central-1:12345:key/{id}"),
            format!("arn:aws:kms:eu-central-1:123456789012:{id}"),
            "arn:aws:kms:eu-central-1:123456789012:alias/app".to_owned(),
        ] {
            assert_eq!(text.parse::<KeyArn>(), Err(KeyArnError), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "fake-key-id",
            "1234abcd12ab34cd56ef1234567890ab",
            "1234ABCD-12ab-34cd-56ef-1234567890ab",
            "{1234abcd-12ab-34cd-56ef-1234567890a}",
            "mrk-",
            "mrk-1234abcd",
            "mrk-1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234ABCD12ab34cd56ef1234567890ab",
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_arn_carries_the_partition_of_its_region() {
        let arn = KeyArn {
            account: "123456789012".parse().unwrap(),
            region: "cn-north-1".parse().unwrap(),
            id: "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap(),
        };
        let expected = "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(arn.to_string(), expected);
    }

    proptest! {
        #[test]
        fn every_id_reads_back(bytes: [u8; 16]) {
            for id in [KeyId::SingleRegion(bytes), KeyId::MultiRegion(bytes), KeyId::single_region(bytes)] {
                prop_assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
            }
        }
    }
}
