//! PutRolePermissionsBoundary: bounds a role by a managed policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html>

use base::Call;
use wire::iam::{
    PutRolePermissionsBoundary, PutRolePermissionsBoundaryRequest, PutRolePermissionsBoundaryResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for PutRolePermissionsBoundary {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &PutRolePermissionsBoundaryRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_boundary(&request.permissions_boundary);
        let (role, permit) = identity.find_with::<Self, RoleRecord>(call, &request.role_name, facts).await?;
        let plan = identity.bound(call, role, &request.permissions_boundary).await?;
        Ok(permit.commit(plan, PutRolePermissionsBoundaryResponse))
    }
}
