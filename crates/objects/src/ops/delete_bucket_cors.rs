//! DeleteBucketCors: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;

impl Objects {
    /// A bucket without rules has none afterwards, too.
    pub(crate) async fn delete_bucket_cors(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketCORS").await?;
        let record = BucketRecord { cors: Vec::new(), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::DeleteBucketCors).await?;
        Ok(Answer::empty(204))
    }
}
