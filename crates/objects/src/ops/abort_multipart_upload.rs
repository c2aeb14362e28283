//! AbortMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};

impl Objects {
    pub(crate) async fn abort_multipart_upload(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "AbortMultipartUpload", (&bucket, key), &Facts::default()).await?;
        self.abort_upload(call, &bucket, key, query.get("uploadId").unwrap_or_default()).await?;
        Ok(Answer::empty(204))
    }
}
