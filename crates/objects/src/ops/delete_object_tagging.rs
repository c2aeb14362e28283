//! DeleteObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>

use base::Call;

use crate::Objects;
use crate::error::ObjectsError;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};
use crate::tags::Tags;
use crate::version::VersionId;

impl Objects {
    pub(crate) async fn delete_object_tagging(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let place = (&bucket, key, version.as_ref());
        let record = self.set_tags(call, place, ObjectAccess::DeleteTags, &Tags::default()).await?;
        Ok(bucket.tell_version(Answer::empty(204), "x-amz-version-id", &record))
    }
}
