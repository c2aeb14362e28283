//! ListUserTags: the tags of a user, in the order of their keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html>

use base::Call;
use wire::iam::{ListUserTags, ListUserTagsRequest, ListUserTagsResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::UserRecord;

impl Handle for ListUserTags {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListUserTagsRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let scope = format!("ListUserTags {}", user.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = tags::page(&user.record.tags, &listing)?;
        Ok(permit.answer(ListUserTagsResponse {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        }))
    }
}
