//! AssumeRoleWithWebIdentity: a session of a role for whoever holds a token of an OpenID Connect provider that the role
//! trusts, such as a Kubernetes service account. Nobody signs the request: the token says who asks.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
//!
//! Differs from AWS: the providers that AWS knows by itself are not known here, and so ProviderId is refused.

use base::{EventTokenHolder, UnsignedCall};
use policy::CallerFacts;
use wire::sts::{
    AssumeRoleWithWebIdentity, AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse,
    AssumedRoleUser,
};

use crate::Identity;
use crate::session::{SessionFederation, SessionTerms};
use crate::sts::authorize::{Facts, not_authorized};
use crate::sts::error::StsError;
use crate::sts::role::{AssumableRole, NewRoleSession, RoleArn};
use crate::sts::session_request::{SessionTags, credentials, packed_size, token_length_min, token_size};
use crate::sts::table::HandleUnsigned;
use crate::web_identity::TokenHolder;

const ACTION: &str = "AssumeRoleWithWebIdentity";

impl HandleUnsigned for AssumeRoleWithWebIdentity {
    async fn handle(
        identity: &Identity,
        call: &UnsignedCall,
        request: AssumeRoleWithWebIdentityRequest,
    ) -> Result<AssumeRoleWithWebIdentityResponse, StsError> {
        if request.provider_id.is_some() {
            return Err(StsError::Validation("ProviderId is for OAuth 2.0 access tokens.".to_owned()));
        }
        let arn = RoleArn::parse(&request.role_arn)?;
        // The token first: whoever has none that is good learns nothing of roles.
        let token = request.web_identity_token.expose();
        let holder = identity.token_holder(arn.account, token, call.time).await?;
        call.event.set_token_holder(EventTokenHolder {
            account: arn.account,
            provider: holder.provider.clone(),
            audience: holder.audience.clone(),
            subject: holder.subject.clone(),
        });
        let role = identity.role_by_arn(&arn).await?;
        let role = role.ok_or_else(|| not_authorized(ACTION))?;
        let tags = SessionTags::of_provider(&holder.session)?;
        authorize(identity, call, &role, &holder, &tags, &request)?;
        call.event.add_resource("AWS::IAM::Role", role.account, &request.role_arn);
        let seconds = role.seconds(request.duration_seconds)?;
        let (document, managed) = (request.policy.as_ref(), request.policy_arns.as_ref());
        let policies = identity.session_policies(role.account, document, managed).await?;
        let federation = holder.federation();
        let terms = SessionTerms {
            tags: tags.all,
            transitive_tag_keys: tags.transitive_keys,
            source_identity: holder.session.source_identity.clone(),
            federation: Some(SessionFederation { provider: federation.provider, claims: federation.claims }),
            ..policies
        };
        let packed_policy_size = packed_size(&terms)?;
        let new = NewRoleSession {
            name: &request.role_session_name,
            terms,
            seconds,
            token_length_min: token_length_min(request.minimum_session_token_size),
        };
        let (session, assumed) = identity.session_of_role(&role, new, call.time).await?;
        let (session_token_size, session_token_utilization) = token_size(&session.token);
        Ok(AssumeRoleWithWebIdentityResponse {
            credentials: Some(credentials(session)),
            subject_from_web_identity_token: Some(holder.subject),
            assumed_role_user: Some(AssumedRoleUser { assumed_role_id: assumed.id, arn: assumed.arn }),
            packed_policy_size,
            provider: Some(holder.provider),
            audience: Some(holder.audience),
            source_identity: holder.session.source_identity,
            session_token_utilization,
            session_token_size,
        })
    }
}

/// The trust policy must let the token holder in, tag the session if the token has tags, and name its source if it has one.
fn authorize(
    identity: &Identity,
    call: &UnsignedCall,
    role: &AssumableRole,
    holder: &TokenHolder,
    tags: &SessionTags,
    request: &AssumeRoleWithWebIdentityRequest,
) -> Result<(), StsError> {
    let federation = base::Federation { provider: holder.provider.clone(), claims: holder.claims.clone() };
    let caller = CallerFacts::token_holder(&holder.provider, federation);
    let facts = Facts {
        role_session_name: Some(&request.role_session_name),
        source_identity: holder.session.source_identity.as_deref(),
        transitive_tag_keys: Some(&tags.transitive_keys).filter(|keys| !keys.is_empty()),
        duration_seconds: request.duration_seconds,
        tags: Some(&tags.asked),
        role_tags: Some(&role.tags),
        external_id: None,
    };
    identity.authorize_token_holder(call, &caller, ACTION, role.target(), &facts)?;
    if !tags.asked.is_empty() {
        identity.authorize_token_holder(call, &caller, "TagSession", role.target(), &facts)?;
    }
    if facts.source_identity.is_some() {
        identity.authorize_token_holder(call, &caller, "SetSourceIdentity", role.target(), &facts)?;
    }
    Ok(())
}
