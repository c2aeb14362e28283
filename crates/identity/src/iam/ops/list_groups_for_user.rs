//! ListGroupsForUser: the groups that a user is in.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html>

use base::Call;
use wire::iam::{ListGroupsForUser, ListGroupsForUserRequest, ListGroupsForUserResponse};

use crate::Identity;
use crate::iam::entity::folded;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::view;
use crate::record::UserRecord;

impl Handle for ListGroupsForUser {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListGroupsForUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let account = permit.account();
        let scope = format!("ListGroupsForUser {}", user.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let mut groups = Vec::new();
        for id in &user.record.groups {
            let group = identity.group_of_id(account, id).await?;
            groups
                .extend(group.map(|group| (folded(&group.record.name), view::group(account, &group.record))));
        }
        let page = listing.page_of(groups)?;
        Ok(permit.answer(ListGroupsForUserResponse {
            is_truncated: page.is_truncated(),
            groups: page.items,
            marker: page.marker,
        }))
    }
}
