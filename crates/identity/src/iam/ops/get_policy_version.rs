//! GetPolicyVersion: a version of a managed policy with its document.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>

use base::Call;
use wire::iam::{GetPolicyVersion, GetPolicyVersionRequest, GetPolicyVersionResponse};
use wire::query::percent_encode;

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::{
    ManagedPolicy, is_version, no_such_version, version_of_account, version_of_aws,
};
use crate::iam::plan::Done;
use crate::iam::table::Handle;

impl Handle for GetPolicyVersion {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetPolicyVersionRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let missing = || no_such_version(&request.policy_arn, &request.version_id);
        let version = match policy {
            ManagedPolicy::Aws(policy, _) => {
                let known = is_version(policy.version, &request.version_id);
                if known {
                    Ok(version_of_aws(policy, Some(percent_encode(policy.document))))
                } else {
                    Err(missing())
                }?
            }
            ManagedPolicy::Customer(policy) => {
                let mut versions = policy.record.versions.iter();
                let version = versions.find(|version| is_version(version.number, &request.version_id));
                let version = version.ok_or_else(missing)?;
                let document = identity
                    .policy_document(&policy.record.unique_id, version.number)
                    .await?
                    .ok_or_else(missing)?;
                version_of_account(&policy.record, version, Some(percent_encode(&document)))
            }
        };
        Ok(permit.answer(GetPolicyVersionResponse { policy_version: Some(version) }))
    }
}
