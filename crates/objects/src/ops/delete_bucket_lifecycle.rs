//! DeleteBucketLifecycle: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;

impl Objects {
    /// A bucket without rules has none afterwards, too.
    pub(crate) async fn delete_bucket_lifecycle(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutLifecycleConfiguration").await?;
        let record = BucketRecord { lifecycle: Vec::new(), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::DeleteBucketLifecycle).await?;
        Ok(Answer::empty(204))
    }
}
