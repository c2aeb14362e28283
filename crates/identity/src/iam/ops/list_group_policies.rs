//! ListGroupPolicies: the names of the inline policies of a group.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html>

use base::Call;
use wire::iam::{ListGroupPolicies, ListGroupPoliciesRequest, ListGroupPoliciesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for ListGroupPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListGroupPoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let scope = format!("ListGroupPolicies {}", group.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = inline::page(&group.record, &listing)?;
        Ok(permit.answer(ListGroupPoliciesResponse {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        }))
    }
}
