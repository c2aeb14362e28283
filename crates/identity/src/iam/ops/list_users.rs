//! ListUsers: the users of the account, without tags and boundaries.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>

use base::Call;
use wire::iam::{ListUsers, ListUsersRequest, ListUsersResponse};

use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::iam::view;
use crate::record::UserRecord;
use crate::{Identity, paths};

impl Handle for ListUsers {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListUsersRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let under = request.path_prefix.as_deref().unwrap_or("/");
        let scope = format!("ListUsers {account} {under}");
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let shown =
            |record: UserRecord| record.path.starts_with(under).then(|| view::listed_user(account, &record));
        let page = identity.page(&paths::users(account), &listing, shown).await?;
        Ok(permit.answer(ListUsersResponse {
            is_truncated: page.is_truncated(),
            users: page.items,
            marker: page.marker,
        }))
    }
}
