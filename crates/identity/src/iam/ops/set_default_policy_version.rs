//! SetDefaultPolicyVersion: says which version of a managed policy counts. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html>

use base::Call;
use wire::iam::{SetDefaultPolicyVersion, SetDefaultPolicyVersionRequest, SetDefaultPolicyVersionResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::{is_version, no_such_version};
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;

impl Handle for SetDefaultPolicyVersion {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &SetDefaultPolicyVersionRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let mut policy = policy.changeable(call, "SetDefaultPolicyVersion")?;
        let mut versions = policy.record.versions.iter();
        let version = versions.find(|version| is_version(version.number, &request.version_id));
        policy.record.default_version =
            version.ok_or_else(|| no_such_version(&request.policy_arn, &request.version_id))?.number;
        let plan = policy.replaced(Plan::new())?;
        Ok(permit.commit(plan, SetDefaultPolicyVersionResponse))
    }
}
