//! UntagOpenIDConnectProvider: takes tags away from a provider.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    UntagOpenIDConnectProvider, UntagOpenIDConnectProviderRequest, UntagOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for UntagOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UntagOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tag_keys(&request.tag_keys);
        let arn = &request.open_id_connect_provider_arn;
        let (mut provider, permit) = identity.find_provider_with::<Self>(call, arn, facts).await?;
        tags::remove(&mut provider.record.tags, &request.tag_keys);
        let plan = provider.replaced(Plan::new())?;
        Ok(permit.commit(plan, UntagOpenIDConnectProviderResponse))
    }
}
