//! Whether a caller may take an action: key policy, identity policies and grants decide together about keys, identity
//! policies alone about aliases and about calls without a key.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>

use std::borrow::Cow;
use std::sync::Arc;

use base::{Call, KeyArn};
use policy::{
    Action, CallerFacts, Decision, Denial, DenialReason, Grant, IdentitySide, Origin, Policy, Request,
    Resource, ResourceSide, decide,
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

/// What decides about a key: what its caller's account says, its policy, and grants on it.
type Sides<'a> = (&'a dyn CallerRights, &'a Policy, &'a [Grant]);

impl Kms {
    /// Decides a check under a key policy and some grants.
    pub(crate) fn judge(&self, call: &Call, check: Check<'_>, sides: Sides<'_>) -> Verdict {
        self.pose(call, check, sides, |request, identity, resource| {
            match decide(request, identity, resource) {
                Decision::Allow(allowance) => Verdict::Allowed(allowance.grant.map(str::to_owned)),
                Decision::Deny(denial) => Verdict::of_denial(&denial),
            }
        })
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
        let unreadable = || KmsError::unreadable_key_policy(&call.caller, action, key.arn);
        let policy = key.policy.as_deref().ok_or_else(unreadable)?;
        let check = Check { action, key: key.arn, loaded: Some(key), facts };
        let rights = self.principals.rights_of(&call.caller).await?;
        let mut grants = Vec::new();
        let mut verdict = self.judge(call, check, (&*rights, policy, &grants));
        if matches!(verdict, Verdict::NotAllowed(_)) {
            grants = self.grants_for(call, check).await?;
            if !grants.is_empty() {
                verdict = self.judge(call, check, (&*rights, policy, &grants));
            }
        }
        if self.witness.wants(matches!(verdict, Verdict::Allowed(_))) {
            self.note_decision(call, check, (&*rights, policy, &grants)).await?;
        }
        match verdict {
            Verdict::Allowed(grant) => Ok(grant),
            Verdict::Denied(refusal) | Verdict::NotAllowed(refusal) => Err(refusal),
        }
    }

    /// Tells the witness of a decision, with grants of the caller that do not apply.
    async fn note_decision(
        &self,
        call: &Call,
        check: Check<'_>,
        (rights, policy, grants): Sides<'_>,
    ) -> Result<(), KmsError> {
        let mut all = grants.to_vec();
        // What a grant must cover for CreateGrant, it does not say itself.
        if check.action != "CreateGrant" {
            all.extend(self.grants_apart(&call.caller, check, grants).await?);
        }
        self.pose(call, check, (rights, policy, &all), |request, identity, resource| {
            let decision = decide(request, identity, resource);
            decision.witnessed((&*self.witness, call.request_id), request, identity, resource);
        });
        Ok(())
    }

    /// Tells the witness of a refusal for which no policy was asked.
    pub(crate) fn note_refusal(&self, call: &Call, error: &KmsError) {
        let KmsError::AccessDenied(denied) = error else { return };
        if let Some(reasons) = denied.reasons(&call.caller).filter(|_| self.witness.wants(false)) {
            self.witness.note(call.request_id, reasons);
        }
    }

    /// Asks about a check.
    fn pose<T>(
        &self,
        call: &Call,
        check: Check<'_>,
        (rights, policy, grants): Sides<'_>,
        ask: impl FnOnce(&Request<'_>, &IdentitySide<'_>, &ResourceSide<'_>) -> T,
    ) -> T {
        let caller = CallerFacts::of(Arc::clone(&call.caller));
        let arn = match check.loaded {
            Some(key) => Cow::Borrowed(&*key.arn_text),
            None => Cow::Owned(check.key.to_string()),
        };
        let request = Request {
            action: Action::new("kms", check.action),
            resource: Resource::named(&arn, check.key.account),
            caller: &caller,
            origin: Origin::of(call),
            context: &Circumstances::of(call, check.action, check.facts, check.loaded),
        };
        ask(&request, &rights.side(), &self.side_of(check, policy, grants))
    }

    /// The side of a key.
    pub(crate) fn side_of<'a>(
        &'a self,
        check: Check<'_>,
        policy: &'a Policy,
        grants: &'a [Grant],
    ) -> ResourceSide<'a> {
        let mut resource = ResourceSide::guarded_by(policy);
        resource.grants = grants;
        if let Some(guardrails) = self.guardrails.of(check.key.account) {
            resource.organization = Some(&guardrails.organization);
            // They are for customer managed keys only.
            if check.loaded.is_none_or(|key| key.record.managed_by.is_none()) {
                resource.resource_control = &guardrails.resource_control;
            }
        }
        resource
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
        let side = rights.side();
        let decision = decide(&request, &side, &resource);
        match decision.witnessed((&*self.witness, call.request_id), &request, &side, &resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(KmsError::of_denial(&denial)),
        }
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
