//! PutBucketLifecycleConfiguration:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>

use base::Call;
use serde_json::json;
use wire::s3::read_lifecycle;

use crate::Objects;
use crate::error::ObjectsError;
use crate::lifecycle::check;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};

impl Objects {
    /// Puts rules in the place of all that the bucket has.
    pub(crate) async fn put_bucket_lifecycle(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutLifecycleConfiguration").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_lifecycle(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("LifecycleConfiguration".to_owned(), json!({ "Rule": given }));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let new_id = || Ok(format!("{:032x}", u128::from_be_bytes(self.random()?)));
        let record = BucketRecord { lifecycle: check(given, new_id)?, ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutBucketLifecycleConfiguration).await?;
        Ok(Answer::empty(200))
    }
}
