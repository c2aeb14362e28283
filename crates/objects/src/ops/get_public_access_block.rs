//! GetPublicAccessBlock: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn get_public_access_block(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetBucketPublicAccessBlock").await?;
        let block = bucket.record.public_access.ok_or_else(|| {
            let text = "The public access block configuration was not found";
            ObjectsError::refused("NoSuchPublicAccessBlockConfiguration", 404, text).with("BucketName", name)
        })?;
        Ok(Answer::xml(block.to_xml()))
    }
}
