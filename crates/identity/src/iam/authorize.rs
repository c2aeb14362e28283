//! The gate that every IAM call passes. Nothing but a [`Permit`] makes an answer, and nothing but this gate a permit.
//!
//! What decides are the identity policies of the caller ([`Identity::policies_of`]): IAM's resources have none.

use std::marker::PhantomData;
use std::sync::Arc;

use base::{AccountId, Call};
use policy::{Action, CallerFacts, Decision, Origin, Request, ResourceSide, Witness, decide};
use wire::iam::Operation;

use super::error::IamError;
use super::facts::{Circumstances, Facts, Properties};
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
    /// Decides whether the caller may carry out `O` on this resource of its own account, of which policies can ask
    /// nothing. The name of the operation comes from its type, so no parameter can name another.
    ///
    /// # Errors
    /// AccessDenied, or the caller's policies could not be read.
    pub(crate) async fn authorize<O: Operation>(
        &self,
        call: &Call,
        resource: Resource,
    ) -> Result<Permit<O>, IamError> {
        self.authorize_with(call, resource, Properties::default(), Facts::default()).await
    }

    /// The same for something that is about to be made. With tags it takes leave to tag it, too: operation `T`.
    pub(crate) async fn authorize_new<O: Operation, T: Operation>(
        &self,
        call: &Call,
        resource: Resource,
        facts: Facts<'_>,
    ) -> Result<Permit<O>, IamError> {
        let nothing = Properties::default();
        let permit = self.authorize_with::<O>(call, resource.clone(), nothing, facts).await?;
        if !facts.tags.is_empty() {
            self.authorize_with::<T>(call, resource, nothing, Facts::of_tags(facts.tags)).await?;
        }
        Ok(permit)
    }

    /// The same for a resource that policies can ask about, in a call that they can ask about.
    pub(crate) async fn authorize_with<O: Operation>(
        &self,
        call: &Call,
        resource: Resource,
        properties: Properties<'_>,
        facts: Facts<'_>,
    ) -> Result<Permit<O>, IamError> {
        let held = self.policies_of(&call.caller).await?;
        let circumstances = Circumstances::new(O::NAME, &resource, properties, facts);
        let permit = Permit { account: call.caller.account, resource, operation: PhantomData };
        permit.decide(call, &held, &circumstances, &*self.witness)?;
        Ok(permit)
    }
}

impl<O: Operation> Permit<O> {
    fn decide(
        &self,
        call: &Call,
        held: &CallerPolicies,
        circumstances: &Circumstances<'_>,
        witness: &dyn Witness,
    ) -> Result<(), IamError> {
        let arn = match &self.resource {
            Resource::Account => None,
            Resource::One { arn, .. } => Some(arn.as_str()),
        };
        let request = Request {
            action: Action::new("iam", O::NAME),
            resource: policy::Resource { arn, owner: self.account },
            caller: &CallerFacts::of(Arc::clone(&call.caller)),
            origin: Origin::of(call),
            context: circumstances,
        };
        let side = held.side();
        // What the call is about is of the caller's own account.
        let mut resource = ResourceSide::without_policy();
        resource.organization = side.organization;
        let decision = decide(&request, &side, &resource);
        match decision.witnessed((witness, call.request_id), &request, &side, &resource) {
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
