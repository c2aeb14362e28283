//! DeletePublicAccessBlock: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Answer;

impl Objects {
    /// Who may put a block may take it away.
    pub(crate) async fn delete_public_access_block(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketPublicAccessBlock").await?;
        let record = BucketRecord { public_access: None, ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::DeletePublicAccessBlock).await?;
        Ok(Answer::empty(204))
    }
}
