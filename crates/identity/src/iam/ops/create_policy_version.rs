//! CreatePolicyVersion: gives a managed policy of the account a further version.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html>

use base::Call;
use wire::iam::{
    CreatePolicyVersion, CreatePolicyVersionRequest, CreatePolicyVersionResponse, PolicyVersion,
};

use crate::iam::error::IamError;
use crate::iam::managed_policy::version_id;
use crate::iam::plan::{Done, Plan};
use crate::iam::policy_document::check_managed;
use crate::iam::quota;
use crate::iam::table::Handle;
use crate::record::{PolicyDocumentRecord, PolicyVersionRecord};
use crate::{Identity, paths};

impl Handle for CreatePolicyVersion {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreatePolicyVersionRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let mut policy = policy.changeable(call, "CreatePolicyVersion")?;
        check_managed(&request.policy_document)?;
        if policy.record.versions.len() >= quota::VERSIONS_PER_POLICY {
            let text = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                        existing version.";
            return Err(IamError::LimitExceeded(text.to_owned()));
        }
        let number = policy.record.next_version;
        policy.record.next_version = number.saturating_add(1);
        policy.record.updated_at = call.time.millis();
        policy.record.versions.push(PolicyVersionRecord { number, created_at: call.time.millis() });
        let is_default = request.set_as_default == Some(true);
        if is_default {
            policy.record.default_version = number;
        }
        let document = PolicyDocumentRecord { document: request.policy_document.clone() };
        let location = paths::policy_document(&policy.record.unique_id, number)?;
        let plan = policy.replaced(Plan::new())?.create(location, &document)?;
        let version = PolicyVersion {
            document: None,
            version_id: Some(version_id(number)),
            is_default_version: Some(is_default),
            create_date: Some(call.time),
        };
        Ok(permit.commit(plan, CreatePolicyVersionResponse { policy_version: Some(version) }))
    }
}
