//! Whether a caller may take an action on a key: the key policy and grants decide.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>
//!
//! Users have no identity policies here yet: where a key policy leaves a decision to the policies of an account, each of
//! the account's identities counts as its administrator.

use std::sync::Arc;

use base::{Call, KeyArn};
use policy::{
    Action, AttachedPolicy, CallerFacts, Decision, Denial, DenialReason, Grant, IdentitySide, Origin, Policy,
    PolicyKind, PolicySource, Request, Resource, ResourceSide, decide,
};

use crate::Kms;
use crate::circumstances::Circumstances;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::keys::LoadedKey;

/// What AWS's managed policy AdministratorAccess says.
const ADMINISTRATOR: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// The policies of a caller's own account.
pub(crate) struct CallerRights {
    policies: Vec<AttachedPolicy>,
}

/// A check, as it is about to be decided.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    /// The name without `kms:`.
    pub(crate) action: &'static str,
    pub(crate) key: KeyArn,
    /// Absent if it is about to be made.
    pub(crate) loaded: Option<&'a LoadedKey>,
    pub(crate) facts: &'a Facts<'a>,
}

/// What was decided.
pub(crate) enum Verdict {
    /// Allowed, by this grant if it takes one.
    Allowed(Option<String>),
    /// A statement denies it; no grant can help.
    Denied(KmsError),
    /// Nothing allows it.
    NotAllowed(KmsError),
}

impl CallerRights {
    /// The rights of an administrator.
    pub(crate) fn of_administrator() -> Self {
        let policy = Policy::parse(ADMINISTRATOR, PolicyKind::Identity).map(Arc::new);
        let source = || PolicySource::Managed("arn:aws:iam::aws:policy/AdministratorAccess".to_owned());
        // A text that is no policy gives no rights.
        let policies = policy.into_iter().map(|policy| AttachedPolicy { policy, source: source() }).collect();
        Self { policies }
    }

    fn side(&self) -> IdentitySide<'_> {
        IdentitySide { policies: &self.policies, ..IdentitySide::default() }
    }
}

impl Kms {
    /// Decides a check under a key policy and some grants.
    pub(crate) fn judge(&self, call: &Call, check: Check<'_>, policy: &Policy, grants: &[Grant]) -> Verdict {
        let caller = CallerFacts::of(Arc::clone(&call.caller));
        let arn = check.key.to_string();
        let request = Request {
            action: Action::new("kms", check.action),
            resource: Resource::named(&arn, check.key.account),
            caller: &caller,
            origin: Origin::of(call, self.settings.over_tls),
            context: &Circumstances { facts: check.facts, key: check.loaded },
        };
        let mut resource = ResourceSide::guarded_by(policy);
        resource.grants = grants;
        match decide(&request, &self.caller_rights.side(), &resource) {
            Decision::Allow(allowance) => Verdict::Allowed(allowance.grant.map(str::to_owned)),
            Decision::Deny(denial) => Verdict::of_denial(&denial),
        }
    }

    /// Decides whether a caller may act on a key that is there. Grants are looked up only where the key policy does not
    /// decide. Answers the grant without which it would be refused.
    pub(crate) async fn decide(
        &self,
        call: &Call,
        action: &'static str,
        key: &LoadedKey,
        facts: &Facts<'_>,
    ) -> Result<Option<String>, KmsError> {
        // Of a policy that cannot be read, nothing allows anything.
        let refused = || KmsError::not_in_key_policy(&call.caller, action, key.arn);
        let policy = key.policy.as_deref().ok_or_else(refused)?;
        let check = Check { action, key: key.arn, loaded: Some(key), facts };
        let refusal = match self.judge(call, check, policy, &[]) {
            Verdict::Allowed(grant) => return Ok(grant),
            Verdict::Denied(refusal) => return Err(refusal),
            Verdict::NotAllowed(refusal) => refusal,
        };
        let grants = self.grants_for(call, check).await?;
        if grants.is_empty() {
            return Err(refusal);
        }
        match self.judge(call, check, policy, &grants) {
            Verdict::Allowed(grant) => Ok(grant),
            Verdict::Denied(refusal) | Verdict::NotAllowed(refusal) => Err(refusal),
        }
    }
}

impl Verdict {
    fn of_denial(denial: &Denial<'_>) -> Self {
        let refusal = KmsError::AccessDenied(denial.message());
        match denial.reason() {
            DenialReason::Explicit(_) => Self::Denied(refusal),
            DenialReason::Implicit(_) | DenialReason::OutOfReach => Self::NotAllowed(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_has_one_policy() {
        assert_eq!(CallerRights::of_administrator().policies.len(), 1);
    }
}
