//! DetachGroupPolicy: detaches a managed policy from a group. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html>

use base::Call;
use wire::iam::{DetachGroupPolicy, DetachGroupPolicyRequest, DetachGroupPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for DetachGroupPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DetachGroupPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_policy(&request.policy_arn);
        let (group, permit) =
            identity.find_with::<Self, GroupRecord>(call, &request.group_name, facts).await?;
        let plan = identity.detach(call, group, &request.policy_arn).await?;
        Ok(permit.commit(plan, DetachGroupPolicyResponse))
    }
}
