//! DeleteUserPolicy: takes an inline policy away from a user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html>

use base::Call;
use wire::iam::{DeleteUserPolicy, DeleteUserPolicyRequest, DeleteUserPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for DeleteUserPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteUserPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let plan = inline::delete(user, &request.policy_name)?;
        Ok(permit.commit(plan, DeleteUserPolicyResponse))
    }
}
