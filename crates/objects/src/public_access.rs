//! What keeps a bucket from being public.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>

use base::{Call, Principal};
use policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::s3::{Document, PublicAccessFlags};

use crate::bucket::Bucket;
use crate::error::ObjectsError;

/// The public access block of a bucket. There are no access control lists here, so that two of the flags have nothing to
/// do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccessBlock {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// That of a new bucket.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html>
    pub(crate) const fn of_new_bucket() -> Self {
        Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }

    fn flags(self) -> [(&'static str, bool); 4] {
        [
            ("BlockPublicAcls", self.block_public_acls),
            ("IgnorePublicAcls", self.ignore_public_acls),
            ("BlockPublicPolicy", self.block_public_policy),
            ("RestrictPublicBuckets", self.restrict_public_buckets),
        ]
    }

    /// As GetPublicAccessBlock tells it.
    pub(crate) fn to_xml(self) -> Vec<u8> {
        let mut document = Document::new("PublicAccessBlockConfiguration");
        for (name, flag) in self.flags() {
            document.text(name, if flag { "true" } else { "false" });
        }
        document.finish()
    }

    /// What somebody puts, as CloudTrail has XML in events.
    pub(crate) fn to_event(self) -> Value {
        let mut told = json!({ "xmlns": wire::s3::NAMESPACE });
        if let Some(told) = told.as_object_mut() {
            told.extend(self.flags().map(|(name, flag)| (name.to_owned(), flag.into())));
        }
        told
    }
}

impl From<PublicAccessFlags> for PublicAccessBlock {
    fn from(flags: PublicAccessFlags) -> Self {
        Self {
            block_public_acls: flags.block_public_acls,
            ignore_public_acls: flags.ignore_public_acls,
            block_public_policy: flags.block_public_policy,
            restrict_public_buckets: flags.restrict_public_buckets,
        }
    }
}

impl Bucket {
    /// Refuses a policy that is public, if the bucket may have none.
    ///
    /// # Errors
    /// It is, and the bucket may not.
    pub(crate) fn check_not_public(&self, call: &Call, policy: &Policy) -> Result<(), ObjectsError> {
        let blocks = self.record.public_access.is_some_and(|block| block.block_public_policy);
        if !blocks || !policy.is_public() {
            return Ok(());
        }
        let (caller, arn) = (call.caller.arn(), self.arn(call.region));
        Err(ObjectsError::access_denied(format!(
            "User: {caller} is not authorized to perform: s3:PutBucketPolicy on resource: \"{arn}\" because public \
             policies are blocked by the BlockPublicPolicy block public access setting."
        )))
    }

    /// Whether what the policy opens is closed to the caller, because the policy is public.
    pub(crate) fn is_restricted_for(&self, call: &Call, policy: &Policy) -> bool {
        let restricts = self.record.public_access.is_some_and(|block| block.restrict_public_buckets);
        let is_insider = match &call.caller.principal {
            Principal::Root
            | Principal::User { .. }
            | Principal::RoleSession { .. }
            | Principal::FederatedUser { .. } => call.caller.account == self.owner,
            Principal::Service { .. } => true,
            Principal::Anonymous => false,
        };
        restricts && !is_insider && policy.is_public()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_told_flag_by_flag() {
        let block = PublicAccessBlock::from(PublicAccessFlags {
            block_public_policy: true,
            ..PublicAccessFlags::default()
        });
        assert!(String::from_utf8(block.to_xml()).unwrap().ends_with(
            "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
        ));
        assert_eq!(block.to_event()["BlockPublicPolicy"], json!(true));
        assert!(PublicAccessBlock::of_new_bucket().flags().iter().all(|(_, flag)| *flag));
    }
}
