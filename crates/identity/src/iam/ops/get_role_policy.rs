//! GetRolePolicy: an inline policy of a role, byte for byte as it was put.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>

use base::Call;
use wire::iam::{GetRolePolicy, GetRolePolicyRequest, GetRolePolicyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for GetRolePolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetRolePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let policy_document = identity.inline_policy(&role.record, &request.policy_name).await?;
        Ok(permit.answer(GetRolePolicyResponse {
            role_name: role.record.name,
            policy_name: request.policy_name.clone(),
            policy_document,
        }))
    }
}
