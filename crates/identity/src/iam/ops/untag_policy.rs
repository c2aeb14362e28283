//! UntagPolicy: takes tags away from a managed policy of the account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html>

use base::Call;
use wire::iam::{UntagPolicy, UntagPolicyRequest, UntagPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for UntagPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UntagPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tag_keys(&request.tag_keys);
        let (policy, permit) = identity.find_policy_with::<Self>(call, &request.policy_arn, facts).await?;
        let mut policy = policy.changeable(call, "UntagPolicy")?;
        tags::remove(&mut policy.record.tags, &request.tag_keys);
        let plan = policy.replaced(Plan::new())?;
        Ok(permit.commit(plan, UntagPolicyResponse))
    }
}
