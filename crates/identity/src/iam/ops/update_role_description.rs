//! UpdateRoleDescription: replaces a role's description.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html>

use base::Call;
use wire::iam::{UpdateRoleDescription, UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for UpdateRoleDescription {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateRoleDescriptionRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        role.record.description = Some(request.description.clone());
        let plan = role.replaced(Plan::new())?;
        let role = identity.shown_role(permit.account(), &role.record).await?;
        Ok(permit.commit(plan, UpdateRoleDescriptionResponse { role: Some(role) }))
    }
}
