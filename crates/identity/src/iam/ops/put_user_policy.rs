//! PutUserPolicy: gives a user an inline policy, or another document to the one of this name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html>

use base::Call;
use wire::iam::{PutUserPolicy, PutUserPolicyRequest, PutUserPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for PutUserPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &PutUserPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let plan = inline::put(user, &request.policy_name, &request.policy_document)?;
        Ok(permit.commit(plan, PutUserPolicyResponse))
    }
}
