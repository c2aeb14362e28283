//! DeletePolicyVersion: ends a version of a managed policy that is not the default one.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html>

use base::Call;
use wire::iam::{DeletePolicyVersion, DeletePolicyVersionRequest, DeletePolicyVersionResponse};

use crate::iam::error::IamError;
use crate::iam::managed_policy::{is_version, no_such_version};
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::{Identity, paths};

impl Handle for DeletePolicyVersion {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeletePolicyVersionRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let mut policy = policy.changeable(call, "DeletePolicyVersion")?;
        let mut versions = policy.record.versions.iter();
        let at = versions.position(|version| is_version(version.number, &request.version_id));
        let at = at.ok_or_else(|| no_such_version(&request.policy_arn, &request.version_id))?;
        let number = policy.record.versions.remove(at).number;
        if number == policy.record.default_version {
            return Err(IamError::DeleteConflict("Cannot delete the default version of a policy."));
        }
        let document = paths::policy_document(&policy.record.unique_id, number)?;
        let plan = policy.replaced(Plan::new())?.delete(document);
        Ok(permit.commit(plan, DeletePolicyVersionResponse))
    }
}
