//! DeleteRolePermissionsBoundary: takes a role's boundary away.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html>

use base::Call;
use wire::iam::{
    DeleteRolePermissionsBoundary, DeleteRolePermissionsBoundaryRequest,
    DeleteRolePermissionsBoundaryResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for DeleteRolePermissionsBoundary {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteRolePermissionsBoundaryRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let plan = identity.unbind(call, role).await?;
        Ok(permit.commit(plan, DeleteRolePermissionsBoundaryResponse))
    }
}
