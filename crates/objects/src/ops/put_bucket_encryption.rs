//! PutBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
//!
//! The key of a rule is looked at when somebody writes under the rule, not here.

use base::Call;
use wire::s3::read_encryption_rule;

use crate::Objects;
use crate::bucket::Bucket;
use crate::bucket_encryption::{BucketEncryption, to_event};
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};

impl Objects {
    pub(crate) async fn put_bucket_encryption(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutEncryptionConfiguration").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_encryption_rule(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("ServerSideEncryptionConfiguration".to_owned(), to_event(&given));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let encryption = bucket.record.encryption.put(given)?;
        self.set_bucket_encryption(call, &bucket, encryption, Operation::PutBucketEncryption).await?;
        Ok(Answer::empty(200))
    }

    /// Writes down what is said of a bucket's encryption from now on.
    ///
    /// # Errors
    /// Somebody else changes the bucket, or the change cannot be committed.
    pub(super) async fn set_bucket_encryption(
        &self,
        call: &Call,
        bucket: &Bucket,
        encryption: BucketEncryption,
        operation: Operation,
    ) -> Result<(), ObjectsError> {
        let record = BucketRecord { encryption, ..bucket.record.clone() };
        self.set_bucket(call, bucket, &record, operation).await
    }
}
