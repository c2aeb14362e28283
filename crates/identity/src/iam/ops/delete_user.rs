//! DeleteUser: ends a user who has nothing left.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html>

use base::Call;
use wire::iam::{DeleteUser, DeleteUserRequest, DeleteUserResponse};

use crate::iam::entity::refuse_if_policies_remain;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::UserRecord;
use crate::{Identity, paths};

impl Handle for DeleteUser {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        if !user.record.access_keys.is_empty() {
            return Err(IamError::DeleteConflict("Cannot delete entity, must delete access keys first."));
        }
        if !user.record.groups.is_empty() {
            return Err(IamError::DeleteConflict(
                "Cannot delete entity, must remove users from group first.",
            ));
        }
        refuse_if_policies_remain(&user.record.policies)?;
        let mut owner = identity.account_of(call).await?;
        owner.record.users = owner.record.users.saturating_sub(1);
        let plan = user.removed(owner.replaced(Plan::new())?);
        let plan = plan.delete(paths::unique_id(&user.record.unique_id)?);
        let plan = identity.unbounded(call, plan, user.record.boundary.as_ref()).await?;
        Ok(permit.commit(plan, DeleteUserResponse))
    }
}
