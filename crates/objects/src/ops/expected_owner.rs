//! Whose the buckets of a request must be, if it says so: then it does nothing in a bucket of somebody else's.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>

use base::AccountId;

use super::copy_object::read_source;
use crate::Objects;
use crate::error::ObjectsError;
use crate::request::{Headers, Target};

impl Objects {
    /// Checks what a request says of the owners of its buckets.
    ///
    /// # Errors
    /// A bucket is another account's, or what is said is no account.
    pub(crate) async fn check_expected_owners(
        &self,
        target: &Target,
        headers: &Headers,
    ) -> Result<(), ObjectsError> {
        if let (Some(expected), Target::Bucket(bucket) | Target::Object(bucket, _)) =
            (headers.get("x-amz-expected-bucket-owner"), target)
        {
            self.check_owner(expected, bucket).await?;
        }
        if let (Some(expected), Some(source)) =
            (headers.get("x-amz-source-expected-bucket-owner"), headers.get("x-amz-copy-source"))
        {
            self.check_owner(expected, &read_source(source)?.0).await?;
        }
        Ok(())
    }

    /// That there is no such bucket is for the operation to tell.
    async fn check_owner(&self, expected: &str, bucket: &str) -> Result<(), ObjectsError> {
        let expected: AccountId = expected.parse().map_err(|_| {
            let text = "The value of the expected bucket owner parameter must be an AWS account ID.";
            ObjectsError::bad("InvalidBucketOwnerAWSAccountID", text)
        })?;
        let Ok(name) = bucket.parse() else { return Ok(()) };
        match self.find_bucket(&name).await? {
            Some(found) if found.owner != expected => Err(ObjectsError::access_denied("Access Denied")),
            Some(_) | None => Ok(()),
        }
    }
}
