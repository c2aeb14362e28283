//! RemoveClientIDFromOpenIDConnectProvider: a provider's tokens for a client count no more. An unknown one is no mistake.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    RemoveClientIDFromOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProviderRequest,
    RemoveClientIDFromOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;

impl Handle for RemoveClientIDFromOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &RemoveClientIDFromOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        provider.record.client_ids.retain(|id| *id != request.client_id);
        let plan = provider.replaced(Plan::new())?;
        Ok(permit.commit(plan, RemoveClientIDFromOpenIDConnectProviderResponse))
    }
}
