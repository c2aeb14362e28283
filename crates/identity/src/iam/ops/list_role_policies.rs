//! ListRolePolicies: the names of the inline policies of a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html>

use base::Call;
use wire::iam::{ListRolePolicies, ListRolePoliciesRequest, ListRolePoliciesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for ListRolePolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListRolePoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let scope = format!("ListRolePolicies {}", role.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = inline::page(&role.record, &listing)?;
        Ok(permit.answer(ListRolePoliciesResponse {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        }))
    }
}
