//! Why an STS call is refused, by who is at fault, and what the client is told.
//!
//! Texts are AWS's where they are known from its own answers or from clients that quote them.

use base::{AccountId, Caller, RandomnessUnavailable};
use policy::Reasons;
use store::{KeyError, StoreError};
use wire::Fault;
use wire::sts::ErrorCode;

use crate::error::IdentityError;
use crate::web_identity::{NoKeys, TokenRefused};

/// An STS call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum StsError {
    /// The caller's: policies do not let it do this.
    #[error("{0}")]
    AccessDenied(String),
    /// The caller's: it may not do this, whatever policies say.
    #[error("{text}")]
    NeverAllowed {
        /// For the client.
        text: String,
        /// What stands against it.
        why: &'static str,
        /// The ARN of what it would be done to and who owns that, if it is something in particular.
        on: Option<(String, AccountId)>,
    },
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
    /// The caller's: a token that proves nothing.
    #[error("{0}")]
    InvalidIdentityToken(String),
    /// The caller's: a token whose time is over.
    #[error("{0}")]
    ExpiredToken(String),
    /// The identity provider's, or the operator's: its keys cannot be had.
    #[error(
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity \
         documentation for requirements"
    )]
    IdentityProvider(#[source] NoKeys),
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
    /// A refusal of an operation that is on nothing in particular.
    pub(super) fn never(text: impl Into<String>, why: &'static str) -> Self {
        Self::NeverAllowed { text: text.into(), why, on: None }
    }

    /// The reasons, if no policy was asked. Those of decisions are known where they are taken.
    pub(super) fn reasons(&self, caller: &Caller, operation: &str) -> Option<Reasons> {
        let Self::NeverAllowed { text, why, on } = self else { return None };
        let owner = on.as_ref().map_or(caller.account, |(_, owner)| *owner);
        let resource = on.as_ref().map(|(arn, _)| arn.clone());
        Some(Reasons::refused(caller, (format!("sts:{operation}"), resource, owner), why, text.clone()))
    }

    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        let code = match self {
            Self::AccessDenied(text) | Self::NeverAllowed { text, .. } => {
                return Fault::bad_request("AccessDenied", text.clone()).with_status(403);
            }
            Self::Validation(text) => return Fault::bad_request("ValidationError", text.clone()),
            Self::InvalidParameter(text) => return Fault::bad_request("InvalidParameterValue", *text),
            Self::MalformedPolicy(_) => ErrorCode::MalformedPolicyDocumentException,
            Self::PackedPolicyTooLarge { .. } => ErrorCode::PackedPolicyTooLargeException,
            Self::InvalidIdentityToken(_) => ErrorCode::InvalidIdentityTokenException,
            Self::ExpiredToken(_) => ErrorCode::ExpiredTokenException,
            Self::IdentityProvider(_) => ErrorCode::IDPCommunicationErrorException,
            Self::InvalidAuthorizationMessage => ErrorCode::InvalidAuthorizationMessageException,
            Self::Identity(_) => {
                return Fault::bad_request("InternalFailure", OUR_FAILURE).with_status(500);
            }
        };
        code.fault(self.to_string())
    }
}

impl From<TokenRefused> for StsError {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Invalid(text) => Self::InvalidIdentityToken(text),
            TokenRefused::Expired { .. } => Self::ExpiredToken(refused.to_string()),
            TokenRefused::NoKeys(error) => Self::IdentityProvider(error),
            TokenRefused::Identity(error) => Self::Identity(error),
        }
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
