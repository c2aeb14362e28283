//! AddUserToGroup: makes a user a member of a group. Adding a member again changes nothing.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html>

use base::Call;
use wire::iam::{AddUserToGroup, AddUserToGroupRequest, AddUserToGroupResponse};

use crate::iam::entity::folded;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::quota;
use crate::iam::table::Handle;
use crate::record::GroupRecord;
use crate::{Identity, paths};

impl Handle for AddUserToGroup {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &AddUserToGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let mut user = identity.user_named(permit.account(), &request.user_name).await?;
        if user.record.groups.contains(&group.record.unique_id) {
            return Ok(permit.answer(AddUserToGroupResponse));
        }
        if user.record.groups.len() >= quota::GROUPS_PER_USER {
            return Err(IamError::quota("GroupsPerUser", quota::GROUPS_PER_USER));
        }
        user.record.groups.push(group.record.unique_id.clone());
        group.record.members = group.record.members.saturating_add(1);
        let membership = paths::group_member(&group.record.unique_id, &folded(&user.record.name))?;
        let plan = user.replaced(group.replaced(Plan::new())?)?.mark(membership);
        Ok(permit.commit(plan, AddUserToGroupResponse))
    }
}
