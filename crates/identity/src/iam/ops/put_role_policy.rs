//! PutRolePolicy: gives a role an inline policy, or another document to the one of this name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>

use base::Call;
use wire::iam::{PutRolePolicy, PutRolePolicyRequest, PutRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for PutRolePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &PutRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let plan = inline::put(role, &request.policy_name, &request.policy_document)?;
        Ok(permit.commit(plan, PutRolePolicyResponse))
    }
}
