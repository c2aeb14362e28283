//! PutBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>

use base::{Call, Principal};

use crate::Objects;
use crate::bucket::{Bucket, Facts};
use crate::bucket_policy::BucketPolicy;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};

impl Objects {
    pub(crate) async fn put_bucket_policy(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.policy_holder(call, name, "PutBucketPolicy").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let policy = BucketPolicy::read(&body, &bucket, call.region, &*self.callers).await?;
        told.insert("bucketPolicy".to_owned(), serde_json::from_str(&policy.text).unwrap_or_default());
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        bucket.check_not_public(call, &policy.compiled(name)?)?;
        let record = BucketRecord { policy: Some(policy), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutBucketPolicy).await?;
        Ok(Answer::empty(204))
    }

    /// The bucket whose policy is to be read or changed. The root user of its account may always do that: no policy locks it
    /// out.
    ///
    /// # Errors
    /// There is no such bucket, or the caller may not; whoever did not sign never may.
    pub(super) async fn policy_holder(
        &self,
        call: &Call,
        name: &str,
        action: &str,
    ) -> Result<Bucket, ObjectsError> {
        let bucket = self.bucket(call, name).await?;
        call.event.add_resource("AWS::S3::Bucket", bucket.owner, bucket.arn(call.region));
        let is_owner = call.caller.account == bucket.owner && call.caller.principal == Principal::Root;
        if !is_owner {
            self.authorize_bucket(call, action, &bucket, &Facts::default()).await?;
        }
        if call.caller.is_anonymous() {
            return Err(ObjectsError::method_not_allowed());
        }
        Ok(bucket)
    }
}
