//! DeleteRole: ends a role that has no policies left.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>

use base::Call;
use wire::iam::{DeleteRole, DeleteRoleRequest, DeleteRoleResponse};

use crate::iam::entity::refuse_if_policies_remain;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::RoleRecord;
use crate::{Identity, paths};

impl Handle for DeleteRole {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        refuse_if_policies_remain(&role.record.policies)?;
        let mut owner = identity.account_of(call).await?;
        owner.record.roles = owner.record.roles.saturating_sub(1);
        let plan = role.removed(owner.replaced(Plan::new())?);
        let plan = plan.delete(paths::unique_id(&role.record.unique_id)?);
        let plan = identity.unbounded(call, plan, role.record.boundary.as_ref()).await?;
        Ok(permit.commit(plan, DeleteRoleResponse))
    }
}
