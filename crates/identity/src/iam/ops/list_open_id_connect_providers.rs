//! ListOpenIDConnectProviders: the ARNs of all providers of web identities.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html>

use base::Call;
use wire::iam::{
    ListOpenIDConnectProviders, ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry,
};

use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::{Kind, Resource, arn};
use crate::iam::table::Handle;
use crate::record::OpenIdConnectProviderRecord;
use crate::{Identity, paths};

impl Handle for ListOpenIDConnectProviders {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        _request: &ListOpenIDConnectProvidersRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let shown = |provider: OpenIdConnectProviderRecord| {
            Some(arn(Kind::OpenIdConnectProvider, account, "/", &provider.url))
        };
        // There are never more than one page holds.
        let listing = Listing::new(String::new(), None, None)?;
        let page = identity.page(&paths::oidc_providers(account), &listing, shown).await?;
        let entry = |arn| OpenIDConnectProviderListEntry { arn: Some(arn) };
        let list = page.items.into_iter().map(entry).collect();
        Ok(permit.answer(ListOpenIDConnectProvidersResponse { open_id_connect_provider_list: Some(list) }))
    }
}
