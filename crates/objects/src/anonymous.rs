//! Requests that nobody signed: what they can ask for at all. All else a bucket's policy must open to everybody.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html>; texts as the service answers.

use base::{Call, UnsignedCall};

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::request::{Headers, Request, Target};

/// What S3 does for nobody, whatever policies say, and what it tells of that.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>
const NEVER: [(Operation, &str); 5] = [
    (Operation::CopyObject, "Anonymous users cannot copy objects.  Please authenticate."),
    (
        Operation::CreateMultipartUpload,
        "Anonymous users cannot initiate multipart uploads.  Please authenticate.",
    ),
    (Operation::UploadPart, DENIED),
    (Operation::UploadPartCopy, DENIED),
    (Operation::CompleteMultipartUpload, DENIED),
];
const DENIED: &str = "Access Denied";
const READING: [Operation; 2] = [Operation::GetObject, Operation::HeadObject];
/// Parameters that put a header of the caller's choice into the answer begin so.
const OVERRIDE: &str = "response-";
/// The longest body in XML, in bytes: it is read before what it names can be judged.
const XML_MAX: u64 = 1 << 20;

impl Objects {
    /// The call that a request makes which nobody signed. It is told to the account of the bucket, and in its Region. Where no
    /// policy can let it in, it is none, and leaves no event.
    ///
    /// # Errors
    /// There is no such bucket, it has no policy or is closed to strangers, or the request is about none that is there.
    pub async fn anonymous_call(
        &self,
        operation: Operation,
        target: &Target,
        call: UnsignedCall,
    ) -> Result<Call, ObjectsError> {
        let bucket = match (operation, target) {
            (Operation::CreateBucket, _) | (_, Target::Service) => return Err(denied()),
            (_, Target::Bucket(name) | Target::Object(name, _)) => self.bucket_anywhere(name).await?,
        };
        let call = call.anonymous(bucket.owner, bucket.region);
        match self.policies.of(&bucket)? {
            Some(policy) if !bucket.is_restricted_for(&call, &policy) => Ok(call),
            Some(_) | None => Err(check_operation(operation).err().unwrap_or_else(denied)),
        }
    }
}

/// Whether this is a refusal to an anonymous caller.
pub(crate) fn is_refused<T>(call: &Call, answer: &Result<T, ObjectsError>) -> bool {
    call.caller.is_anonymous() && matches!(answer, Err(ObjectsError::Refused(_)))
}

/// Refuses an operation that is for no anonymous caller.
///
/// # Errors
/// It is such.
pub(crate) fn check_operation(operation: Operation) -> Result<(), ObjectsError> {
    match NEVER.iter().find(|(never, _)| *never == operation) {
        Some((_, text)) => Err(ObjectsError::access_denied(*text)),
        None => Ok(()),
    }
}

/// Refuses what an anonymous caller cannot ask for of a bucket that may be open.
///
/// # Errors
/// The request is such.
pub(crate) fn check_request(operation: Operation, request: &Request) -> Result<(), ObjectsError> {
    if operation == Operation::UpdateObjectEncryption || asks_for_kms(&request.headers) {
        return Err(takes_signature());
    }
    if READING.contains(&operation) && request.query.names().any(|name| name.starts_with(OVERRIDE)) {
        let text = "Request specific response headers cannot be used for anonymous GET requests.";
        return Err(ObjectsError::bad("InvalidRequest", text));
    }
    if operation == Operation::DeleteObjects && announced(&request.headers) > XML_MAX {
        return Err(ObjectsError::bad(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ));
    }
    Ok(())
}

/// That nobody but the policies of a bucket decides is all that a stranger is told.
pub(crate) fn denied() -> ObjectsError {
    ObjectsError::access_denied(DENIED)
}

/// What is under a KMS key is never an anonymous caller's: the key service has to know who asks.
///
/// # Errors
/// The caller is such.
pub(crate) fn refuse_kms(call: &Call) -> Result<(), ObjectsError> {
    if call.caller.is_anonymous() { Err(takes_signature()) } else { Ok(()) }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
fn takes_signature() -> ObjectsError {
    let text = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
    ObjectsError::bad("InvalidArgument", text)
}

fn asks_for_kms(headers: &Headers) -> bool {
    let algorithm = headers.get("x-amz-server-side-encryption");
    algorithm.is_some_and(|algorithm| algorithm.starts_with("aws:kms"))
        || headers.get("x-amz-server-side-encryption-aws-kms-key-id").is_some()
}

/// The length that a body announces; the body is held to it later.
fn announced(headers: &Headers) -> u64 {
    let lengths = ["content-length", "x-amz-decoded-content-length"];
    let lengths = lengths.iter().filter_map(|name| headers.get(name)?.parse().ok());
    lengths.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use wire::sigv4::Payload;

    use super::*;
    use crate::error::BodyError;
    use crate::request::{BodySource, Method, Query};

    struct NoBody;

    #[async_trait]
    impl BodySource for NoBody {
        async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
            Ok(None)
        }
    }

    fn checked(
        operation: Operation,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), (&'static str, u16)> {
        let request = Request {
            method: Method::Get,
            target: Target::read("/b/k").unwrap(),
            bucket_is_in_host: false,
            query: Query::read(query).unwrap(),
            headers: Headers::new(headers.iter().map(|(name, value)| (*name, value.as_bytes()))),
            payload: Payload::Unsigned,
            body: Box::new(NoBody),
            form: None,
        };
        let checked = check_operation(operation).and_then(|()| check_request(operation, &request));
        checked.map_err(|error| (error.to_fault().code, error.to_fault().status))
    }

    #[test]
    fn what_takes_a_signature_is_refused_whatever_policies_say() {
        for operation in [
            Operation::CopyObject,
            Operation::CreateMultipartUpload,
            Operation::UploadPart,
            Operation::UploadPartCopy,
            Operation::CompleteMultipartUpload,
        ] {
            assert_eq!(checked(operation, "", &[]), Err(("AccessDenied", 403)));
        }
        assert_eq!(checked(Operation::UpdateObjectEncryption, "", &[]), Err(("InvalidArgument", 400)));
        for (header, value) in [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption", "aws:kms:dsse"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "k"),
        ] {
            assert_eq!(checked(Operation::PutObject, "", &[(header, value)]), Err(("InvalidArgument", 400)));
        }
        assert_eq!(checked(Operation::PutObject, "", &[("x-amz-server-side-encryption", "AES256")]), Ok(()));
    }

    #[test]
    fn nobody_chooses_headers_of_answers_without_a_signature() {
        for operation in READING {
            let query = "response-content-type=text%2Fhtml";
            assert_eq!(checked(operation, query, &[]), Err(("InvalidRequest", 400)));
            assert_eq!(checked(operation, "partNumber=1", &[]), Ok(()));
        }
        assert_eq!(checked(Operation::ListObjectsV2, "response-expires=0", &[]), Ok(()));
    }

    #[test]
    fn long_lists_take_a_signature() {
        for (header, length, expected) in [
            ("content-length", "1048576", Ok(())),
            ("content-length", "1048577", Err(("EntityTooLarge", 400))),
            ("x-amz-decoded-content-length", "1048577", Err(("EntityTooLarge", 400))),
        ] {
            assert_eq!(checked(Operation::DeleteObjects, "", &[(header, length)]), expected);
        }
        assert_eq!(checked(Operation::PutObject, "", &[("content-length", "1048577")]), Ok(()));
    }
}
