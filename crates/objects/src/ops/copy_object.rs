//! CopyObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
//!
//! Contents are opened and sealed anew, under a key of their own; nothing of the source's encryption is inherited.

use base::Call;
use wire::s3::Document;

use super::put_object::{NewObject, is_not_offered, kept};
use crate::Objects;
use crate::blob::BlobError;
use crate::body::PUT_MAX;
use crate::bucket::{Bucket, Facts};
use crate::checksum::ChecksumAlgorithm;
use crate::conditions::{Judgement, judge_read, to_iso};
use crate::contents::Contents;
use crate::encryption::{CustomerKey, Place, Wanted, check_source};
use crate::error::ObjectsError;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord};
use crate::request::{Answer, Headers, Request, Target};
use crate::stored_object::StoredObject;
use crate::tags::Tags;
use crate::upload::{Expected, Source};
use crate::version::VersionId;

/// How often a source is looked up again that was replaced between the look-up and its reading.
const ATTEMPTS_MAX: u32 = 8;
const METADATA: (&str, &str) = ("x-amz-metadata-directive", "Unknown metadata directive.");
const TAGS: (&str, &str) = ("x-amz-tagging-directive", "Unknown tagging directive.");

impl Objects {
    pub(crate) async fn copy_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let headers = request.headers;
        let (from, from_key, version) = read_source(headers.get("x-amz-copy-source").unwrap_or_default())?;
        let bucket = self.bucket(call, bucket).await?;
        let replaces_tags = replaces(&headers, TAGS)?;
        let tags = if replaces_tags { Tags::of_header(&headers)? } else { Tags::default() };
        self.authorize_write(call, (&bucket, key), &headers, &tags).await?;
        let from = self.bucket(call, &from).await?;
        if headers.beginning("x-amz-").any(|(header, value)| is_not_offered(header, value)) {
            return Err(ObjectsError::not_implemented());
        }
        let wanted = self.wanted(call, &headers, &bucket)?;
        let replaces_metadata = replaces(&headers, METADATA)?;
        let is_itself = from.name == bucket.name && from_key == *key;
        let changes = replaces_metadata
            || replaces_tags
            || headers.get("x-amz-server-side-encryption").is_some()
            || wanted.customer().is_some()
            || bucket.record.encryption.has_rule();
        // What an earlier version was is there again, as a new one.
        if is_itself && version.is_none() && !changes {
            let text = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        let source = (&from, &from_key, version.as_ref());
        let (source, contents) = self.open_source(call, source, &headers, whole).await?;
        let tags = match replaces_tags {
            true => tags,
            false => {
                let to = (&bucket, key);
                self.tags_to_copy(call, (&from, &from_key, version.as_ref()), to, &source).await?
            }
        };
        let details = if replaces_metadata { kept(&headers)? } else { source.details.clone() };
        let details = Details { tags, ..details };
        let kept = checksum_of_copy(&headers, &source.details)?;
        let expected = Expected::default().keeping(Some(kept));
        // The conditions are on the source; on what is replaced a copy has none.
        let unconditional = Headers::default();
        let new = NewObject { details, wanted, expected, headers: &unconditional };
        let written = self.write_object(call, (&bucket, key), new, Source::Contents(contents)).await?;
        let answer = from.tell_version(answer(&written), "x-amz-copy-source-version-id", &source.record);
        Ok(bucket.tell_version(answer, "x-amz-version-id", &written.0))
    }

    /// The tags of a source, for one who may read them there and put them here.
    async fn tags_to_copy(
        &self,
        call: &Call,
        (from, from_key, version): (&Bucket, &ObjectKey, Option<&VersionId>),
        to: (&Bucket, &ObjectKey),
        source: &StoredObject,
    ) -> Result<Tags, ObjectsError> {
        let tags = &source.details.tags;
        if !tags.is_empty() {
            let (place, read) = ((from, from_key), (Facts::default(), Some(source)));
            self.authorize_access(call, place, version, ObjectAccess::ReadTags, read).await?;
            let facts = Facts::default().with_request_tags(tags);
            self.authorize_object(call, "PutObjectTagging", to, &facts).await?;
        }
        Ok(tags.clone())
    }

    /// Opens what a request copies; `range` tells which bytes of an object of a size.
    ///
    /// # Errors
    /// The conditions on it do not hold, its key is missing, or it cannot be read.
    pub(super) async fn open_source(
        &self,
        call: &Call,
        (bucket, key, version): (&Bucket, &ObjectKey, Option<&VersionId>),
        headers: &Headers,
        range: impl Fn(&Headers, u64) -> Result<(u64, u64), ObjectsError>,
    ) -> Result<(StoredObject, Contents), ObjectsError> {
        let customer = CustomerKey::read_of_source(headers, self.keys_in_clear(call))?;
        let customer = customer.as_ref();
        for _ in 0..ATTEMPTS_MAX {
            let access = (ObjectAccess::Read, Facts::default());
            let object = self.object(call, (bucket, key), version, access).await?;
            let record = &object.record;
            check_source(record.encryption.is_customers(), customer.is_some())?;
            judge_source(headers, &object)?;
            let range = range(headers, record.size)?;
            let place = Place { bucket, key, version: &record.version };
            let unlocked = self.unlock(call, place, &record.encryption, customer).await;
            let content_keys = unlocked.map_err(CustomerKey::another_unsaid)?;
            match Contents::open(self.shelf(), content_keys, record, range).await {
                Ok(contents) => return Ok((object, contents)),
                Err(ObjectsError::Gone | ObjectsError::Blob(BlobError::Missing(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ObjectsError::Damaged("the blob of an object is missing"))
    }
}

/// All of a source that one call may copy.
fn whole(_: &Headers, size: u64) -> Result<(u64, u64), ObjectsError> {
    if size > PUT_MAX {
        let text = format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {PUT_MAX}"
        );
        return Err(ObjectsError::bad("InvalidRequest", text));
    }
    Ok((0, size))
}

/// `bucket/key` or `/bucket/key`, percent-encoded, and maybe `?versionId=` and the id of a version.
pub(super) fn read_source(text: &str) -> Result<(String, ObjectKey, Option<VersionId>), ObjectsError> {
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(VersionId::read(version)?)),
        None => (text, None),
    };
    match Target::read(path)? {
        Target::Object(bucket, key) => Ok((bucket, key, version)),
        Target::Service | Target::Bucket(_) => {
            let fault = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
            Err(ObjectsError::invalid_argument(fault, "x-amz-copy-source", text))
        }
    }
}

/// Whether a request brings what it else takes from the source.
fn replaces(headers: &Headers, (header, fault): (&str, &str)) -> Result<bool, ObjectsError> {
    match headers.get(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(ObjectsError::invalid_argument(fault, header, other)),
    }
}

/// The conditions on the source. What a reader has already fails here as well.
fn judge_source(headers: &Headers, object: &StoredObject) -> Result<(), ObjectsError> {
    let conditions = headers.beginning("x-amz-copy-source-");
    let conditions = Headers::new(conditions.map(|(name, value)| (name, value.as_bytes())));
    match judge_read(&conditions, &object.details.entity_tag, object.record.modified())? {
        Judgement::Give => Ok(()),
        Judgement::NotModified => Err(ObjectsError::precondition_failed("x-amz-copy-source-If-None-Match")),
    }
}

/// That of the request, or of the source if it is one of the whole.
fn checksum_of_copy(headers: &Headers, source: &Details) -> Result<ChecksumAlgorithm, ObjectsError> {
    if let Some(name) = headers.get("x-amz-checksum-algorithm") {
        return ChecksumAlgorithm::of_name(name).ok_or_else(|| {
            ObjectsError::bad("InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        });
    }
    let of_source = source.checksum.as_ref().filter(|checksum| !checksum.is_composite);
    let of_source = of_source.and_then(|checksum| ChecksumAlgorithm::of_header(&checksum.header));
    Ok(of_source.unwrap_or(ChecksumAlgorithm::Crc64nvme))
}

fn answer((record, details, wanted): &(ObjectRecord, Details, Wanted)) -> Answer {
    let mut document = Document::new("CopyObjectResult");
    document
        .text("LastModified", &to_iso(record.modified()))
        .text("ETag", &format!("\"{}\"", details.entity_tag));
    if let Some(checksum) = &details.checksum {
        document
            .text("ChecksumType", checksum.kind())
            .text(&format!("Checksum{}", checksum.algorithm()), &checksum.value);
    }
    wanted.tell_context(record.encryption.tell(Answer::xml(document.finish()), wanted.customer()))
}
