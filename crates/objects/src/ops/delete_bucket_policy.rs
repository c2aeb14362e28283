//! DeleteBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn delete_bucket_policy(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.policy_holder(call, name, "DeleteBucketPolicy").await?;
        let record = BucketRecord { policy: None, ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::DeleteBucketPolicy).await?;
        Ok(Answer::empty(204))
    }
}
