//! UntagRole: takes tags away from a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html>

use base::Call;
use wire::iam::{UntagRole, UntagRoleRequest, UntagRoleResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::RoleRecord;

impl Handle for UntagRole {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UntagRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tag_keys(&request.tag_keys);
        let (mut role, permit) =
            identity.find_with::<Self, RoleRecord>(call, &request.role_name, facts).await?;
        tags::remove(&mut role.record.tags, &request.tag_keys);
        let plan = role.replaced(Plan::new())?;
        Ok(permit.commit(plan, UntagRoleResponse))
    }
}
