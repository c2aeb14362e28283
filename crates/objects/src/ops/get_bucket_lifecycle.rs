//! GetBucketLifecycleConfiguration:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use base::Call;
use wire::s3::write_lifecycle;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn get_bucket_lifecycle(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetLifecycleConfiguration").await?;
        if bucket.record.lifecycle.is_empty() {
            let text = "The lifecycle configuration does not exist";
            return Err(
                ObjectsError::refused("NoSuchLifecycleConfiguration", 404, text).with("BucketName", name)
            );
        }
        Ok(Answer::xml(write_lifecycle(&bucket.record.lifecycle)))
    }
}
