//! GetObjectAttributes: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>

use base::Call;
use wire::s3::Document;

use super::get_object::ATTEMPTS_MAX;
use crate::bucket::Facts;
use crate::conditions::to_http_date;
use crate::encryption::{CustomerKey, Place, check_source};
use crate::error::ObjectsError;
use crate::listing::{PAGE_MAX, read_most};
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::{ObjectRecord, StoredChecksum};
use crate::request::{Answer, Headers, Request};
use crate::stored_object::StoredObject;
use crate::version::VersionId;
use crate::{Objects, paths};

/// What can be asked for.
const ATTRIBUTES: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
const ASKED: &str = "x-amz-object-attributes";
const MOST: &str = "x-amz-max-parts";
const MARKER: &str = "x-amz-part-number-marker";

/// What is asked for.
struct Asked<'a> {
    attributes: Vec<&'a str>,
    most: usize,
    marker: u32,
}

/// A page of parts.
struct Page {
    /// Numbers, sizes and checksums.
    parts: Vec<(u32, u64, StoredChecksum)>,
    next: u32,
    more: bool,
}

impl Objects {
    pub(crate) async fn get_object_attributes(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let headers = request.headers;
        let asked = Asked::read(&headers)?;
        let customer = CustomerKey::read(&headers, self.keys_in_clear(call))?;
        for _ in 0..ATTEMPTS_MAX {
            let access = (ObjectAccess::ReadAttributes, Facts::default());
            let object = self.object(call, (&bucket, key), version.as_ref(), access).await?;
            let record = &object.record;
            check_source(record.encryption.is_customers(), customer.is_some())?;
            let place = Place { bucket: &bucket, key, version: &record.version };
            if let Some(customer) = &customer {
                // Nothing is told to who has another key.
                let unlocked = self.unlock(call, place, &record.encryption, Some(customer)).await;
                unlocked.map_err(CustomerKey::another_unsaid)?;
            }
            let document = match self.attributes(place, &object, &asked).await {
                Err(ObjectsError::Gone) => continue,
                document => document?,
            };
            let answer = bucket.tell_version(Answer::xml(document), "x-amz-version-id", record);
            return Ok(answer.header("last-modified", to_http_date(record.modified())));
        }
        Err(ObjectsError::Damaged("a part of an object is missing"))
    }

    async fn attributes(
        &self,
        place: Place<'_>,
        object: &StoredObject,
        asked: &Asked<'_>,
    ) -> Result<Vec<u8>, ObjectsError> {
        let (record, checksum) = (&object.record, object.details.checksum.as_ref());
        let mut document = Document::new("GetObjectAttributesResponse");
        if asked.wants("ETag") {
            document.text("ETag", &object.details.entity_tag);
        }
        if let Some(checksum) = checksum.filter(|_| asked.wants("Checksum")) {
            document.element("Checksum", |one| tell_checksum(one, checksum));
        }
        if let Some(count) = record.parts_count().filter(|_| asked.wants("ObjectParts")) {
            let page = match checksum {
                // S3 lists the parts only if their checksums make the object's.
                Some(checksum) if checksum.is_composite => {
                    Some(self.page_of_object(place, record, asked).await?)
                }
                Some(_) | None => None,
            };
            document.element("ObjectParts", |parts| tell_parts(parts, count, asked, page.as_ref()));
        }
        if asked.wants("StorageClass") {
            document.text("StorageClass", "STANDARD");
        }
        if asked.wants("ObjectSize") {
            document.text("ObjectSize", &record.size.to_string());
        }
        Ok(document.finish())
    }

    async fn page_of_object(
        &self,
        place: Place<'_>,
        record: &ObjectRecord,
        asked: &Asked<'_>,
    ) -> Result<Page, ObjectsError> {
        let behind = (1..).zip(record.parts()).skip_while(|(number, _)| *number <= asked.marker);
        let (mut page, mut behind) =
            (Page { parts: Vec::new(), next: asked.marker, more: false }, behind.peekable());
        while page.parts.len() < asked.most
            && let Some((number, (uploaded_as, size))) = behind.next()
        {
            let entry = self.store.get(&paths::part(place.version, uploaded_as)?).await?;
            let part = self.read_part(place, &entry.ok_or(ObjectsError::Gone)?).await?;
            let checksum = part.details.checksum.ok_or(ObjectsError::Damaged("the checksum of a part"))?;
            page.parts.push((number, size, checksum));
            page.next = number;
        }
        page.more = behind.peek().is_some();
        Ok(page)
    }
}

impl<'a> Asked<'a> {
    fn read(headers: &'a Headers) -> Result<Self, ObjectsError> {
        let text = headers.get(ASKED).unwrap_or_default();
        let attributes: Vec<_> = text.split(',').map(str::trim).collect();
        if !attributes.iter().all(|attribute| ATTRIBUTES.contains(attribute)) {
            return Err(ObjectsError::invalid_argument("Invalid attribute name specified.", ASKED, text));
        }
        let marker = headers.get(MARKER).unwrap_or("0");
        Ok(Self {
            attributes,
            most: headers.get(MOST).map_or(Ok(PAGE_MAX), |text| read_most(MOST, text))?,
            marker: marker.parse().map_err(|_| {
                let text = format!("Provided {MARKER} not an integer or within integer range");
                ObjectsError::invalid_argument(text, MARKER, marker)
            })?,
        })
    }

    fn wants(&self, attribute: &str) -> bool {
        self.attributes.contains(&attribute)
    }
}

fn tell_checksum(document: &mut Document, checksum: &StoredChecksum) {
    // Here S3 leaves out how many parts there are.
    let value = checksum.value.split_once('-').map_or(checksum.value.as_str(), |(value, _)| value);
    document.text(&format!("Checksum{}", checksum.algorithm()), value).text("ChecksumType", checksum.kind());
}

fn tell_parts(document: &mut Document, count: u32, asked: &Asked<'_>, page: Option<&Page>) {
    if let Some(page) = page {
        document
            .text("IsTruncated", if page.more { "true" } else { "false" })
            .text("MaxParts", &asked.most.to_string())
            .text("NextPartNumberMarker", &page.next.to_string())
            .text("PartNumberMarker", &asked.marker.to_string());
        for (number, size, checksum) in &page.parts {
            document.element("Part", |one| {
                one.text(&format!("Checksum{}", checksum.algorithm()), &checksum.value)
                    .text("PartNumber", &number.to_string())
                    .text("Size", &size.to_string());
            });
        }
    }
    document.text("PartsCount", &count.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<(usize, u32), &'static str> {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        let asked = Asked::read(&headers).map_err(|error| error.to_fault().code)?;
        Ok((asked.attributes.len(), asked.marker))
    }

    #[test]
    fn attributes_are_asked_for_by_name() {
        assert_eq!(asked(&[(ASKED, "ETag, ObjectParts"), (MARKER, "3")]), Ok((2, 3)));
        for bad in [&[][..], &[(ASKED, "etag")], &[(ASKED, "ETag,")], &[(ASKED, "ETag"), (MARKER, "-1")]] {
            assert_eq!(asked(bad), Err("InvalidArgument"), "{bad:?}");
        }
    }
}
