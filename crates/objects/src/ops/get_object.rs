//! GetObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use base::Call;

use super::put_object::tell_checksum;
use crate::Objects;
use crate::blob::BlobError;
use crate::bucket::{Bucket, Facts};
use crate::conditions::{Judgement, judge_read, range_of, to_http_date};
use crate::contents::Contents;
use crate::encryption::{CustomerKey, Place, check_read};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, AnswerBody, Headers, Query, Request};
use crate::stored_object::StoredObject;
use crate::version::VersionId;

/// How often an object is looked up again that was replaced between the look-up and its reading.
const ATTEMPTS_MAX: u32 = 8;

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
        let version = VersionId::of_query(&query)?;
        let (action, facts) = reading(version.as_ref());
        self.authorize_object(call, action, (&bucket, key), &facts).await?;
        let customer = CustomerKey::read(&headers, self.keys_in_clear(call))?;
        let asked = (&headers, &query);
        for _ in 0..ATTEMPTS_MAX {
            let object = self.object(call, (&bucket, key), version.as_ref()).await?;
            let read = self.read_contents(call, asked, (&bucket, key), &object, customer.as_ref()).await;
            match read {
                Err(ObjectsError::Gone | ObjectsError::Blob(BlobError::Missing(_))) => {}
                answered => return answered,
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
        check_read(headers, record.encryption.is_customers(), customer.is_some())?;
        if judge_read(headers, &details.entity_tag, record.modified())? == Judgement::NotModified {
            return Ok(tell_state(Answer::empty(304), bucket, object));
        }
        let range = range_of(headers, record.size)?;
        let place = Place { bucket, key, version: &record.version };
        let content_keys = self.unlock(call, place, &record.encryption, customer).await?;
        let (from, to) = range.unwrap_or((0, record.size));
        let mut contents = Contents::open(self.shelf(), content_keys, record, (from, to)).await?;
        let answer = match range {
            Some((from, to)) => {
                let range = format!("bytes {from}-{}/{}", to.saturating_sub(1), record.size);
                Answer::empty(206).header("content-range", range)
            }
            None => Answer::empty(200),
        };
        let answer = tell(answer, (bucket, object), headers, query, range.is_none());
        let answer = record.encryption.tell(answer, customer);
        if record.size == 0 {
            // Nobody would ask for the pieces of nothing, and yet it must be what was written.
            while contents.next().await?.is_some() {}
            return Ok(answer.header("content-length", "0"));
        }
        let body = AnswerBody::Contents(Box::new(contents), to.saturating_sub(from));
        Ok(Answer { body, ..answer })
    }
}

/// What a reader must be allowed: versions that are named have an action of their own.
pub(super) fn reading(version: Option<&VersionId>) -> (&'static str, Facts) {
    match version {
        Some(id) => ("GetObjectVersion", Facts::default().with("s3:versionid", Some(&id.to_string()))),
        None => ("GetObject", Facts::default()),
    }
}

/// Puts into an answer what it tells of an object, but for its encryption and length.
pub(super) fn tell(
    answer: Answer,
    (bucket, object): (&Bucket, &StoredObject),
    headers: &Headers,
    query: &Query,
    is_whole: bool,
) -> Answer {
    let mut answer = tell_state(answer, bucket, object).header("accept-ranges", "bytes");
    for (parameter, header) in OVERRIDES {
        let stored = object.details.headers.get(header).map(String::as_str);
        answer = answer.optional(header, query.get(parameter).or(stored));
    }
    for (name, value) in &object.details.metadata {
        answer = answer.header(format!("x-amz-meta-{name}"), value);
    }
    let wants_checksum =
        headers.get("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    match &object.details.checksum {
        // Of a part of the object there is no checksum.
        Some(checksum) if wants_checksum && is_whole => tell_checksum(answer, checksum),
        Some(_) | None => answer,
    }
}

fn tell_state(answer: Answer, bucket: &Bucket, object: &StoredObject) -> Answer {
    bucket
        .tell_version(answer, "x-amz-version-id", &object.record)
        .header("etag", format!("\"{}\"", object.details.entity_tag))
        .header("last-modified", to_http_date(object.record.modified()))
}
