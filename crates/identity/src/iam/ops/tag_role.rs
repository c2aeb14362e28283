//! TagRole: adds tags to a role, or gives existing ones a new value.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>

use base::Call;
use wire::iam::{TagRole, TagRoleRequest, TagRoleResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::RoleRecord;

impl Handle for TagRole {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &TagRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tags(&request.tags);
        let (mut role, permit) =
            identity.find_with::<Self, RoleRecord>(call, &request.role_name, facts).await?;
        tags::add(&mut role.record.tags, &request.tags, "Role")?;
        let plan = role.replaced(Plan::new())?;
        Ok(permit.commit(plan, TagRoleResponse))
    }
}
