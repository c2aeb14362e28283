//! GetBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn get_bucket_encryption(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "GetEncryptionConfiguration", &bucket, &Facts::default()).await?;
        Ok(Answer::xml(bucket.record.encryption.to_xml()))
    }
}
