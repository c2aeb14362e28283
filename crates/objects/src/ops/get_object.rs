//! GetObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use base::Call;

use super::put_object::tell_checksum;
use crate::Objects;
use crate::blob::BlobError;
use crate::bucket::{Bucket, Facts};
use crate::conditions::{Judgement, judge_read, to_http_date};
use crate::contents::Contents;
use crate::encryption::{CustomerKey, Place, check_source};
use crate::error::ObjectsError;
use crate::extent::Extent;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::StoredChecksum;
use crate::request::{Answer, AnswerBody, Headers, Query, Request};
use crate::stored_object::StoredObject;
use crate::version::VersionId;

/// How often an object is looked up again that was replaced between the look-up and its reading.
pub(super) const ATTEMPTS_MAX: u32 = 8;

/// Parameters that put a header of the caller's choice into the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

impl Objects {
    pub(crate) async fn get_object(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let Request { headers, query, .. } = request;
        check_overrides(&query)?;
        let version = VersionId::of_query(&query)?;
        let customer = CustomerKey::read_to_open(&headers, self.keys_in_clear(call))?;
        let asked = (&headers, &query);
        for _ in 0..ATTEMPTS_MAX {
            let access = (ObjectAccess::Read, Facts::default());
            let object = self.object(call, (&bucket, key), version.as_ref(), access).await?;
            let read = self.read_contents(call, asked, (&bucket, key), &object, customer.as_ref()).await;
            match read {
                Err(ObjectsError::Gone | ObjectsError::Blob(BlobError::Missing(_))) => {}
                Err(error) => return Err(error),
                Ok(answer) => {
                    let place = (&bucket, key);
                    return self.tell_beside(call, place, version.as_ref(), &object, answer).await;
                }
            }
        }
        Err(ObjectsError::Damaged("the blob of an object is missing"))
    }

    async fn read_contents(
        &self,
        call: &Call,
        (headers, query): (&Headers, &Query),
        (bucket, key): (&Bucket, &ObjectKey),
        object: &StoredObject,
        customer: Option<&CustomerKey>,
    ) -> Result<Answer, ObjectsError> {
        let StoredObject { record, details, .. } = object;
        check_source(record.encryption.is_customers(), customer.is_some())?;
        if judge_read(headers, &details.entity_tag, record.modified())? == Judgement::NotModified {
            return Ok(tell_state(Answer::empty(304), bucket, object));
        }
        let extent = Extent::read(headers, query, record)?;
        let place = Place { bucket, key, version: &record.version };
        let content_keys = self.unlock(call, place, &record.encryption, customer).await?;
        let range = (extent.from, extent.to);
        let mut contents = Contents::open(self.shelf(), content_keys, record, range).await?;
        let checksum = self.checksum_of(headers, place, object, &extent).await?;
        let answer = tell(extent.answer(record.size), (bucket, object), query, checksum.as_ref());
        let answer = record.encryption.tell(answer, customer);
        if extent.length() == 0 {
            // Nobody would ask for the pieces of nothing, and yet it must be what was written.
            while contents.next().await?.is_some() {}
            return Ok(answer.header("content-length", "0"));
        }
        let body = AnswerBody::Contents(Box::new(contents), extent.length());
        Ok(Answer { body, ..answer })
    }
}

/// Refuses a header of the caller's choice that would be none, as the service does with what is not ISO 8859-1.
pub(super) fn check_overrides(query: &Query) -> Result<(), ObjectsError> {
    let is_of_header = |one: char| one <= '\u{ff}' && (one == '\t' || !one.is_control());
    for (parameter, _) in OVERRIDES {
        if let Some(value) = query.get(parameter).filter(|value| !value.chars().all(is_of_header)) {
            let text = "Header value cannot be represented using ISO-8859-1.";
            return Err(ObjectsError::invalid_argument(text, parameter, value));
        }
    }
    Ok(())
}

/// Puts into an answer what it tells of an object, but for its encryption and length.
pub(super) fn tell(
    answer: Answer,
    (bucket, object): (&Bucket, &StoredObject),
    query: &Query,
    checksum: Option<&StoredChecksum>,
) -> Answer {
    let mut answer = tell_state(answer, bucket, object).header("accept-ranges", "bytes");
    for (parameter, header) in OVERRIDES {
        let stored = object.details.headers.get(header).map(String::as_str);
        answer = answer.optional(header, query.get(parameter).or(stored));
    }
    for (name, value) in &object.details.metadata {
        answer = answer.header(format!("x-amz-meta-{name}"), value);
    }
    match checksum {
        Some(checksum) => tell_checksum(answer, checksum),
        None => answer,
    }
}

fn tell_state(answer: Answer, bucket: &Bucket, object: &StoredObject) -> Answer {
    bucket
        .tell_version(answer, "x-amz-version-id", &object.record)
        .header("etag", format!("\"{}\"", object.details.entity_tag))
        .header("last-modified", to_http_date(object.record.modified()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_choice_is_one() {
        let refused = |query: &str| {
            let refused = check_overrides(&Query::read(query).unwrap()).err();
            refused.map(|error| (error.to_fault().code, error.details().to_vec()))
        };
        for query in
            ["", "response-expires=0", "response-content-disposition=a%3B%20b%3D%C3%A9%09", "other=%0d%0a"]
        {
            assert_eq!(refused(query), None, "{query}");
        }
        for (encoded, value) in
            [("a%0d%0ax:b", "a\r\nx:b"), ("%00", "\0"), ("%C2%85", "\u{85}"), ("%E2%80%93", "–")]
        {
            let (code, details) = refused(&format!("response-content-type={encoded}")).unwrap();
            assert_eq!(code, "InvalidArgument");
            let expected = [("ArgumentName", "response-content-type"), ("ArgumentValue", value)];
            assert_eq!(details, expected.map(|(name, value)| (name, value.to_owned())));
        }
    }
}
