//! The gate that every IAM call passes. Nothing but a [`Permit`] makes an answer, and nothing but this gate a permit.
//!
//! Until the policy engine decides, any identity of an account may call IAM for its own account. The engine will ask
//! here, with the caller's policies ([`Identity::policies_of`]), the operation's name and the resource.

use std::marker::PhantomData;

use base::{AccountId, Call};
use wire::iam::Operation;

use super::error::IamError;
use super::plan::{Done, Plan};
use super::resource::Resource;
use crate::Identity;

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
    /// None yet: identities of an account may do everything in it.
    pub(crate) async fn authorize<O: Operation>(
        &self,
        call: &Call,
        resource: Resource,
    ) -> Result<Permit<O>, IamError> {
        Ok(Permit { account: call.caller.account, resource, operation: PhantomData })
    }
}

impl<O: Operation> Permit<O> {
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
