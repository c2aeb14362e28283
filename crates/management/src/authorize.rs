//! The gate that every call passes: identity policies of the caller's account decide, for what this service tells has no
//! policies of its own.

use std::sync::Arc;

use base::Call;
use policy::{
    Action, CallerFacts, Decision, NoContext, Origin, Request, Resource, ResourceSide, Witness, decide,
};

use wire::keywright::Operation;

use crate::Management;
use crate::error::ManagementError;

impl Management {
    /// Decides whether the caller may have operation `O` tell it of a resource of its own account.
    pub(crate) async fn authorize<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
    ) -> Result<(), ManagementError> {
        let rights = self.people.rights_of(&call.caller).await?;
        let request = Request {
            action: Action::new("keywright", O::NAME),
            resource: Resource::named(arn, call.caller.account),
            caller: &CallerFacts::of(Arc::clone(&call.caller)),
            origin: Origin::of(call),
            context: &NoContext,
        };
        let (side, resource) = (rights.side(), ResourceSide::without_policy());
        let decision = decide(&request, &side, &resource);
        let witness: &dyn Witness = &*self.decisions;
        match decision.witnessed((witness, call.request_id), &request, &side, &resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(ManagementError::AccessDenied(denial.message())),
        }
    }
}
