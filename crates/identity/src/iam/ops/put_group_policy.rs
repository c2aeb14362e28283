//! PutGroupPolicy: gives a group an inline policy, or another document to the one of this name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html>

use base::Call;
use wire::iam::{PutGroupPolicy, PutGroupPolicyRequest, PutGroupPolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for PutGroupPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &PutGroupPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let plan = inline::put(group, &request.policy_name, &request.policy_document)?;
        Ok(permit.commit(plan, PutGroupPolicyResponse))
    }
}
