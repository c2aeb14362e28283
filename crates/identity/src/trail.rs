//! What the audit trail is told: of calls, and of what is done at start or from a seed.

use audit::{EventError, EventName};
use base::AccountId;
use wire::Fault;

use crate::error::IdentityError;
use crate::service::Identity;

/// An operation of IAM as events name it.
pub(crate) const fn iam_event(operation: &'static str, read_only: bool) -> EventName {
    EventName { source: "iam.amazonaws.com", operation, read_only, is_global: true, is_data: false }
}

/// An operation of STS as events name it. None changes anything.
pub(crate) const fn sts_event(operation: &'static str) -> EventName {
    EventName { source: "sts.amazonaws.com", operation, read_only: true, is_global: false, is_data: false }
}

/// An error as events tell it.
pub(crate) fn event_error(fault: &Fault) -> EventError<'_> {
    EventError { code: fault.code, message: fault.message.as_deref() }
}

/// The event of what is done at start or from a seed by the service itself: no caller, no request. AWS records what is
/// global in us-east-1.
pub(crate) fn record(
    identity: &Identity,
    account: AccountId,
    event: &'static str,
    path_and_name: Option<&str>,
) -> Result<Vec<u8>, IdentityError> {
    let source = if path_and_name.is_some() { "iam.amazonaws.com" } else { "organizations.amazonaws.com" };
    let region = "us-east-1".parse().map_err(|_| IdentityError::Damaged("us-east-1".to_owned()))?;
    let event = identity.trail.service_event(identity.clock.now(), account, region, (source, event))?;
    let event = match path_and_name {
        Some(user) => {
            event.with_resource("AWS::IAM::User", account, format_args!("arn:aws:iam::{account}:user/{user}"))
        }
        None => event,
    };
    Ok(event.encode())
}
