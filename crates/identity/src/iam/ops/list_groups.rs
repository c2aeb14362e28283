//! ListGroups: the groups of the account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html>

use base::Call;
use wire::iam::{ListGroups, ListGroupsRequest, ListGroupsResponse};

use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::iam::view;
use crate::record::GroupRecord;
use crate::{Identity, paths};

impl Handle for ListGroups {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListGroupsRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let under = request.path_prefix.as_deref().unwrap_or("/");
        let scope = format!("ListGroups {account} {under}");
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let shown =
            |record: GroupRecord| record.path.starts_with(under).then(|| view::group(account, &record));
        let page = identity.page(&paths::groups(account), &listing, shown).await?;
        Ok(permit.answer(ListGroupsResponse {
            is_truncated: page.is_truncated(),
            groups: page.items,
            marker: page.marker,
        }))
    }
}
