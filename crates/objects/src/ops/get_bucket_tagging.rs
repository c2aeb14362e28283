//! GetBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>

use base::Call;
use wire::s3::write_tag_set;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    /// A bucket without tags has no tag set.
    pub(crate) async fn get_bucket_tagging(&self, call: &Call, name: &str) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetBucketTagging").await?;
        if bucket.record.tags.is_empty() {
            let refused = ObjectsError::refused("NoSuchTagSet", 404, "The TagSet does not exist");
            return Err(refused.with("BucketName", name));
        }
        Ok(Answer::xml(write_tag_set(bucket.record.tags.iter())))
    }
}
