//! The gate that every IAM call passes. Nothing but a [`Permit`] makes an answer, and nothing but this gate a permit.
//!
//! What decides are the identity policies of the caller ([`Identity::policies_of`]): IAM's resources have none. What a
//! condition key of IAM itself would say (`iam:…`) they cannot tell; tags of its resources and of requests are absent.

use std::marker::PhantomData;
use std::sync::Arc;

use base::{AccountId, Call};
use policy::{
    Action, CallerFacts, Context, Decision, Origin, Request, ResourceSide, ServiceKey, Value, decide,
};
use wire::iam::Operation;

use super::error::IamError;
use super::plan::{Done, Plan};
use super::resource::Resource;
use crate::{CallerPolicies, Identity};

/// Leave to carry out operation `O` on one resource of one account.
pub(crate) struct Permit<O> {
    account: AccountId,
    resource: Resource,
    operation: PhantomData<fn() -> O>,
}

impl Identity {
    /// Decides whether the caller may carry out `O` on this resource of its own account. The name of the operation comes
    /// from its type, so no parameter can name another.
    ///
    /// # Errors
    /// AccessDenied, or the caller's policies could not be read.
    pub(crate) async fn authorize<O: Operation>(
        &self,
        call: &Call,
        resource: Resource,
    ) -> Result<Permit<O>, IamError> {
        let held = self.policies_of(&call.caller).await?;
        let permit = Permit { account: call.caller.account, resource, operation: PhantomData };
        permit.decide(call, &held)?;
        Ok(permit)
    }
}

/// What this room tells policies of a call.
struct Circumstances;

impl Context for Circumstances {
    /// A key of IAM is there, but what it says is not looked up: no Allow that compares it holds, and every Deny does.
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        match key {
            ServiceKey::Other(name) if name.starts_with("iam:") => Value::Unclear,
            ServiceKey::Other(_)
            | ServiceKey::Kms(_)
            | ServiceKey::RecipientAttestation(_)
            | ServiceKey::TagKeys => Value::Absent,
        }
    }
}

impl<O: Operation> Permit<O> {
    fn decide(&self, call: &Call, held: &CallerPolicies) -> Result<(), IamError> {
        let arn = match &self.resource {
            Resource::Account => None,
            Resource::One { arn, .. } => Some(arn.as_str()),
        };
        let request = Request {
            action: Action::new("iam", O::NAME),
            resource: policy::Resource { arn, owner: self.account },
            caller: &CallerFacts::of(Arc::clone(&call.caller)),
            origin: Origin::of(call),
            context: &Circumstances,
        };
        match decide(&request, &held.side(), &ResourceSide::without_policy()) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(IamError::AccessDenied(denial.message())),
        }
    }

    /// The account that the call is about.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// The resource that the call is about, as text.
    pub(crate) fn arn(&self) -> String {
        self.resource.to_string()
    }

    /// The answer of a call that changes nothing.
    pub(crate) fn answer(self, response: O::Response) -> Done<O> {
        self.commit(Plan::new(), response)
    }

    /// The answer of a call, once the plan is committed.
    pub(crate) fn commit(self, plan: Plan, response: O::Response) -> Done<O> {
        Done { response, plan, resource: self.resource }
    }
}
