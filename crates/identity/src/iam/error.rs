//! Why an IAM call is refused, by who is at fault, and what the client is told.
//!
//! Texts are AWS's where they are known from its own answers or from clients that quote them.

use store::{CommitError, KeyError, StoreError};
use wire::Fault;
use wire::iam::ErrorCode;

use super::resource::Kind;
use crate::error::IdentityError;
use crate::name::NameError;

/// An IAM call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// The caller's: what the call is about is not there.
    #[error("{0}")]
    NoSuchEntity(String),
    /// The caller's: there is one of this name.
    #[error("{0}")]
    Exists(String),
    /// The caller's: a quota is reached.
    #[error("{0}")]
    LimitExceeded(String),
    /// The caller's: something still depends on what is to be deleted.
    #[error("{0}")]
    DeleteConflict(&'static str),
    /// The caller's: a parameter has no meaning.
    #[error("{0}")]
    InvalidInput(String),
    /// The caller's: a constraint that the model does not state.
    #[error("{0}")]
    Validation(String),
    /// The caller's: a policy document is none.
    #[error(transparent)]
    MalformedPolicy(#[from] policy::MalformedPolicy),
    /// The caller's: it may not do this.
    #[error("{0}")]
    AccessDenied(String),
    /// The caller's: its session is of a kind that cannot call IAM.
    #[error("The security token included in the request is invalid")]
    InvalidClientTokenId,
    /// Nobody's: other writers were faster every time.
    #[error("gave up after conflicting writes")]
    Contention,
    /// Ours or the operator's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// All that a client learns of a failure that is not its own.
const OUR_FAILURE: &str = "The request could not be carried out because of a failure of this service. Its operator \
                           finds the cause in the log under the request id.";

impl IamError {
    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        let code = match self {
            Self::NoSuchEntity(_) => ErrorCode::NoSuchEntityException,
            Self::Exists(_) => ErrorCode::EntityAlreadyExistsException,
            Self::LimitExceeded(_) => ErrorCode::LimitExceededException,
            Self::DeleteConflict(_) => ErrorCode::DeleteConflictException,
            Self::InvalidInput(_) => ErrorCode::InvalidInputException,
            Self::MalformedPolicy(_) => ErrorCode::MalformedPolicyDocumentException,
            Self::Validation(text) => return Fault::bad_request("ValidationError", text.clone()),
            Self::AccessDenied(text) => {
                return Fault::bad_request("AccessDenied", text.clone()).with_status(403);
            }
            Self::InvalidClientTokenId => {
                return Fault::bad_request("InvalidClientTokenId", self.to_string()).with_status(403);
            }
            Self::Contention => {
                return ErrorCode::ConcurrentModificationException
                    .fault("The account was changed by other requests at the same time. Try again.");
            }
            Self::Identity(_) => return ErrorCode::ServiceFailureException.fault(OUR_FAILURE),
        };
        code.fault(self.to_string())
    }

    /// There is no such user, group, role or policy.
    pub(crate) fn no_such(kind: Kind, name: &str) -> Self {
        Self::NoSuchEntity(match kind {
            Kind::User => format!("The user with name {name} cannot be found."),
            Kind::Group => format!("The group with name {name} cannot be found."),
            Kind::Role => format!("The role with name {name} cannot be found."),
            Kind::InstanceProfile => format!("Instance Profile {name} cannot be found."),
            Kind::Policy => format!("Policy {name} was not found."),
            Kind::OpenIdConnectProvider => format!("OpenIDConnect Provider not found for arn {name}"),
        })
    }

    /// There is one of this name.
    pub(crate) fn exists(kind: Kind, name: &str) -> Self {
        Self::Exists(match kind {
            Kind::User => format!("User with name {name} already exists."),
            Kind::Group => format!("Group with name {name} already exists."),
            Kind::Role => format!("Role with name {name} already exists."),
            Kind::InstanceProfile => format!("Instance Profile {name} already exists."),
            Kind::Policy => {
                format!("A policy called {name} already exists. Duplicate names are not allowed.")
            }
            Kind::OpenIdConnectProvider => format!("Provider with url {name} already exists."),
        })
    }

    /// A quota is reached; `quota` is AWS's name of it.
    pub(crate) fn quota(quota: &str, limit: impl std::fmt::Display) -> Self {
        Self::LimitExceeded(format!("Cannot exceed quota for {quota}: {limit}"))
    }

    /// An ARN does not have the form of one, or is of another kind of thing.
    pub(crate) fn invalid_arn(arn: &str) -> Self {
        Self::InvalidInput(format!("ARN {arn} is not valid."))
    }
}

impl From<StoreError> for IamError {
    fn from(error: StoreError) -> Self {
        Self::Identity(error.into())
    }
}

impl From<KeyError> for IamError {
    fn from(error: KeyError) -> Self {
        Self::Identity(error.into())
    }
}

impl From<CommitError> for IamError {
    fn from(error: CommitError) -> Self {
        Self::Identity(match error {
            CommitError::Store(error) => error.into(),
            error @ (CommitError::Conflict { .. }
            | CommitError::TooLarge { .. }
            | CommitError::WrittenTwice { .. }) => IdentityError::Commit(error),
        })
    }
}

impl From<base::RandomnessUnavailable> for IamError {
    fn from(error: base::RandomnessUnavailable) -> Self {
        Self::Identity(error.into())
    }
}

impl From<audit::TrailError> for IamError {
    fn from(error: audit::TrailError) -> Self {
        Self::Identity(error.into())
    }
}

/// A name that the model lets through and that is none here.
impl From<NameError> for IamError {
    fn from(error: NameError) -> Self {
        Self::Validation(error.to_string())
    }
}
