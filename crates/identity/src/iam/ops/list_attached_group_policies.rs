//! ListAttachedGroupPolicies: the managed policies that are attached to a group.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html>

use base::Call;
use wire::iam::{
    ListAttachedGroupPolicies, ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::attached_page;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::GroupRecord;

impl Handle for ListAttachedGroupPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAttachedGroupPoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let scope = format!("ListAttachedGroupPolicies {} {:?}", group.record.unique_id, request.path_prefix);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = attached_page(&group.record, request.path_prefix.as_ref(), &listing)?;
        Ok(permit.answer(ListAttachedGroupPoliciesResponse {
            is_truncated: page.is_truncated(),
            attached_policies: Some(page.items),
            marker: page.marker,
        }))
    }
}
