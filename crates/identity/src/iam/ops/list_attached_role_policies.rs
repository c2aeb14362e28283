//! ListAttachedRolePolicies: the managed policies that are attached to a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html>

use base::Call;
use wire::iam::{
    ListAttachedRolePolicies, ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::attached_page;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for ListAttachedRolePolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAttachedRolePoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let scope = format!("ListAttachedRolePolicies {} {:?}", role.record.unique_id, request.path_prefix);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = attached_page(&role.record, request.path_prefix.as_ref(), &listing)?;
        Ok(permit.answer(ListAttachedRolePoliciesResponse {
            is_truncated: page.is_truncated(),
            attached_policies: Some(page.items),
            marker: page.marker,
        }))
    }
}
