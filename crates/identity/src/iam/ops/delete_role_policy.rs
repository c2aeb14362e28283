//! DeleteRolePolicy: takes an inline policy away from a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html>

use base::Call;
use wire::iam::{DeleteRolePolicy, DeleteRolePolicyRequest, DeleteRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for DeleteRolePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let plan = inline::delete(role, &request.policy_name)?;
        Ok(permit.commit(plan, DeleteRolePolicyResponse))
    }
}
