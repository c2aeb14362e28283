//! RemoveUserFromGroup: ends a membership.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html>

use base::Call;
use wire::iam::{RemoveUserFromGroup, RemoveUserFromGroupRequest, RemoveUserFromGroupResponse};

use crate::iam::entity::folded;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::GroupRecord;
use crate::{Identity, paths};

impl Handle for RemoveUserFromGroup {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &RemoveUserFromGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let mut user = identity.user_named(permit.account(), &request.user_name).await?;
        let at = user.record.groups.iter().position(|id| *id == group.record.unique_id);
        let (name, group_name) = (&request.user_name, &request.group_name);
        let no_member = || IamError::NoSuchEntity(format!("User {name} is not in group {group_name}."));
        user.record.groups.remove(at.ok_or_else(no_member)?);
        group.record.members = group.record.members.saturating_sub(1);
        let membership = paths::group_member(&group.record.unique_id, &folded(&user.record.name))?;
        let plan = user.replaced(group.replaced(Plan::new())?)?.delete(membership);
        Ok(permit.commit(plan, RemoveUserFromGroupResponse))
    }
}
