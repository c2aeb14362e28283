//! DeleteOpenIDConnectProvider: forgets a provider of web identities.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    DeleteOpenIDConnectProvider, DeleteOpenIDConnectProviderRequest, DeleteOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;

impl Handle for DeleteOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let (provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        let mut owner = identity.account_of(call).await?;
        owner.record.providers = owner.record.providers.saturating_sub(1);
        let plan = provider.removed(owner.replaced(Plan::new())?);
        Ok(permit.commit(plan, DeleteOpenIDConnectProviderResponse))
    }
}
