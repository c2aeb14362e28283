//! DeleteBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::request::Answer;

impl Objects {
    /// After it objects are encrypted by the service again.
    pub(crate) async fn delete_bucket_encryption(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutEncryptionConfiguration").await?;
        let encryption = bucket.record.encryption.without_rule();
        self.set_bucket_encryption(call, &bucket, encryption, Operation::DeleteBucketEncryption).await?;
        Ok(Answer::empty(204))
    }
}
