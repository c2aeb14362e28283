//! ListGrants: the grants on a key, all or those that a filter names. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>

use base::Call;
use wire::kms::{ListGrants, ListGrantsRequest, ListGrantsResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::grant::{GrantId, GrantPrincipal};
use crate::table::Handle;

impl KeyAction for ListGrants {
    const NAME: &'static str = "ListGrants";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for ListGrants {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListGrantsRequest,
    ) -> Result<ListGrantsResponse, KmsError> {
        let grantee =
            GrantPrincipal::grantee(&request.grantee_principal, &request.grantee_service_principal)?;
        let id = request.grant_id.as_deref().map(GrantId::parse).transpose()?;
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        let grantee = kms.grantee(grantee.as_ref()).await?;
        match id {
            Some(id) => kms.grant_of_key(&key.arn(), &id, &grantee).await,
            None => kms.grants_of_key(&key.arn(), &grantee, request.limit, request.marker.as_deref()).await,
        }
    }
}
