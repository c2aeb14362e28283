//! GetFederationToken: a session that a user gets for somebody else. It may do what both the user's policies and the session
//! policies allow; without session policies, nothing that identity policies decide.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>
//!
//! Differs from AWS: a root user cannot get one.

use base::Call;
use wire::sts::{FederatedUser, GetFederationToken, GetFederationTokenRequest, GetFederationTokenResponse};

use crate::Identity;
use crate::session::{SessionHolder, SessionTerms};
use crate::sts::authorize::{Facts, Target};
use crate::sts::error::StsError;
use crate::sts::session_request::{
    SessionTags, credentials, long_term_user, packed_size, token_length_min, token_size,
};
use crate::sts::table::Handle;

/// How long a session is if nothing is said, in seconds.
const SECONDS: i32 = 43_200;

impl Handle for GetFederationToken {
    const MAKES_SESSION: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: GetFederationTokenRequest,
    ) -> Result<GetFederationTokenResponse, StsError> {
        let user = long_term_user(&call.caller, "GetFederationToken")?;
        let unique_id = user.ok_or_else(|| {
            StsError::never("GetFederationToken cannot be called by the root user here.", "it is for users")
        })?;
        let account = call.caller.account;
        let arn = format!("arn:aws:sts::{account}:federated-user/{}", request.name);
        let tags = SessionTags::of(&call.caller, request.tags.as_ref(), None)?;
        let target = Target { arn: Some(&arn), owner: account, trust: None };
        let seconds = request.duration_seconds.unwrap_or(SECONDS);
        let facts = Facts { tags: Some(&tags.asked), duration_seconds: Some(seconds), ..Facts::default() };
        identity.authorize_sts(call, "GetFederationToken", target, &facts).await?;
        if !tags.asked.is_empty() {
            identity.authorize_sts(call, "TagSession", target, &facts).await?;
        }
        let (document, managed) = (request.policy.as_ref(), request.policy_arns.as_ref());
        let policies = identity.session_policies(account, document, managed).await?;
        let terms = SessionTerms { tags: tags.all, ..policies };
        let packed_policy_size = packed_size(&terms)?;
        let holder =
            SessionHolder::FederatedUser { unique_id: unique_id.to_owned(), name: request.name.clone() };
        let minimum = token_length_min(request.minimum_session_token_size);
        let session =
            identity.new_session(account, holder, terms, (call.time, seconds.into()), minimum).await?;
        let (session_token_size, session_token_utilization) = token_size(&session.token);
        Ok(GetFederationTokenResponse {
            credentials: Some(credentials(session)),
            federated_user: Some(FederatedUser {
                federated_user_id: format!("{account}:{}", request.name),
                arn,
            }),
            packed_policy_size,
            session_token_utilization,
            session_token_size,
        })
    }
}
