//! GetUserPolicy: an inline policy of a user, byte for byte as it was put.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html>

use base::Call;
use wire::iam::{GetUserPolicy, GetUserPolicyRequest, GetUserPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for GetUserPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetUserPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let policy_document = identity.inline_policy(&user.record, &request.policy_name).await?;
        Ok(permit.answer(GetUserPolicyResponse {
            user_name: user.record.name,
            policy_name: request.policy_name.clone(),
            policy_document,
        }))
    }
}
