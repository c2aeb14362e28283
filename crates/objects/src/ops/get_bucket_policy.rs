//! GetBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn get_bucket_policy(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.policy_holder(call, name, "GetBucketPolicy").await?;
        let policy = bucket.record.policy.ok_or_else(|| no_policy(name))?;
        Ok(Answer::json(policy.text.into_bytes()))
    }
}

pub(super) fn no_policy(bucket: &str) -> ObjectsError {
    let refused = ObjectsError::refused("NoSuchBucketPolicy", 404, "The bucket policy does not exist");
    refused.with("BucketName", bucket)
}
