//! GetCallerIdentity: needs no permission, changes nothing.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use base::Call;

/// The members of the result, in the order of the published example.
pub(super) fn run(call: &Call) -> [(&'static str, String); 3] {
    let caller = &call.caller;
    [
        ("Arn", caller.arn().to_string()),
        ("UserId", caller.user_id().into_owned()),
        ("Account", caller.account.to_string()),
    ]
}
