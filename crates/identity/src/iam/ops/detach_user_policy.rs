//! DetachUserPolicy: detaches a managed policy from a user. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html>

use base::Call;
use wire::iam::{DetachUserPolicy, DetachUserPolicyRequest, DetachUserPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for DetachUserPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DetachUserPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_policy(&request.policy_arn);
        let (user, permit) = identity.find_with::<Self, UserRecord>(call, &request.user_name, facts).await?;
        let plan = identity.detach(call, user, &request.policy_arn).await?;
        Ok(permit.commit(plan, DetachUserPolicyResponse))
    }
}
