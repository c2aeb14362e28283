//! TagOpenIDConnectProvider: adds tags to a provider, or gives existing ones a new value.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    TagOpenIDConnectProvider, TagOpenIDConnectProviderRequest, TagOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for TagOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &TagOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tags(&request.tags);
        let arn = &request.open_id_connect_provider_arn;
        let (mut provider, permit) = identity.find_provider_with::<Self>(call, arn, facts).await?;
        tags::add(&mut provider.record.tags, &request.tags, "OpenIdConnectProvider")?;
        let plan = provider.replaced(Plan::new())?;
        Ok(permit.commit(plan, TagOpenIDConnectProviderResponse))
    }
}
