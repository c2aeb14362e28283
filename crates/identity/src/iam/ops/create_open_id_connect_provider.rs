//! CreateOpenIDConnectProvider: makes a provider of web identities known to the account. Nothing is fetched from it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    CreateOpenIDConnectProvider, CreateOpenIDConnectProviderRequest, CreateOpenIDConnectProviderResponse,
    TagOpenIDConnectProvider,
};

use crate::iam::entity::room_for_one_more;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::provider::{client_ids, provider_url, thumbprints};
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::iam::{quota, tags};
use crate::record::OpenIdConnectProviderRecord;
use crate::{Identity, paths};

impl Handle for CreateOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let account = call.caller.account;
        let url = provider_url(&request.url)?;
        let resource = Resource::named(Kind::OpenIdConnectProvider, account, "/", url);
        let facts = Facts::of_new(request.tags.as_ref(), None);
        let permit = identity.authorize_new::<Self, TagOpenIDConnectProvider>(call, resource, facts).await?;
        let provider = OpenIdConnectProviderRecord {
            url: url.to_owned(),
            created_at: call.time.millis(),
            client_ids: client_ids(request.client_id_list.as_deref().unwrap_or_default())?,
            thumbprints: thumbprints(request.thumbprint_list.as_deref().unwrap_or_default())?,
            tags: tags::of_new(request.tags.as_ref(), "OpenIdConnectProvider")?,
        };
        let location = paths::oidc_provider(account, url)?;
        if identity.at::<OpenIdConnectProviderRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::OpenIdConnectProvider, &request.url));
        }
        let mut owner = identity.account_of(call).await?;
        room_for_one_more(&mut owner.record.providers, quota::PROVIDERS, "OpenIdConnectProvidersPerAccount")?;
        let plan = owner.replaced(Plan::new())?.create(location, &provider)?;
        let response = CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: Some(permit.arn()),
            tags: tags::shown(&provider.tags),
        };
        Ok(permit.commit(plan, response))
    }
}
