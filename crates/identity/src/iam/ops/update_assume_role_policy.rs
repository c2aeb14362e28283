//! UpdateAssumeRolePolicy: replaces a role's trust policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html>

use base::Call;
use wire::iam::{UpdateAssumeRolePolicy, UpdateAssumeRolePolicyRequest, UpdateAssumeRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for UpdateAssumeRolePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateAssumeRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        role.record.trusted = identity.trusted(&request.policy_document).await?;
        role.record.trust_policy.clone_from(&request.policy_document);
        let plan = role.replaced(Plan::new())?;
        Ok(permit.commit(plan, UpdateAssumeRolePolicyResponse))
    }
}
