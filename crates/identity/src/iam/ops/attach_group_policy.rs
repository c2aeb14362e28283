//! AttachGroupPolicy: attaches a managed policy to a group. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html>

use base::Call;
use wire::iam::{AttachGroupPolicy, AttachGroupPolicyRequest, AttachGroupPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for AttachGroupPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &AttachGroupPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_policy(&request.policy_arn);
        let (group, permit) =
            identity.find_with::<Self, GroupRecord>(call, &request.group_name, facts).await?;
        let plan = identity.attach(call, group, &request.policy_arn).await?;
        Ok(permit.commit(plan, AttachGroupPolicyResponse))
    }
}
