//! GetOpenIDConnectProvider: one provider of web identities.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html>

use base::{Call, Timestamp};
use wire::iam::{
    GetOpenIDConnectProvider, GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for GetOpenIDConnectProvider {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetOpenIDConnectProviderRequest,
    ) -> Result<Done<Self>, IamError> {
        let (provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        let provider = provider.record;
        Ok(permit.answer(GetOpenIDConnectProviderResponse {
            url: Some(provider.url),
            client_id_list: Some(provider.client_ids),
            thumbprint_list: Some(provider.thumbprints),
            create_date: Some(Timestamp::from_millis(provider.created_at)),
            tags: tags::shown(&provider.tags),
        }))
    }
}
