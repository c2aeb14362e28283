//! GetGroupPolicy: an inline policy of a group, byte for byte as it was put.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html>

use base::Call;
use wire::iam::{GetGroupPolicy, GetGroupPolicyRequest, GetGroupPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for GetGroupPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetGroupPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let policy_document = identity.inline_policy(&group.record, &request.policy_name).await?;
        Ok(permit.answer(GetGroupPolicyResponse {
            group_name: group.record.name,
            policy_name: request.policy_name.clone(),
            policy_document,
        }))
    }
}
