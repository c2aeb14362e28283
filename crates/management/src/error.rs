//! What an operation of this service can refuse or fail with.

use base::RequestId;
use wire::Fault;
use wire::keywright::ErrorCode;

use crate::ports::{BackupsError, PortError};

/// A refused or failed call.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// The caller may not do this.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// No decision about such a request is known, or none that concerns the caller's account.
    #[error("no decision about request {0} is known")]
    UnknownRequest(RequestId),
    /// The marker is none that this listing gave.
    #[error("not a marker of this listing")]
    InvalidMarker,
    /// The audit event could not be made or logged.
    #[error("audit: {0}")]
    Audit(#[from] audit::TrailError),
    /// No backup is begun.
    #[error(transparent)]
    Backups(#[from] BackupsError),
    /// Another service refuses or fails.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Something that this program promised itself does not hold.
    #[error("bug: {0}")]
    Bug(&'static str),
}

/// What a client is told when it is nobody's fault but the service's.
const FAILED: &str = "The service could not answer. Try again; its log says more under this request's id.";

impl ManagementError {
    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::AccessDenied(text) => Fault::bad_request("AccessDeniedException", text.clone()),
            Self::UnknownRequest(id) => ErrorCode::NotFoundException.fault(format!(
                "No decision about request {id} is known. Only those that deny are kept, unless the setting \
                 explanations.allowed is on, and the newest part of the audit log is looked through for them; an account \
                 learns of requests that it made and of those about its own resources."
            )),
            Self::InvalidMarker => ErrorCode::InvalidMarkerException.fault("The marker is not of this listing."),
            Self::Backups(BackupsError::NoRecipients) => ErrorCode::NoRecipientsException.fault(
                "No recipients of backups are configured. The operator names them in the setting backup.recipients, then \
                 the service is started again; `keywright backup new-identity` makes one.",
            ),
            Self::Backups(BackupsError::InProgress) => ErrorCode::BackupInProgressException
                .fault("Another backup is being made, and there is one at a time. Try again when it is complete."),
            Self::Port(PortError::Refused(fault)) => fault.clone(),
            Self::Backups(BackupsError::Failed(_))
            | Self::Port(PortError::Failed(_))
            | Self::Audit(_)
            | Self::Bug(_) => ErrorCode::InternalException.fault(FAILED),
        }
    }
}
