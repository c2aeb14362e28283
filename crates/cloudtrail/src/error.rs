//! What an operation of this service can refuse or fail with.

use store::{CommitError, KeyError, StoreError};
use wire::Fault;
use wire::cloudtrail::ErrorCode;

use crate::ports::PortError;

/// A refused or failed call.
#[derive(Debug, thiserror::Error)]
pub enum CloudTrailError {
    /// The caller may not do this.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// The request asks for what cannot be; the code is AWS's name for why.
    #[error("{}: {text}", code.as_str())]
    Refused {
        /// The error's name in the service model.
        code: ErrorCode,
        /// What is wrong.
        text: String,
    },
    /// Events were looked up too often.
    #[error("events were looked up more than twice in a second")]
    TooOften,
    /// Others changed the same trail all the time.
    #[error("others changed the trail all the time")]
    Contention,
    /// The store does not answer as it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A change cannot be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The audit event could not be made or logged.
    #[error("audit: {0}")]
    Audit(#[from] audit::TrailError),
    /// The log or its index cannot be read.
    #[error("the audit log cannot be read: {0}")]
    Log(std::io::Error),
    /// Another part of the program fails.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Something that this program promised itself does not hold.
    #[error("bug: {0}")]
    Bug(&'static str),
}

/// What a client is told when it is nobody's fault but the service's.
const FAILED: &str = "The service could not answer. Try again; its log says more under this request's id.";

impl CloudTrailError {
    pub(crate) fn refused(code: ErrorCode, text: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into() }
    }

    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::AccessDenied(text) => Fault::bad_request("AccessDeniedException", text.clone()),
            Self::Refused { code, text } => code.fault(text.clone()),
            Self::TooOften => ErrorCode::ThrottlingException.fault("Rate exceeded"),
            Self::Contention => ErrorCode::ConflictException.fault("The trail is being changed. Try again."),
            Self::Store(_)
            | Self::Commit(_)
            | Self::Audit(_)
            | Self::Log(_)
            | Self::Port(_)
            | Self::Bug(_) => Fault::bad_request("InternalFailure", FAILED).with_status(500),
        }
    }
}

impl From<KeyError> for CloudTrailError {
    fn from(_: KeyError) -> Self {
        Self::Bug("a path of a trail is too long")
    }
}
