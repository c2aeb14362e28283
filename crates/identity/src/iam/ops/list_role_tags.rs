//! ListRoleTags: the tags of a role, in the order of their keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html>

use base::Call;
use wire::iam::{ListRoleTags, ListRoleTagsRequest, ListRoleTagsResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::RoleRecord;

impl Handle for ListRoleTags {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListRoleTagsRequest,
    ) -> Result<Done<Self>, IamError> {
        let (role, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        let scope = format!("ListRoleTags {}", role.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = tags::page(&role.record.tags, &listing)?;
        Ok(permit.answer(ListRoleTagsResponse {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        }))
    }
}
