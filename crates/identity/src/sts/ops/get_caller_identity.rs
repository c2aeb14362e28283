//! GetCallerIdentity: who calls. It needs no permission and works under every deny.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use base::Call;
use wire::sts::{GetCallerIdentity, GetCallerIdentityRequest, GetCallerIdentityResponse};

use crate::Identity;
use crate::sts::error::StsError;
use crate::sts::table::Handle;

impl Handle for GetCallerIdentity {
    async fn handle(
        _identity: &Identity,
        call: &Call,
        _request: GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse, StsError> {
        let caller = &call.caller;
        Ok(GetCallerIdentityResponse {
            user_id: Some(caller.user_id().into_owned()),
            account: Some(caller.account.to_string()),
            arn: Some(caller.arn().to_string()),
        })
    }
}
