//! TagPolicy: adds tags to a managed policy of the account, or gives existing ones a new value.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html>

use base::Call;
use wire::iam::{TagPolicy, TagPolicyRequest, TagPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for TagPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &TagPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tags(&request.tags);
        let (policy, permit) = identity.find_policy_with::<Self>(call, &request.policy_arn, facts).await?;
        let mut policy = policy.changeable(call, "TagPolicy")?;
        tags::add(&mut policy.record.tags, &request.tags, "Policy")?;
        let plan = policy.replaced(Plan::new())?;
        Ok(permit.commit(plan, TagPolicyResponse))
    }
}
