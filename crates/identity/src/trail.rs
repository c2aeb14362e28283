//! The audit records that changes of identities carry into the store's outbox.

use audit::{EventId, MutationRecord};
use base::AccountId;

use crate::error::IdentityError;
use crate::service::Identity;

/// What is done at start or from a seed is done by the service itself: no caller, no request. AWS records what is
/// global in us-east-1.
pub(crate) fn record(
    identity: &Identity,
    account: AccountId,
    event: &'static str,
    path_and_name: Option<&str>,
) -> Result<Vec<u8>, IdentityError> {
    let mut random = [0; 16];
    identity.randomness.fill(&mut random)?;
    let source = if path_and_name.is_some() { "iam.amazonaws.com" } else { "organizations.amazonaws.com" };
    let region = "us-east-1".parse().map_err(|_| IdentityError::Damaged("us-east-1".to_owned()))?;
    let now = identity.clock.now();
    let record = MutationRecord::of_service(EventId::new(random), now, account, region, source, event);
    let record = match path_and_name {
        Some(user) => record.with_user(account, format_args!("arn:aws:iam::{account}:user/{user}")),
        None => record,
    };
    Ok(record.encode()?)
}
