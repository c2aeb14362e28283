//! ListAttachedUserPolicies: the managed policies that are attached to a user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html>

use base::Call;
use wire::iam::{
    ListAttachedUserPolicies, ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::attached_page;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for ListAttachedUserPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAttachedUserPoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let scope = format!("ListAttachedUserPolicies {} {:?}", user.record.unique_id, request.path_prefix);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = attached_page(&user.record, request.path_prefix.as_ref(), &listing)?;
        Ok(permit.answer(ListAttachedUserPoliciesResponse {
            is_truncated: page.is_truncated(),
            attached_policies: Some(page.items),
            marker: page.marker,
        }))
    }
}
