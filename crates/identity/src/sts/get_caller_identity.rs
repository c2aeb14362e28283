//! GetCallerIdentity: needs no permission, changes nothing.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use base::Call;
use wire::sts::GetCallerIdentityResponse;

pub(super) fn run(call: &Call) -> GetCallerIdentityResponse {
    let caller = &call.caller;
    GetCallerIdentityResponse {
        user_id: Some(caller.user_id().into_owned()),
        account: Some(caller.account.to_string()),
        arn: Some(caller.arn().to_string()),
    }
}
