//! GetBucketPolicyStatus: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>

use base::Call;
use wire::s3::Document;

use super::get_bucket_policy::no_policy;
use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    /// Whether the policy is public, whatever is blocked.
    pub(crate) async fn get_bucket_policy_status(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetBucketPolicyStatus").await?;
        let policy = self.policies.of(&bucket)?.ok_or_else(|| no_policy(name))?;
        let mut document = Document::new("PolicyStatus");
        document.text("IsPublic", if policy.is_public() { "true" } else { "false" });
        Ok(Answer::xml(document.finish()))
    }
}
