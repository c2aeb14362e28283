//! ListAccountAliases: the account's alias, if it has one.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html>

use base::Call;
use wire::iam::{ListAccountAliases, ListAccountAliasesRequest, ListAccountAliasesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for ListAccountAliases {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAccountAliasesRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let listing = Listing::new(
            format!("ListAccountAliases {account}"),
            request.max_items,
            request.marker.as_ref(),
        )?;
        let alias = identity.account_of(call).await?.record.alias;
        let page = listing.page_of(alias.into_iter().map(|alias| (alias.clone(), alias)).collect())?;
        Ok(permit.answer(ListAccountAliasesResponse {
            is_truncated: page.is_truncated(),
            account_aliases: page.items,
            marker: page.marker,
        }))
    }
}
