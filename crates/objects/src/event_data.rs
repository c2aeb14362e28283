//! What events tell beside requests and answers, `additionalEventData`: how a request was signed, how many bytes went to and
//! fro, and what encrypts the object.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use base::Call;
use bytes::Bytes;

use crate::error::BodyError;
use crate::operation::Operation;
use crate::request::{Answer, AnswerBody, BodySource, Headers, Request};

const ALGORITHM: &str = "x-amz-server-side-encryption";
const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// What is known of a call before it is carried out.
pub(crate) struct EventData {
    /// Of forms no name is known.
    authentication: Option<&'static str>,
    /// The request leaves it to the bucket how the object is encrypted.
    by_default: bool,
    received: Arc<AtomicU64>,
}

impl EventData {
    /// Looks at a request, and counts the bytes of its body from now on.
    pub(crate) fn begin(operation: Operation, request: &mut Request) -> Self {
        let in_query = request.query.get("X-Amz-Signature").is_some();
        let in_head = if in_query { "QueryString" } else { "AuthHeader" };
        let received = Arc::new(AtomicU64::new(0));
        let body = std::mem::replace(&mut request.body, Box::new(NoBody));
        request.body = Box::new(Counted { body, received: Arc::clone(&received) });
        Self {
            authentication: (operation != Operation::PostObject).then_some(in_head),
            by_default: decides_encryption(operation) && says_nothing(&request.headers),
            received,
        }
    }

    /// Notes it for the event of the call, with what is known now. The bytes of an answer are those that are going to be
    /// sent.
    pub(crate) fn note(&self, call: &Call, answer: Option<&Answer>) {
        let is_signed = !call.caller.is_anonymous();
        if is_signed {
            call.event.add("SignatureVersion", "SigV4");
        }
        if let Some(tls) = &call.tls {
            call.event.add("CipherSuite", &tls.cipher_suite);
        }
        call.event.add_number("bytesTransferredIn", self.received.load(Ordering::Relaxed));
        if let Some(applied) = answer.and_then(|answer| self.applied(answer)) {
            call.event.add("SSEApplied", applied);
        }
        if let Some(method) = self.authentication.filter(|_| is_signed) {
            call.event.add("AuthenticationMethod", method);
        }
        // What an error says is written later than its event.
        if let Some(answer) = answer {
            call.event.add_number("bytesTransferredOut", length(&answer.body));
        }
    }

    /// What encrypts the object, if the answer tells.
    fn applied(&self, answer: &Answer) -> Option<&'static str> {
        let header = |name: &str| answer.headers.iter().find(|(known, _)| known == name);
        if header(CUSTOMER_ALGORITHM).is_some() {
            return Some("SSE_C");
        }
        let (_, algorithm) = header(ALGORITHM)?;
        match (algorithm.as_str(), self.by_default) {
            ("AES256", true) => Some("Default_SSE_S3"),
            ("AES256", false) => Some("SSE_S3"),
            ("aws:kms", true) => Some("Default_SSE_KMS"),
            ("aws:kms", false) => Some("SSE_KMS"),
            ("aws:kms:dsse", true) => Some("Default_DSSE_KMS"),
            ("aws:kms:dsse", false) => Some("DSSE_KMS"),
            (_, _) => None,
        }
    }
}

/// Whether a request of this operation says how an object is encrypted. Of parts and reads, others have said it before.
fn decides_encryption(operation: Operation) -> bool {
    const DECIDING: [Operation; 4] = [
        Operation::CopyObject,
        Operation::CreateMultipartUpload,
        Operation::PostObject,
        Operation::PutObject,
    ];
    DECIDING.contains(&operation)
}

fn says_nothing(headers: &Headers) -> bool {
    [ALGORITHM, CUSTOMER_ALGORITHM].iter().all(|name| headers.get(name).is_none())
}

fn length(body: &AnswerBody) -> u64 {
    match body {
        AnswerBody::Empty => 0,
        AnswerBody::Xml(bytes) | AnswerBody::Json(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        AnswerBody::Contents(_, length) => *length,
    }
}

/// Counts what comes.
struct Counted {
    body: Box<dyn BodySource>,
    received: Arc<AtomicU64>,
}

#[async_trait]
impl BodySource for Counted {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let piece = self.body.next().await?;
        let length = piece.as_ref().map_or(0, Bytes::len);
        self.received.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(piece)
    }
}

/// Stands in the place of a body while that is wrapped.
struct NoBody;

#[async_trait]
impl BodySource for NoBody {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(by_default: bool, headers: &[(&str, &str)]) -> Option<&'static str> {
        let data = EventData { authentication: Some("AuthHeader"), by_default, received: Arc::default() };
        let answer =
            headers.iter().fold(Answer::empty(200), |answer, (name, value)| answer.header(*name, *value));
        data.applied(&answer)
    }

    #[test]
    fn what_encrypts_an_object_is_told_and_whether_somebody_asked_for_it() {
        for (algorithm, asked, by_default) in [
            ("AES256", "SSE_S3", "Default_SSE_S3"),
            ("aws:kms", "SSE_KMS", "Default_SSE_KMS"),
            ("aws:kms:dsse", "DSSE_KMS", "Default_DSSE_KMS"),
        ] {
            assert_eq!(applied(false, &[(ALGORITHM, algorithm)]), Some(asked));
            assert_eq!(applied(true, &[(ALGORITHM, algorithm)]), Some(by_default));
        }
        assert_eq!(applied(false, &[(CUSTOMER_ALGORITHM, "AES256")]), Some("SSE_C"));
        assert_eq!(applied(true, &[("etag", "x")]), None);
    }
}
