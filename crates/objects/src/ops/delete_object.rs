//! DeleteObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};
use crate::version::VersionId;

impl Objects {
    pub(crate) async fn delete_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let (action, facts) = deleting(version.as_ref());
        self.authorize_object(call, action, (&bucket, key), &facts).await?;
        let condition = request.headers.get("if-match");
        let removed = self.remove_object(call, (&bucket, key), version.as_ref(), condition).await?;
        let told = removed.is_delete_marker.then_some("true");
        Ok(Answer::empty(204)
            .optional("x-amz-delete-marker", told)
            .optional("x-amz-version-id", removed.version_id))
    }
}

/// What one must be allowed who deletes: to take a version away for good is an action of its own.
pub(super) fn deleting(version: Option<&VersionId>) -> (&'static str, Facts) {
    match version {
        Some(id) => ("DeleteObjectVersion", Facts::default().with("s3:versionid", Some(&id.to_string()))),
        None => ("DeleteObject", Facts::default()),
    }
}
