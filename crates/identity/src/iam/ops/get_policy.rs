//! GetPolicy: a managed policy, without its document.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html>

use base::Call;
use wire::iam::{GetPolicy, GetPolicyRequest, GetPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;

impl Handle for GetPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let policy = policy.view(permit.account());
        Ok(permit.answer(GetPolicyResponse { policy: Some(policy) }))
    }
}
