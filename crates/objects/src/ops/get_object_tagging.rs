//! GetObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>

use base::Call;
use wire::s3::write_tag_set;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};
use crate::version::VersionId;

impl Objects {
    /// An object without tags has an empty set of them.
    pub(crate) async fn get_object_tagging(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let access = (ObjectAccess::ReadTags, Facts::default());
        let object = self.object(call, (&bucket, key), version.as_ref(), access).await?;
        let answer = Answer::xml(write_tag_set(object.details.tags.iter()));
        Ok(bucket.tell_version(answer, "x-amz-version-id", &object.record))
    }
}
