//! DetachRolePolicy: detaches a managed policy from a role. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html>

use base::Call;
use wire::iam::{DetachRolePolicy, DetachRolePolicyRequest, DetachRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for DetachRolePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DetachRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_policy(&request.policy_arn);
        let (role, permit) = identity.find_with::<Self, RoleRecord>(call, &request.role_name, facts).await?;
        let plan = identity.detach(call, role, &request.policy_arn).await?;
        Ok(permit.commit(plan, DetachRolePolicyResponse))
    }
}
