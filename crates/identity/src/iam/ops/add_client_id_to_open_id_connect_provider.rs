//! AddClientIDToOpenIDConnectProvider: a provider may issue tokens for a further client. Adding one again changes nothing.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html>

use base::Call;
use wire::iam::{
    AddClientIDToOpenIDConnectProvider, AddClientIDToOpenIDConnectProviderRequest,
    AddClientIDToOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::provider::client_ids;
use crate::iam::table::Handle;

impl Handle for AddClientIDToOpenIDConnectProvider {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &AddClientIDToOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        if !provider.record.client_ids.contains(&request.client_id) {
            provider.record.client_ids.push(request.client_id.clone());
        }
        client_ids(&provider.record.client_ids)?;
        let plan = provider.replaced(Plan::new())?;
        Ok(permit.commit(plan, AddClientIDToOpenIDConnectProviderResponse))
    }
}
