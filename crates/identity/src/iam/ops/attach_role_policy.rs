//! AttachRolePolicy: attaches a managed policy to a role. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>

use base::Call;
use wire::iam::{AttachRolePolicy, AttachRolePolicyRequest, AttachRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for AttachRolePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &AttachRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_policy(&request.policy_arn);
        let (role, permit) = identity.find_with::<Self, RoleRecord>(call, &request.role_name, facts).await?;
        let plan = identity.attach(call, role, &request.policy_arn).await?;
        Ok(permit.commit(plan, AttachRolePolicyResponse))
    }
}
