//! DeletePolicy: ends a managed policy of the account that nothing uses and that has one version left.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>

use base::Call;
use wire::iam::{DeletePolicy, DeletePolicyRequest, DeletePolicyResponse};

use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::PolicyUsageRecord;
use crate::{Identity, paths};

impl Handle for DeletePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeletePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let policy = policy.changeable(call, "DeletePolicy")?;
        if policy.record.usage != PolicyUsageRecord::default() {
            return Err(IamError::DeleteConflict("Cannot delete a policy attached to entities."));
        }
        if policy.record.versions.len() > 1 {
            return Err(IamError::DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ));
        }
        let mut owner = identity.account_of(call).await?;
        owner.record.policies = owner.record.policies.saturating_sub(1);
        let document = paths::policy_document(&policy.record.unique_id, policy.record.default_version)?;
        let plan = policy.removed(owner.replaced(Plan::new())?).delete(document);
        Ok(permit.commit(plan, DeletePolicyResponse))
    }
}
