//! DeleteBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;
use crate::tags::Tags;

impl Objects {
    /// Who may put tags may take them away.
    pub(crate) async fn delete_bucket_tagging(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketTagging").await?;
        let record = BucketRecord { tags: Tags::default(), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::DeleteBucketTagging).await?;
        Ok(Answer::empty(204))
    }
}
