//! PutBucketCors: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>

use base::Call;
use serde_json::json;
use wire::s3::read_cors;

use crate::Objects;
use crate::cors::check;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};

/// The longest configuration, in bytes.
const CONFIGURATION_MAX: usize = 64 << 10;

impl Objects {
    /// Puts rules in the place of all that the bucket has.
    pub(crate) async fn put_bucket_cors(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketCORS").await?;
        let (mut told, body) = self.read_settings(request).await?;
        if body.len() > CONFIGURATION_MAX {
            return Err(ObjectsError::bad("MaxMessageLengthExceeded", "Your request was too big."));
        }
        let rules = read_cors(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("CORSConfiguration".to_owned(), json!({ "CORSRule": rules }));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        check(&rules)?;
        let record = BucketRecord { cors: rules, ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutBucketCors).await?;
        Ok(Answer::empty(200))
    }
}
