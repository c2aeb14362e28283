//! ListPolicyVersions: the versions of a managed policy, without their documents, the newest first. Of AWS's policies only
//! the default version is known.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html>

use base::Call;
use wire::iam::{ListPolicyVersions, ListPolicyVersionsRequest, ListPolicyVersionsResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::{ManagedPolicy, version_of_account, version_of_aws};
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;

impl Handle for ListPolicyVersions {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListPolicyVersionsRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let versions = match &policy {
            ManagedPolicy::Aws(policy, _) => vec![(String::new(), version_of_aws(policy, None))],
            ManagedPolicy::Customer(policy) => {
                let versions = policy.record.versions.iter();
                // Names in the order of age; the number counts down.
                let name = |number: u32| format!("{:010}", u32::MAX - number);
                let shown = |version| version_of_account(&policy.record, version, None);
                versions.map(|version| (name(version.number), shown(version))).collect()
            }
        };
        let scope = format!("ListPolicyVersions {}", permit.arn());
        let page = Listing::new(scope, request.max_items, request.marker.as_ref())?.page_of(versions)?;
        Ok(permit.answer(ListPolicyVersionsResponse {
            is_truncated: page.is_truncated(),
            versions: Some(page.items),
            marker: page.marker,
        }))
    }
}
