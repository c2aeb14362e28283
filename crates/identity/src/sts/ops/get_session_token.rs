//! GetSessionToken: a session of the user, or root user, who calls. No policy decides about it.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
//!
//! Differs from AWS: there are no devices for multi-factor authentication, so that no session has used one.

use base::Call;
use wire::sts::{GetSessionToken, GetSessionTokenRequest, GetSessionTokenResponse};

use crate::Identity;
use crate::session::{SessionHolder, SessionTerms};
use crate::sts::error::StsError;
use crate::sts::session_request::{
    credentials, long_term_user, refuse_multi_factor, token_length_min, token_size,
};
use crate::sts::table::Handle;

/// How long a user's session is if nothing is said, in seconds.
const SECONDS: i32 = 43_200;
/// The longest session of a root user.
const ROOT_SECONDS_MAX: i32 = 3_600;

impl Handle for GetSessionToken {
    const MAKES_SESSION: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: GetSessionTokenRequest,
    ) -> Result<GetSessionTokenResponse, StsError> {
        let user = long_term_user(&call.caller, "GetSessionToken")?;
        refuse_multi_factor(request.serial_number.as_ref(), request.token_code.as_ref())?;
        let seconds = request.duration_seconds.unwrap_or(SECONDS);
        let (holder, seconds) = match user {
            Some(unique_id) => (SessionHolder::User { unique_id: unique_id.to_owned() }, seconds),
            None => (SessionHolder::Root, seconds.min(ROOT_SECONDS_MAX)),
        };
        let minimum = token_length_min(request.minimum_session_token_size);
        let (account, time) = (call.caller.account, (call.time, seconds.into()));
        let session = identity.new_session(account, holder, SessionTerms::default(), time, minimum).await?;
        let (session_token_size, session_token_utilization) = token_size(&session.token);
        Ok(GetSessionTokenResponse {
            credentials: Some(credentials(session)),
            session_token_utilization,
            session_token_size,
        })
    }
}
