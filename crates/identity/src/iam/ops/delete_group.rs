//! DeleteGroup: ends a group that has neither users nor policies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html>

use base::Call;
use wire::iam::{DeleteGroup, DeleteGroupRequest, DeleteGroupResponse};

use crate::iam::entity::refuse_if_policies_remain;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::GroupRecord;
use crate::{Identity, paths};

impl Handle for DeleteGroup {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        if group.record.members > 0 {
            return Err(IamError::DeleteConflict(
                "Cannot delete entity, must remove users from group first.",
            ));
        }
        refuse_if_policies_remain(&group.record.policies)?;
        let mut owner = identity.account_of(call).await?;
        owner.record.groups = owner.record.groups.saturating_sub(1);
        let id = paths::group_id(permit.account(), &group.record.unique_id)?;
        let plan = group.removed(owner.replaced(Plan::new())?).delete(id);
        Ok(permit.commit(plan, DeleteGroupResponse))
    }
}
