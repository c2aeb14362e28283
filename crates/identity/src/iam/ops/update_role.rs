//! UpdateRole: changes a role's description or the longest session. What is not named stays.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html>

use base::Call;
use wire::iam::{UpdateRole, UpdateRoleRequest, UpdateRoleResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for UpdateRole {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        if request.description.is_some() {
            role.record.description.clone_from(&request.description);
        }
        if let Some(seconds) = request.max_session_duration {
            role.record.max_session_duration = seconds;
        }
        let plan = role.replaced(Plan::new())?;
        Ok(permit.commit(plan, UpdateRoleResponse {}))
    }
}
