//! Reading the body of PutPublicAccessBlock.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>

use serde::Deserialize;

use super::requests::{MalformedXml, read};

/// What is blocked; what is not said is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PublicAccessFlags {
    /// Access control lists that are public are refused.
    pub block_public_acls: bool,
    /// Access control lists that are public have no effect.
    pub ignore_public_acls: bool,
    /// Policies that are public are refused.
    pub block_public_policy: bool,
    /// A policy that is public opens the bucket to its own account and to services alone.
    pub restrict_public_buckets: bool,
}

/// Reads the body of PutPublicAccessBlock.
///
/// # Errors
/// It is not such a body.
pub fn read_public_access_block(body: &[u8]) -> Result<PublicAccessFlags, MalformedXml> {
    read(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_are_read_and_those_that_are_not_said_are_off() {
        let of = |flags: &str| {
            let root = "PublicAccessBlockConfiguration";
            read_public_access_block(
                format!("<{root} xmlns=\"{}\">{flags}</{root}>", crate::s3::NAMESPACE).as_bytes(),
            )
        };
        let policy = PublicAccessFlags { block_public_policy: true, ..PublicAccessFlags::default() };
        assert_eq!(of("<BlockPublicPolicy>true</BlockPublicPolicy>"), Ok(policy));
        let all = PublicAccessFlags {
            block_public_acls: true,
            ignore_public_acls: true,
            restrict_public_buckets: true,
            ..policy
        };
        assert_eq!(
            of(
                "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>"
            ),
            Ok(all)
        );
        assert_eq!(of(""), Ok(PublicAccessFlags::default()));
        assert_eq!(of("<BlockPublicAcls>maybe</BlockPublicAcls>"), Err(MalformedXml));
        assert_eq!(read_public_access_block(b""), Err(MalformedXml));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read_public_access_block(&bytes);
        }
    }
}
