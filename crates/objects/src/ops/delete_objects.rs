//! DeleteObjects: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use base::Call;
use wire::Fault;
use wire::s3::{Document, OneToDelete, read_objects_to_delete};

use super::delete_object::deleting;
use crate::Objects;
use crate::body::Body;
use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::history::Removed;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Request};
use crate::upload::Expected;
use crate::version::VersionId;

impl Objects {
    /// Each object passes the gate by itself; what is refused is told beside the others.
    pub(crate) async fn delete_objects(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let expected = Expected::read(&request.headers)?;
        if !expected.is_any() {
            let text = "Missing required header for this request: Content-MD5";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        expected.check_whole(&body)?;
        let asked = read_objects_to_delete(&body).map_err(|_| ObjectsError::malformed_xml())?;
        let mut document = Document::new("DeleteResult");
        for one in &asked.objects {
            match self.delete_one(call, &bucket, one).await {
                Ok(_) if asked.quiet => {}
                Ok(removed) => tell_removed(&mut document, one, &removed),
                Err(error) => tell_error(&mut document, one, &error.to_fault()),
            }
        }
        Ok(Answer::xml(document.finish()))
    }

    async fn delete_one(
        &self,
        call: &Call,
        bucket: &Bucket,
        one: &OneToDelete,
    ) -> Result<Removed, ObjectsError> {
        let key: ObjectKey =
            one.key.parse().map_err(|_| ObjectsError::bad("KeyTooLongError", "Your key is too long"))?;
        let version = one.version_id.as_deref().map(VersionId::read).transpose()?;
        let (action, facts) = deleting(version.as_ref());
        self.authorize_object(call, action, (bucket, &key), &facts).await?;
        self.remove_object(call, (bucket, &key), version.as_ref(), one.entity_tag.as_deref()).await
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletedObject.html>
fn tell_removed(document: &mut Document, one: &OneToDelete, removed: &Removed) {
    let made = removed.version_id.as_deref().filter(|_| removed.is_delete_marker);
    document.element("Deleted", |deleted| {
        deleted
            .text("Key", &one.key)
            .optional("VersionId", one.version_id.as_deref())
            .optional("DeleteMarker", made.map(|_| "true"))
            .optional("DeleteMarkerVersionId", made);
    });
}

fn tell_error(document: &mut Document, one: &OneToDelete, fault: &Fault) {
    document.element("Error", |error| {
        error
            .text("Key", &one.key)
            .optional("VersionId", one.version_id.as_deref())
            .text("Code", fault.code)
            .optional("Message", fault.message.as_deref());
    });
}
