//! DecodeAuthorizationMessage: why a request was refused, out of the encoded message that the refusal gave.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>

use base::Call;
use wire::sts::{
    DecodeAuthorizationMessage, DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse,
};

use crate::Identity;
use crate::sts::authorize::{Facts, Target};
use crate::sts::error::StsError;
use crate::sts::session_request::refuse_sessions_of_users;
use crate::sts::table::Handle;

impl Handle for DecodeAuthorizationMessage {
    async fn handle(
        identity: &Identity,
        call: &Call,
        request: DecodeAuthorizationMessageRequest,
    ) -> Result<DecodeAuthorizationMessageResponse, StsError> {
        refuse_sessions_of_users(&call.caller, "DecodeAuthorizationMessage")?;
        let nothing = Target { arn: None, owner: call.caller.account, trust: None };
        identity.authorize_sts(call, "DecodeAuthorizationMessage", nothing, &Facts::default()).await?;
        let message = identity.decode_authorization_message(&request.encoded_message).await?;
        let message = message.ok_or(StsError::InvalidAuthorizationMessage)?;
        Ok(DecodeAuthorizationMessageResponse { decoded_message: Some(message) })
    }
}
