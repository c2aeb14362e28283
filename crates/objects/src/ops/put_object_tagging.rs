//! PutObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>

use base::Call;
use store::Transaction;
use wire::s3::read_tag_set;

use crate::Objects;
use crate::bucket::{Bucket, Facts};
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord};
use crate::request::{Answer, Request};
use crate::stored_object::contention;
use crate::tags::{Tagged, Tags, to_event};
use crate::version::VersionId;

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

impl Objects {
    /// Puts tags in the place of all that the object has.
    pub(crate) async fn put_object_tagging(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_tag_set(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("Tagging".to_owned(), to_event(&given));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let tags = Tags::of(given, Tagged::Object)?;
        let place = (&bucket, key, version.as_ref());
        let record = self.set_tags(call, place, ObjectAccess::WriteTags, &tags).await?;
        Ok(bucket.tell_version(Answer::empty(200), "x-amz-version-id", &record))
    }

    /// Writes down the tags of an object. Neither its contents nor the time of their change are touched.
    ///
    /// # Errors
    /// The caller may not, there is no such object, or others change it all the time.
    pub(super) async fn set_tags(
        &self,
        call: &Call,
        (bucket, key, version): (&Bucket, &ObjectKey, Option<&VersionId>),
        access: ObjectAccess,
        tags: &Tags,
    ) -> Result<ObjectRecord, ObjectsError> {
        for _ in 0..ATTEMPTS_MAX {
            let facts = Facts::default().with_request_tags(tags);
            let object = self.object(call, (bucket, key), version, (access, facts)).await?;
            let details = Details { tags: tags.clone(), ..object.details.clone() };
            let place = Place { bucket, key, version: &object.record.version };
            let sealed = self.seal_details(place, &details).await?;
            let record = ObjectRecord { details: sealed, ..object.record.clone() };
            let transaction = object.rewritten(Transaction::new(), &record)?;
            if self.change_objects(call, transaction, None).await? {
                return Ok(record);
            }
        }
        Err(contention())
    }
}
