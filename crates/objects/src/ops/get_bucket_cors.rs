//! GetBucketCors: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html>

use base::Call;
use wire::s3::write_cors;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn get_bucket_cors(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetBucketCORS").await?;
        if bucket.record.cors.is_empty() {
            let text = "The CORS configuration does not exist";
            return Err(ObjectsError::refused("NoSuchCORSConfiguration", 404, text).with("BucketName", name));
        }
        Ok(Answer::xml(write_cors(&bucket.record.cors)))
    }
}
