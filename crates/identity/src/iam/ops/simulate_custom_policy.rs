//! SimulateCustomPolicy: what policies that the request brings along would decide.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>

use base::Call;
use wire::iam::{SimulateCustomPolicy, SimulateCustomPolicyRequest};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::simulation::{Asked, Levels};
use crate::iam::table::Handle;

impl Handle for SimulateCustomPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &SimulateCustomPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let asked = Asked {
            action_names: &request.action_names,
            resource_arns: request.resource_arns.as_ref(),
            resource_policy: request.resource_policy.as_ref(),
            resource_owner: request.resource_owner.as_ref(),
            caller_arn: request.caller_arn.as_ref(),
            context_entries: request.context_entries.as_ref(),
            boundaries: request.permissions_boundary_policy_input_list.as_ref(),
            policies: Some(&request.policy_input_list),
        };
        let levels = request.ordered_organization_policy_input_list.as_deref().unwrap_or_default();
        let scenario = asked.scenario(call, None, Levels::Given(levels))?;
        let scope = "SimulateCustomPolicy".to_owned();
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        Ok(permit.answer(scenario.page(&listing).await))
    }
}
