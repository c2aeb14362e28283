//! AssumeRole: a session of a role whose trust policy lets the caller in.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
//!
//! Differs from AWS: there are no devices for multi-factor authentication, and no providers of trusted contexts.

use base::{Call, Principal};
use wire::sts::{AssumeRole, AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser};

use crate::Identity;
use crate::session::SessionTerms;
use crate::sts::authorize::Facts;
use crate::sts::error::StsError;
use crate::sts::role::{AssumableRole, NewRoleSession};
use crate::sts::session_request::{
    SessionTags, credentials, packed_size, refuse_multi_factor, token_length_min, token_size,
};
use crate::sts::table::Handle;

/// The longest session that a session of another role can get, in seconds.
const CHAINED_SECONDS_MAX: i32 = 3_600;

impl Handle for AssumeRole {
    const MAKES_SESSION: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: AssumeRoleRequest,
    ) -> Result<AssumeRoleResponse, StsError> {
        refuse_who_never_may(call)?;
        let role = identity.assumable_role(call, "AssumeRole", &request.role_arn).await?;
        let tags =
            SessionTags::of(&call.caller, request.tags.as_ref(), request.transitive_tag_keys.as_ref())?;
        let source_identity = source_identity(call, &request)?;
        let facts = Facts {
            role_session_name: Some(&request.role_session_name),
            external_id: request.external_id.as_deref(),
            source_identity: source_identity.as_deref(),
            transitive_tag_keys: request.transitive_tag_keys.as_ref(),
            duration_seconds: request.duration_seconds,
            tags: Some(&tags.asked),
            role_tags: Some(&role.tags),
        };
        authorize(identity, call, &role, &facts, !tags.all.is_empty()).await?;
        call.event.add_resource("AWS::IAM::Role", role.account, &request.role_arn);
        refuse_multi_factor(request.serial_number.as_ref(), request.token_code.as_ref())?;
        refuse_contexts(&request)?;
        let seconds = seconds(call, &role, request.duration_seconds)?;
        let (document, managed) = (request.policy.as_ref(), request.policy_arns.as_ref());
        let policies = identity.session_policies(role.account, document, managed).await?;
        let terms = SessionTerms {
            tags: tags.all,
            transitive_tag_keys: tags.transitive_keys,
            source_identity: source_identity.clone(),
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
        Ok(AssumeRoleResponse {
            credentials: Some(credentials(session)),
            assumed_role_user: Some(AssumedRoleUser { assumed_role_id: assumed.id, arn: assumed.arn }),
            packed_policy_size,
            source_identity,
            session_token_utilization,
            session_token_size,
        })
    }
}

/// The trust policy must let the caller in, tag the session if it has tags, and name its source if it has one.
async fn authorize(
    identity: &Identity,
    call: &Call,
    role: &AssumableRole,
    facts: &Facts<'_>,
    has_tags: bool,
) -> Result<(), StsError> {
    identity.authorize_sts(call, "AssumeRole", role.target(), facts).await?;
    if has_tags {
        identity.authorize_sts(call, "TagSession", role.target(), facts).await?;
    }
    if facts.source_identity.is_some() {
        identity.authorize_sts(call, "SetSourceIdentity", role.target(), facts).await?;
    }
    Ok(())
}

/// Root users and federated users assume no role, whatever policies say.
fn refuse_who_never_may(call: &Call) -> Result<(), StsError> {
    let text = match &call.caller.principal {
        Principal::Root => "Roles may not be assumed by root accounts.",
        Principal::FederatedUser { .. } => "Cannot call AssumeRole with credentials of a federated user",
        Principal::Anonymous => "Roles may not be assumed by anonymous callers.",
        Principal::User { .. } | Principal::RoleSession { .. } | Principal::Service { .. } => return Ok(()),
    };
    Err(StsError::never(text, "such callers assume no roles"))
}

/// Once set, the source identity stays for the whole chain of sessions.
fn source_identity(call: &Call, request: &AssumeRoleRequest) -> Result<Option<String>, StsError> {
    let inherited = call.caller.session.as_ref().and_then(|session| session.source_identity.as_ref());
    match (inherited, &request.source_identity) {
        (Some(inherited), Some(asked)) if inherited != asked => Err(StsError::never(
            "The source identity of the calling session cannot be changed.",
            "a source identity stays for the whole chain of sessions",
        )),
        (_, Some(asked)) if asked.to_lowercase().starts_with("aws:") => {
            Err(StsError::Validation("A source identity cannot begin with aws:".to_owned()))
        }
        (inherited, asked) => Ok(inherited.or(asked.as_ref()).cloned()),
    }
}

fn refuse_contexts(request: &AssumeRoleRequest) -> Result<(), StsError> {
    match &request.provided_contexts {
        Some(contexts) if !contexts.is_empty() => {
            Err(StsError::Validation("There are no providers of trusted contexts here.".to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}

fn seconds(call: &Call, role: &AssumableRole, asked: Option<i32>) -> Result<i32, StsError> {
    let is_chained = matches!(call.caller.principal, Principal::RoleSession { .. });
    let seconds = role.seconds(asked)?;
    if is_chained && seconds > CHAINED_SECONDS_MAX {
        return Err(StsError::Validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
                .to_owned(),
        ));
    }
    Ok(seconds)
}
