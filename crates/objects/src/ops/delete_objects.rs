//! DeleteObjects: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use base::Call;
use wire::Fault;
use wire::s3::{Document, OneToDelete, read_objects_to_delete};

use crate::Objects;
use crate::body::Body;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::operation::NO_VERSION;
use crate::request::{Answer, Request};
use crate::upload::Expected;

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
                Ok(()) if asked.quiet => {}
                Ok(()) => {
                    document.element("Deleted", |deleted| {
                        deleted.text("Key", &one.key).optional("VersionId", one.version_id.as_deref());
                    });
                }
                Err(error) => tell_error(&mut document, one, &error.to_fault()),
            }
        }
        Ok(Answer::xml(document.finish()))
    }

    async fn delete_one(&self, call: &Call, bucket: &Bucket, one: &OneToDelete) -> Result<(), ObjectsError> {
        let key: ObjectKey =
            one.key.parse().map_err(|_| ObjectsError::bad("KeyTooLongError", "Your key is too long"))?;
        if one.version_id.as_deref().is_some_and(|version| version != NO_VERSION) {
            return Err(ObjectsError::not_implemented());
        }
        self.authorize_object(call, "DeleteObject", (bucket, &key), &Facts::default()).await?;
        self.remove_object(call, bucket, &key).await.map(|_| ())
    }
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
