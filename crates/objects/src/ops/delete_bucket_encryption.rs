//! DeleteBucketEncryption, which goes back to SSE-S3:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::record::BucketEncryption;
use crate::request::Answer;
use crate::table::Operation;

impl Objects {
    pub(crate) async fn delete_bucket_encryption(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "PutEncryptionConfiguration", &bucket, &Facts::default()).await?;
        let encryption = BucketEncryption { is_kms: false, key: None, ..bucket.record.encryption.clone() };
        self.set_encryption(call, Operation::DeleteBucketEncryption, &bucket, encryption).await?;
        Ok(Answer::empty(204))
    }
}
