//! PutObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use std::collections::BTreeMap;

use base::Call;
use crypto::content::{Part, PartNonce};

use crate::Objects;
use crate::body::{Body, PUT_MAX};
use crate::bucket::Bucket;
use crate::conditions::judge_write;
use crate::encryption::{Place, Wanted};
use crate::error::ObjectsError;
use crate::layers::ContentKeys;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord, StoredChecksum, StoredContents};
use crate::request::{Answer, Headers, Request};
use crate::tags::Tags;
use crate::upload::{Expected, FreshBlob, Source};
use crate::version::Standing;

/// The most user metadata, names and values together, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const METADATA_MAX: usize = 2_048;
/// The longest of the headers that come back, in bytes: what the shell lets through is shorter.
const HEADERS_MAX: usize = 32 * 1_024;

/// Headers that come back as they were sent.
const KEPT: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

impl Objects {
    pub(crate) async fn put_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let Request { headers, payload, body, .. } = request;
        let begin = |headers: &Headers| Body::new(headers, payload, body, PUT_MAX);
        self.put(call, &headers, begin, (bucket, key)).await
    }

    /// Writes an object as these headers say, with the body that `begin` gives once it may come.
    ///
    /// # Errors
    /// The caller may not, the headers ask for what cannot be, or something fails; then nothing has changed.
    pub(super) async fn put(
        &self,
        call: &Call,
        headers: &Headers,
        begin: impl FnOnce(&Headers) -> Result<Body, ObjectsError> + Send,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let tags = Tags::of_header(headers)?;
        self.authorize_write(call, (&bucket, key), headers, &tags).await?;
        if headers.beginning("x-amz-").any(|(header, value)| is_not_offered(header, value)) {
            return Err(ObjectsError::not_implemented());
        }
        let (wanted, expected) = (self.wanted(call, headers, &bucket)?, Expected::read(headers)?);
        let present = self.find_object(&bucket, key).await?;
        judge_write(headers, key.as_str(), present.as_ref().map(|one| one.details.entity_tag.as_str()))?;
        let body = Source::Body(begin(headers)?);

        let new = NewObject { details: Details { tags, ..kept(headers)? }, wanted, expected, headers };
        let (record, details, wanted) = self.write_object(call, (&bucket, key), new, body).await?;
        let answer = answer(&record, &details, &wanted);
        Ok(bucket.tell_version(answer, "x-amz-version-id", &record))
    }

    /// The gate for writes. Who brings tags must be allowed that as well.
    ///
    /// # Errors
    /// The caller may not.
    pub(super) async fn authorize_write(
        &self,
        call: &Call,
        place: (&Bucket, &ObjectKey),
        headers: &Headers,
        tags: &Tags,
    ) -> Result<(), ObjectsError> {
        let facts = self.facts_of_write(call, headers).await?.with_request_tags(tags);
        self.authorize_object(call, "PutObject", place, &facts).await?;
        if tags.is_empty() {
            return Ok(());
        }
        self.authorize_object(call, "PutObjectTagging", place, &facts).await
    }

    /// Seals plaintext under a new key and puts it in the place of whatever lies under the key.
    ///
    /// # Errors
    /// The plaintext is not as expected, a condition does not hold, or something fails; then nothing has changed.
    pub(super) async fn write_object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        new: NewObject<'_>,
        source: Source,
    ) -> Result<(ObjectRecord, Details, Wanted), ObjectsError> {
        let NewObject { mut details, wanted, expected, headers } = new;
        let part = Part { owner: self.random()?, number: 0, nonce: PartNonce::draw(&*self.randomness)? };
        let version = format!("{:032x}", u128::from_be_bytes(part.owner));
        let place = Place { bucket, key, version: &version };
        let content_keys = ContentKeys::generate(&*self.randomness, wanted.has_two_layers())?;
        let encryption = self.protect(call, place, &wanted, &content_keys).await?;
        let expected = expected.digested(encryption.has_digest_as_tag());
        let blob = FreshBlob::new(self)?;
        let uploaded = self.upload(source, &expected, (&content_keys, &part), &blob).await?;
        details.entity_tag = self.entity_tag(uploaded.digest)?;
        details.checksum = Some(uploaded.checksum);
        let record = ObjectRecord {
            details: self.seal_details(place, &details).await?,
            modified: call.time.millis(),
            size: uploaded.size,
            contents: StoredContents::Whole { blob: blob.name.to_string(), nonce: part.nonce },
            encryption,
            version: version.clone(),
            standing: Standing::default(),
        };
        match self.commit_object(call, (bucket, key), &record, headers, None).await {
            Ok(record) => Ok((record, details, wanted)),
            Err(error) => {
                // A refused change leaves a blob that nobody has; of one whose outcome is unknown the next start decides.
                if matches!(error, ObjectsError::Refused(_)) {
                    self.blobs.delete(blob.name).await?;
                }
                Err(error)
            }
        }
    }

    /// The MD5 digest where S3 has that as the tag, otherwise something random that looks alike.
    pub(super) fn entity_tag(&self, digest: Option<[u8; 16]>) -> Result<String, ObjectsError> {
        let bytes = digest.map_or_else(|| self.random(), Ok)?;
        Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
    }
}

/// What is said of an object that is being written.
pub(super) struct NewObject<'a> {
    pub(super) details: Details,
    pub(super) wanted: Wanted,
    pub(super) expected: Expected,
    /// With the conditions under which it is written.
    pub(super) headers: &'a Headers,
}

/// Headers, without `x-amz-`, that ask for more than there is.
pub(super) fn is_not_offered(header: &str, value: &str) -> bool {
    match header {
        "acl" => !matches!(value, "private" | "bucket-owner-full-control"),
        "storage-class" => value != "STANDARD",
        "website-redirect-location" | "write-offset-bytes" => true,
        _ => ["grant-", "object-lock-"].iter().any(|prefix| header.starts_with(prefix)),
    }
}

pub(super) fn kept(headers: &Headers) -> Result<Details, ObjectsError> {
    let metadata: BTreeMap<String, String> =
        headers.beginning("x-amz-meta-").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_MAX {
        let text = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(ObjectsError::bad("MetadataTooLarge", text)
            .with("Size", size.to_string())
            .with("MaxSizeAllowed", METADATA_MAX.to_string()));
    }
    let mut headers: BTreeMap<String, String> =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), headers.get(name)?.to_owned()))).collect();
    unwrap_encoding(&mut headers);
    if headers.values().map(String::len).sum::<usize>() > HEADERS_MAX {
        return Err(ObjectsError::bad(
            "RequestHeaderSectionTooLarge",
            "Your request header section exceeds the maximum allowed size.",
        ));
    }
    headers.entry("content-type".to_owned()).or_insert_with(|| "binary/octet-stream".to_owned());
    Ok(Details { headers, metadata, ..Details::default() })
}

/// `aws-chunked` says how the body came, not what it is.
fn unwrap_encoding(headers: &mut BTreeMap<String, String>) {
    let Some(encoding) = headers.remove("content-encoding") else { return };
    let own: Vec<_> = encoding.split(',').map(str::trim).filter(|one| *one != "aws-chunked").collect();
    if !own.iter().all(|one| one.is_empty()) {
        headers.insert("content-encoding".to_owned(), own.join(","));
    }
}

fn answer(record: &ObjectRecord, details: &Details, wanted: &Wanted) -> Answer {
    let answer = Answer::empty(200).header("etag", format!("\"{}\"", details.entity_tag));
    let answer = wanted.tell_context(record.encryption.tell(answer, wanted.customer()));
    match &details.checksum {
        Some(checksum) => tell_checksum(answer, checksum),
        None => answer,
    }
}

pub(super) fn tell_checksum(answer: Answer, checksum: &StoredChecksum) -> Answer {
    answer.header(&checksum.header, &checksum.value).header("x-amz-checksum-type", checksum.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(pairs: &[(&str, &str)]) -> Result<Details, &'static str> {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        kept(&headers).map_err(|error| error.to_fault().code)
    }

    #[test]
    fn the_way_a_body_came_is_no_encoding_of_it() {
        for (sent, kept) in
            [("aws-chunked", None), ("gzip,aws-chunked", Some("gzip")), ("gzip", Some("gzip"))]
        {
            let details = details(&[("content-encoding", sent)]).unwrap();
            assert_eq!(details.headers.get("content-encoding").map(String::as_str), kept);
            assert_eq!(details.headers["content-type"], "binary/octet-stream");
        }
    }

    #[test]
    fn metadata_has_two_kibibytes() {
        assert_eq!(details(&[("x-amz-meta-ab", &"v".repeat(2_046))]).unwrap().metadata.len(), 1);
        assert_eq!(details(&[("x-amz-meta-ab", &"v".repeat(2_047))]), Err("MetadataTooLarge"));
    }

    #[test]
    fn what_is_not_there_is_not_ignored() {
        for (header, value) in
            [("acl", "public-read"), ("object-lock-mode", "x"), ("storage-class", "GLACIER")]
        {
            assert!(is_not_offered(header, value), "{header}");
        }
        for (header, value) in
            [("acl", "private"), ("meta-a", "b"), ("storage-class", "STANDARD"), ("date", "x")]
        {
            assert!(!is_not_offered(header, value), "{header}");
        }
    }
}
