//! The steps that operations on what is said of a bucket have in common.

use base::Call;
use serde_json::{Map, Value};
use store::{CommitError, Transaction, encode_record};

use crate::body::Body;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::Request;
use crate::stored_object::contention;
use crate::table::parameters;
use crate::upload::Expected;
use crate::{Objects, paths};

/// A body, and what the event tells of the request beside it.
pub(super) type Settings = (Map<String, Value>, Vec<u8>);

impl Objects {
    /// The bucket whose settings are to be read or changed.
    ///
    /// # Errors
    /// There is no such bucket, or the caller may not.
    pub(super) async fn settings_holder(
        &self,
        call: &Call,
        name: &str,
        action: &str,
    ) -> Result<Bucket, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        self.authorize_bucket(call, action, &bucket, &Facts::default()).await?;
        Ok(bucket)
    }

    /// The body of a request that changes settings.
    ///
    /// # Errors
    /// It does not come, or not as it was announced.
    pub(super) async fn read_settings(&self, request: Request) -> Result<Settings, ObjectsError> {
        let told = parameters(&request);
        let expected = Expected::read(&request.headers)?;
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        expected.check_whole(&body)?;
        Ok((told, body))
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
