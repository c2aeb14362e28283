//! GetRole: one role with its trust policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>

use base::Call;
use wire::iam::{GetRole, GetRoleRequest, GetRoleResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for GetRole {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let role = identity.shown_role(permit.account(), &role.record).await?;
        Ok(permit.answer(GetRoleResponse { role }))
    }
}
