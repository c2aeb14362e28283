//! GetBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>

use base::Call;
use wire::s3::Document;

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
        let encryption = &bucket.record.encryption;
        let mut document = Document::new("ServerSideEncryptionConfiguration");
        document.element("Rule", |rule| {
            rule.element("ApplyServerSideEncryptionByDefault", |default| {
                default
                    .text("SSEAlgorithm", if encryption.is_kms { "aws:kms" } else { "AES256" })
                    .optional("KMSMasterKeyID", encryption.key.as_deref());
            });
            rule.text("BucketKeyEnabled", "false");
            if encryption.blocks_customer_keys {
                rule.element("BlockedEncryptionTypes", |blocked| {
                    blocked.text("EncryptionType", "SSE-C");
                });
            }
        });
        Ok(Answer::xml(document.finish()))
    }
}
