//! GetGroup: a group and its users.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html>

use base::Call;
use wire::iam::{GetGroup, GetGroupRequest, GetGroupResponse};

use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::view;
use crate::record::{GroupRecord, UserRecord};
use crate::{Identity, paths};

impl Handle for GetGroup {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let account = permit.account();
        let scope = format!("GetGroup {}", group.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = identity.page_of_names(&paths::group_members(&group.record.unique_id), &listing).await?;
        let mut users = Vec::new();
        for folded_name in &page.items {
            let user = identity.at::<UserRecord>(paths::user_folded(account, folded_name)?).await?;
            users.extend(user.map(|user| view::listed_user(account, &user.record)));
        }
        Ok(permit.answer(GetGroupResponse {
            group: view::group(account, &group.record),
            users,
            is_truncated: page.is_truncated(),
            marker: page.marker,
        }))
    }
}
