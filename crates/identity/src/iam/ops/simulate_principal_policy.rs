//! SimulatePrincipalPolicy: what the policies of a user, group or role would decide, with others if the request brings any.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

use base::Call;
use wire::iam::{SimulatePrincipalPolicy, SimulatePrincipalPolicyRequest};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::simulation::{Asked, Levels, leave_out};
use crate::iam::table::Handle;

impl Handle for SimulatePrincipalPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &SimulatePrincipalPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut subject, permit) = identity.subject::<Self>(call, &request.policy_source_arn).await?;
        leave_out(&mut subject, request.policy_exclusion_list.as_ref())?;
        let asked = Asked {
            action_names: &request.action_names,
            resource_arns: request.resource_arns.as_ref(),
            resource_policy: request.resource_policy.as_ref(),
            resource_owner: request.resource_owner.as_ref(),
            caller_arn: request.caller_arn.as_ref(),
            context_entries: request.context_entries.as_ref(),
            boundaries: request.permissions_boundary_policy_input_list.as_ref(),
            policies: request.policy_input_list.as_ref(),
        };
        let guardrails = identity.guardrails.of(permit.account()).map(|known| &**known);
        let scenario = asked.scenario(call, Some(subject), Levels::Known(guardrails))?;
        let scope = format!("SimulatePrincipalPolicy {}", permit.arn());
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        Ok(permit.answer(scenario.page(&listing).await))
    }
}
