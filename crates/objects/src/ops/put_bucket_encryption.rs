//! PutBucketEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
//!
//! The key of a rule is looked at when somebody writes under the rule, not here.

use base::Call;
use store::{CommitError, Transaction, encode_record};
use wire::s3::read_encryption_rule;

use crate::body::Body;
use crate::bucket::{Bucket, Facts};
use crate::bucket_encryption::{BucketEncryption, to_event};
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};
use crate::stored_object::contention;
use crate::table::parameters;
use crate::upload::Expected;
use crate::{Objects, paths};

impl Objects {
    pub(crate) async fn put_bucket_encryption(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, "PutEncryptionConfiguration", &bucket, &Facts::default()).await?;
        let mut told = parameters(&request);
        let expected = Expected::read(&request.headers)?;
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        expected.check_whole(&body)?;
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

    /// Writes down what is said of a bucket from now on.
    ///
    /// # Errors
    /// Somebody else changes the bucket, or the change cannot be committed.
    pub(super) async fn set_bucket(
        &self,
        call: &Call,
        bucket: &Bucket,
        record: &BucketRecord,
        operation: Operation,
    ) -> Result<(), ObjectsError> {
        let path = paths::bucket(&bucket.name)?;
        let transaction = Transaction::new()
            .expect_revision(path.clone(), bucket.revision)
            .put(path, encode_record(record)?);
        match self.commit_change(call, operation, transaction).await {
            Err(ObjectsError::Commit(CommitError::Conflict { .. })) => Err(contention()),
            done => done,
        }
    }
}
