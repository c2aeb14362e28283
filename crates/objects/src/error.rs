//! What S3's operations refuse or fail with.

use base::RandomnessUnavailable;
use keyring::KeyringError;
use store::{CommitError, KeyError, StoreError};
use wire::Fault;
use wire::s3::{ChunkedFault, Document};
use wire::sigv4::{InvalidSignature, Protocol, Refusal};

use crate::blob::BlobError;
use crate::ports::PortError;

/// A refused or failed call.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The request asks for what cannot be.
    #[error("{}: {}", .0.fault.code, .0.fault.message.as_deref().unwrap_or_default())]
    Refused(Box<Refused>),
    /// The body did not come in full, or not in time.
    #[error("the body did not come: {0}")]
    Body(#[from] BodyError),
    /// What was to be read has been replaced meanwhile.
    #[error("the contents of an object went away while they were opened")]
    Gone,
    /// What is stored is not what was written.
    #[error("the contents of an object are damaged: {0}")]
    Damaged(&'static str),
    /// The store does not answer as it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A change cannot be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The back-end of objects fails.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Domain keys cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The audit event could not be made or logged.
    #[error("audit: {0}")]
    Audit(#[from] audit::TrailError),
    /// Another part of the program fails.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The system's fault.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// Something that this program promised itself does not hold.
    #[error("bug: {0}")]
    Bug(&'static str),
}

/// Why the body of a request did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing came for too long.
    #[error("nothing came for too long")]
    TimedOut,
    /// The connection broke or sent nonsense.
    #[error("the connection broke")]
    Broken,
    /// The form is none, or does not end.
    #[error("the form is no whole multipart/form-data")]
    MalformedForm,
}

/// A refusal, with what S3 tells beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Code, status and text.
    pub fault: Fault,
    /// Further elements of the answer.
    pub details: Vec<(&'static str, String)>,
    /// Further headers of the answer.
    pub headers: Vec<(&'static str, String)>,
}

const FAILED: &str = "We encountered an internal error. Please try again.";
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
const UNAVAILABLE: &str = "Service is unable to handle request.";

impl ObjectsError {
    /// A refusal with this code, status and text.
    pub(crate) fn refused(code: &'static str, status: u16, text: impl Into<String>) -> Self {
        Self::of_fault(Fault::bad_request(code, text).with_status(status))
    }

    /// A refusal with status 400.
    pub(crate) fn bad(code: &'static str, text: impl Into<String>) -> Self {
        Self::refused(code, 400, text)
    }

    pub(crate) fn of_fault(fault: Fault) -> Self {
        Self::Refused(Box::new(Refused { fault, details: Vec::new(), headers: Vec::new() }))
    }

    pub(crate) fn access_denied(text: impl Into<String>) -> Self {
        Self::refused("AccessDenied", 403, text)
    }

    pub(crate) fn invalid_argument(text: impl Into<String>, name: &str, value: &str) -> Self {
        Self::bad("InvalidArgument", text).with("ArgumentName", name).with("ArgumentValue", value)
    }

    pub(crate) fn not_implemented() -> Self {
        let text = "A header you provided implies functionality that is not implemented.";
        Self::refused("NotImplemented", 501, text)
    }

    pub(crate) fn no_such_bucket(name: &str) -> Self {
        Self::refused("NoSuchBucket", 404, "The specified bucket does not exist").with("BucketName", name)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::refused("NoSuchKey", 404, "The specified key does not exist.").with("Key", key)
    }

    pub(crate) fn malformed_xml() -> Self {
        let text =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Self::bad("MalformedXML", text)
    }

    pub(crate) fn precondition_failed(condition: &'static str) -> Self {
        let text = "At least one of the pre-conditions you specified did not hold";
        Self::refused("PreconditionFailed", 412, text).with("Condition", condition)
    }

    /// What the answer tells beside code and text.
    pub fn details(&self) -> &[(&'static str, String)] {
        if let Self::Refused(refused) = self { &refused.details } else { &[] }
    }

    /// Headers that the answer has beside those that every answer has.
    pub fn headers(&self) -> &[(&'static str, String)] {
        if let Self::Refused(refused) = self { &refused.headers } else { &[] }
    }

    /// S3 has no such method.
    pub fn method_not_allowed() -> Self {
        let text = "The specified method is not allowed against this resource.";
        Self::refused("MethodNotAllowed", 405, text)
    }

    /// The same refusal with one element more.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.details.push((name, value.into()));
        }
        self
    }

    /// The same refusal with one header more.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.headers.push((name, value.into()));
        }
        self
    }

    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::Refused(refused) => refused.fault.clone(),
            Self::Body(BodyError::TimedOut) => Fault::bad_request(
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
            ),
            Self::Body(BodyError::Broken) => {
                Fault::bad_request("IncompleteBody", "The request body terminated unexpectedly")
            }
            Self::Blob(BlobError::Unavailable(_)) => {
                Fault::bad_request("ServiceUnavailable", UNAVAILABLE).with_status(503)
            }
            Self::Body(BodyError::MalformedForm) => Fault::bad_request(
                "MalformedPOSTRequest",
                "The body of your POST request is not well-formed multipart/form-data.",
            ),
            Self::Gone
            | Self::Damaged(_)
            | Self::Store(_)
            | Self::Commit(_)
            | Self::Blob(BlobError::Missing(_) | BlobError::Failed(_))
            | Self::Keyring(_)
            | Self::Audit(_)
            | Self::Port(_)
            | Self::Randomness(_)
            | Self::Bug(_) => Fault::bad_request("InternalError", FAILED).with_status(500),
        }
    }
}

/// A fault in S3's form.
pub fn fault_xml(
    fault: &Fault,
    details: &[(&'static str, String)],
    resource: &str,
    request_id: &str,
) -> Vec<u8> {
    let mut document = Document::plain("Error");
    document.text("Code", fault.code).optional("Message", fault.message.as_deref());
    for (name, value) in details {
        document.text(name, value);
    }
    document.text("Resource", resource).text("RequestId", request_id);
    document.finish()
}

impl From<KeyError> for ObjectsError {
    fn from(_: KeyError) -> Self {
        Self::Bug("a path of an object is too long")
    }
}

impl From<ChunkedFault> for ObjectsError {
    fn from(fault: ChunkedFault) -> Self {
        match fault {
            ChunkedFault::Malformed => {
                Self::bad("IncompleteBody", "The request body terminated unexpectedly")
            }
            ChunkedFault::Signature(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for ObjectsError {
    fn from(refusal: Refusal) -> Self {
        Self::of_fault(refusal.to_fault(Protocol::S3))
    }
}

impl From<InvalidSignature> for ObjectsError {
    fn from(invalid: InvalidSignature) -> Self {
        Refusal::from(invalid).into()
    }
}
