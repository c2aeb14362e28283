//! DeleteGroupPolicy: takes an inline policy away from a group.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html>

use base::Call;
use wire::iam::{DeleteGroupPolicy, DeleteGroupPolicyRequest, DeleteGroupPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for DeleteGroupPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteGroupPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let plan = inline::delete(group, &request.policy_name)?;
        Ok(permit.commit(plan, DeleteGroupPolicyResponse))
    }
}
