//! Whether a caller may take an action: key policy, identity policies and grants decide together about keys, identity
//! policies alone about aliases and about calls without a key.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>

use std::sync::Arc;

use base::{Call, KeyArn};
use policy::{
    Action, CallerFacts, Decision, Denial, DenialReason, Grant, Origin, Policy, Request, Resource,
    ResourceSide, decide,
};

use crate::Kms;
use crate::circumstances::Circumstances;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::keys::LoadedKey;
use crate::principal::CallerRights;

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

impl Kms {
    /// Decides a check under a key policy and some grants.
    pub(crate) fn judge(
        &self,
        call: &Call,
        check: Check<'_>,
        (rights, policy, grants): (&dyn CallerRights, &Policy, &[Grant]),
    ) -> Verdict {
        let caller = CallerFacts::of(Arc::clone(&call.caller));
        let arn = check.key.to_string();
        let request = Request {
            action: Action::new("kms", check.action),
            resource: Resource::named(&arn, check.key.account),
            caller: &caller,
            origin: Origin::of(call),
            context: &Circumstances::of(call, check.action, check.facts, check.loaded),
        };
        let mut resource = ResourceSide::guarded_by(policy);
        resource.grants = grants;
        if let Some(guardrails) = self.guardrails.of(check.key.account) {
            resource.organization = Some(&guardrails.organization);
            // They are for customer managed keys only.
            if check.loaded.is_none_or(|key| key.record.managed_by.is_none()) {
                resource.resource_control = &guardrails.resource_control;
            }
        }
        match decide(&request, &rights.side(), &resource) {
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
        let rights = self.principals.rights_of(&call.caller).await?;
        let refusal = match self.judge(call, check, (&*rights, policy, &[])) {
            Verdict::Allowed(grant) => return Ok(grant),
            Verdict::Denied(refusal) => return Err(refusal),
            Verdict::NotAllowed(refusal) => refusal,
        };
        let grants = self.grants_for(call, check).await?;
        if grants.is_empty() {
            return Err(refusal);
        }
        match self.judge(call, check, (&*rights, policy, &grants)) {
            Verdict::Allowed(grant) => Ok(grant),
            Verdict::Denied(refusal) | Verdict::NotAllowed(refusal) => Err(refusal),
        }
    }

    /// Decides whether a caller may take an action that is on no key, but on an alias of its own account or on nothing in
    /// particular.
    pub(crate) async fn decide_without_key(
        &self,
        call: &Call,
        action: &'static str,
        arn: Option<&str>,
        facts: &Facts<'_>,
    ) -> Result<(), KmsError> {
        let rights = self.principals.rights_of(&call.caller).await?;
        let caller = CallerFacts::of(Arc::clone(&call.caller));
        let request = Request {
            action: Action::new("kms", action),
            resource: Resource { arn, owner: call.caller.account },
            caller: &caller,
            origin: Origin::of(call),
            context: &Circumstances::of(call, action, facts, None),
        };
        let mut resource = ResourceSide::without_policy();
        resource.organization =
            self.guardrails.of(call.caller.account).map(|guardrails| &guardrails.organization);
        match decide(&request, &rights.side(), &resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(KmsError::of_denial(&denial)),
        }
    }
}

impl KmsError {
    pub(crate) fn of_denial(denial: &Denial<'_>) -> Self {
        Self::AccessDenied { text: denial.message(), is_out_of_reach: denial.is_out_of_reach() }
    }
}

impl Verdict {
    fn of_denial(denial: &Denial<'_>) -> Self {
        let refusal = KmsError::of_denial(denial);
        match denial.reason() {
            DenialReason::Explicit(_) => Self::Denied(refusal),
            DenialReason::Implicit(_) | DenialReason::OutOfReach => Self::NotAllowed(refusal),
        }
    }
}
