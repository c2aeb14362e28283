//! DeleteObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::Answer;

impl Objects {
    pub(crate) async fn delete_object(
        &self,
        call: &Call,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "DeleteObject", (&bucket, key), &Facts::default()).await?;
        self.remove_object(call, &bucket, key).await?;
        Ok(Answer::empty(204))
    }
}
