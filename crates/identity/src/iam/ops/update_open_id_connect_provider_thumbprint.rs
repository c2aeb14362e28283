//! UpdateOpenIDConnectProviderThumbprint: replaces the thumbprints of a provider's certificates.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html>

use base::Call;
use wire::iam::{
    UpdateOpenIDConnectProviderThumbprint, UpdateOpenIDConnectProviderThumbprintRequest,
    UpdateOpenIDConnectProviderThumbprintResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::provider::thumbprints;
use crate::iam::table::Handle;

impl Handle for UpdateOpenIDConnectProviderThumbprint {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateOpenIDConnectProviderThumbprintRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        provider.record.thumbprints = thumbprints(&request.thumbprint_list)?;
        let plan = provider.replaced(Plan::new())?;
        Ok(permit.commit(plan, UpdateOpenIDConnectProviderThumbprintResponse))
    }
}
