//! ListPolicyTags: the tags of a managed policy, in the order of their keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html>

use base::Call;
use wire::iam::{ListPolicyTags, ListPolicyTagsRequest, ListPolicyTagsResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::ManagedPolicy;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for ListPolicyTags {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListPolicyTagsRequest,
    ) -> Result<Done<Self>, IamError> {
        let (policy, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let scope = format!("ListPolicyTags {}", permit.arn());
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = match &policy {
            ManagedPolicy::Aws(..) => tags::page(&[], &listing)?,
            ManagedPolicy::Customer(policy) => tags::page(&policy.record.tags, &listing)?,
        };
        Ok(permit.answer(ListPolicyTagsResponse {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        }))
    }
}
