//! Names of buckets.

use std::fmt;
use std::str::FromStr;

/// The name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketName(String);

/// The text is no name of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid name of a bucket")]
pub struct InvalidBucketName;

const FORBIDDEN_STARTS: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "-"];
const FORBIDDEN_ENDS: [&str; 6] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-"];

impl BucketName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = InvalidBucketName;

    fn from_str(text: &str) -> Result<Self, InvalidBucketName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good_bytes = text.bytes().all(|byte| is_plain(byte) || byte == b'-' || byte == b'.');
        let good_ends =
            text.bytes().next().is_some_and(is_plain) && text.bytes().last().is_some_and(is_plain);
        let bad = !(3..=63).contains(&text.len())
            || !good_bytes
            || !good_ends
            || text.contains("..")
            || text.parse::<std::net::Ipv4Addr>().is_ok()
            || FORBIDDEN_STARTS.iter().any(|start| text.starts_with(start))
            || FORBIDDEN_ENDS.iter().any(|end| text.ends_with(end));
        if bad { Err(InvalidBucketName) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for good in ["abc", "a.b", "1-2", "my-bucket.eu", &"a".repeat(63)] {
            assert!(good.parse::<BucketName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Abc",
            "a_b",
            "a/b",
            "a..b",
            ".ab",
            "ab.",
            "-ab",
            "ab-",
            "192.168.5.4",
            "xn--a",
            "a-s3alias",
            "a--ol-s3",
            "a--x-s3",
            "sthree-a",
            "ab\u{e9}",
            "a b",
            "../../etc",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }
}
