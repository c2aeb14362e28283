//! ListRetirableGrants: the grants in this Region that a principal of the caller's account may retire, on keys of
//! whatever account.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html>

use base::Call;
use wire::kms::{ListRetirableGrants, ListRetirableGrantsRequest, ListRetirableGrantsResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::grant::{GrantPrincipal, entry_of_arn};
use crate::table::Handle;

impl AccountAction for ListRetirableGrants {
    const NAME: &'static str = "ListRetirableGrants";
}

impl Handle for ListRetirableGrants {
    const READ_ONLY: bool = true;
    const TELLS_NO_RESOURCES: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListRetirableGrantsRequest,
    ) -> Result<ListRetirableGrantsResponse, KmsError> {
        let retiring =
            GrantPrincipal::retiring(&request.retiring_principal, &request.retiring_service_principal)?;
        let region = kms.authorize_account::<Self>(call, &Facts::default()).await?.place.region;
        check_reach(call, &retiring)?;
        let retiring = kms.holder_now(&retiring).await?;
        kms.grants_to_retire(region, &retiring, request.limit, request.marker.as_deref()).await
    }
}

/// The resource of this operation is the retiring principal, which must be of the caller's account. Only services may
/// ask for services, on AWS; here no service of this process does.
fn check_reach(call: &Call, retiring: &GrantPrincipal) -> Result<(), KmsError> {
    let (name, account) = match retiring {
        GrantPrincipal::Arn(arn) => {
            let entry = entry_of_arn(arn).ok_or_else(|| KmsError::InvalidPrincipal(arn.clone()))?;
            (arn, entry.account())
        }
        GrantPrincipal::Service(service) => (service, None),
    };
    if account == Some(call.caller.account) {
        return Ok(());
    }
    let action = <ListRetirableGrants as AccountAction>::NAME;
    Err(KmsError::foreign_principal(&call.caller, action, name))
}
