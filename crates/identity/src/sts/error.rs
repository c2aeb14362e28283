//! Why an STS call is refused, by who is at fault, and what the client is told.
//!
//! Texts are AWS's where they are known from its own answers or from clients that quote them.

use base::RandomnessUnavailable;
use store::{KeyError, StoreError};
use wire::Fault;
use wire::sts::ErrorCode;

use crate::error::IdentityError;

/// An STS call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum StsError {
    /// The caller's: it may not do this.
    #[error("{0}")]
    AccessDenied(String),
    /// The caller's: a constraint that the model does not state.
    #[error("{0}")]
    Validation(String),
    /// The caller's: tags that cannot be set.
    #[error("{0}")]
    InvalidParameter(&'static str),
    /// The caller's: a session policy is none.
    #[error(transparent)]
    MalformedPolicy(#[from] policy::MalformedPolicy),
    /// The caller's: policies and tags are too much for a token.
    #[error("{what} consumes {percent}% of allotted space{advice}")]
    PackedPolicyTooLarge {
        /// Policies or tags.
        what: &'static str,
        /// How much of the space they take.
        percent: usize,
        /// What to do.
        advice: &'static str,
    },
    /// The caller's: a message that was not made here.
    #[error("Message is not valid")]
    InvalidAuthorizationMessage,
    /// Ours or the operator's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// All that a client learns of a failure that is not its own.
const OUR_FAILURE: &str = "The request could not be carried out because of a failure of this service. Its operator \
                           finds the cause in the log under the request id.";

impl StsError {
    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        let code = match self {
            Self::AccessDenied(text) => {
                return Fault::bad_request("AccessDenied", text.clone()).with_status(403);
            }
            Self::Validation(text) => return Fault::bad_request("ValidationError", text.clone()),
            Self::InvalidParameter(text) => return Fault::bad_request("InvalidParameterValue", *text),
            Self::MalformedPolicy(_) => ErrorCode::MalformedPolicyDocumentException,
            Self::PackedPolicyTooLarge { .. } => ErrorCode::PackedPolicyTooLargeException,
            Self::InvalidAuthorizationMessage => ErrorCode::InvalidAuthorizationMessageException,
            Self::Identity(_) => {
                return Fault::bad_request("InternalFailure", OUR_FAILURE).with_status(500);
            }
        };
        code.fault(self.to_string())
    }
}

impl From<StoreError> for StsError {
    fn from(error: StoreError) -> Self {
        Self::Identity(error.into())
    }
}

impl From<KeyError> for StsError {
    fn from(error: KeyError) -> Self {
        Self::Identity(error.into())
    }
}

impl From<RandomnessUnavailable> for StsError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Identity(error.into())
    }
}
