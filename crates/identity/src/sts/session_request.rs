//! What requests for sessions have in common: session policies, session tags, how long, and what comes of them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>

use std::collections::BTreeMap;

use base::{AccountId, Caller, Principal};
use policy::{Policy, PolicyKind};
use wire::sts::{Credentials, PolicyDescriptorType, Tag};

use super::error::StsError;
use crate::Identity;
use crate::session::{NewSession, PACKED_BYTES_MAX, SessionTerms};
use crate::web_identity::SessionClaims;

/// Keys of tags that only AWS sets begin with it.
const RESERVED_PREFIX: &str = "aws:";

/// Tags of a new session: those that are asked for, and those that it inherits.
pub(super) struct SessionTags {
    /// Asked for.
    pub(super) asked: BTreeMap<String, String>,
    /// All of them.
    pub(super) all: Vec<(String, String)>,
    pub(super) transitive_keys: Vec<String>,
}

impl SessionTags {
    /// # Errors
    /// InvalidParameterValue if two keys differ by case alone, a key is reserved, a transitive key is none of a tag's, or a
    /// tag would take the place of one that is inherited.
    pub(super) fn of(
        caller: &Caller,
        tags: Option<&Vec<Tag>>,
        transitive_keys: Option<&Vec<String>>,
    ) -> Result<Self, StsError> {
        let tags = tags.into_iter().flatten().map(|tag| (tag.key.clone(), tag.value.clone()));
        let transitive_keys = transitive_keys.into_iter().flatten().cloned().collect();
        Self::with_inherited(inherited(caller), tags.collect(), transitive_keys)
    }

    /// Tags that an identity provider chose.
    ///
    /// # Errors
    /// As for others.
    pub(super) fn of_provider(claims: &SessionClaims) -> Result<Self, StsError> {
        Self::with_inherited(Vec::new(), claims.tags.clone(), claims.transitive_tag_keys.clone())
    }

    fn with_inherited(
        inherited: Vec<(String, String)>,
        tags: Vec<(String, String)>,
        transitive: Vec<String>,
    ) -> Result<Self, StsError> {
        let mut asked: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in tags {
            if key.to_lowercase().starts_with(RESERVED_PREFIX) {
                return Err(StsError::InvalidParameter(
                    "Tag keys that begin with aws: are reserved for AWS.",
                ));
            }
            if asked.keys().any(|known| is_same(known, &key)) {
                return Err(StsError::InvalidParameter(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            asked.insert(key, value);
        }
        if !transitive.iter().all(|key| asked.keys().any(|asked| is_same(asked, key))) {
            return Err(StsError::InvalidParameter(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        if inherited.iter().any(|(key, _)| asked.keys().any(|asked| is_same(asked, key))) {
            return Err(StsError::InvalidParameter(
                "One or more of the specified tags can't be set because they conflict with the transitive tag keys from \
                 the calling session.",
            ));
        }
        let mut transitive_keys: Vec<String> = inherited.iter().map(|(key, _)| key.clone()).collect();
        transitive_keys.extend(transitive);
        let own = asked.iter().map(|(key, value)| (key.clone(), value.clone()));
        let all = inherited.into_iter().chain(own).collect();
        Ok(Self { asked, all, transitive_keys })
    }
}

/// Tags that sessions of roles inherit from the session that assumes the role.
fn inherited(caller: &Caller) -> Vec<(String, String)> {
    let Some(session) = &caller.session else { return Vec::new() };
    let is_transitive =
        |key: &String| session.transitive_tag_keys.iter().any(|transitive| is_same(transitive, key));
    session.tags.iter().filter(|(key, _)| is_transitive(key)).cloned().collect()
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

impl Identity {
    /// The policies of a request as a session keeps them.
    ///
    /// # Errors
    /// MalformedPolicyDocument, or ValidationError if a managed policy is none that the account can use.
    pub(super) async fn session_policies(
        &self,
        account: AccountId,
        document: Option<&String>,
        managed: Option<&Vec<PolicyDescriptorType>>,
    ) -> Result<SessionTerms, StsError> {
        if let Some(document) = document {
            Policy::parse(document, PolicyKind::Identity)?;
        }
        let mut policy_arns: Vec<String> = Vec::new();
        for arn in managed.into_iter().flatten().filter_map(|managed| managed.arn.as_ref()) {
            if self.policy_of_arn(account, arn).await?.is_none() {
                return Err(StsError::Validation(format!(
                    "Policy {arn} does not exist or is not attachable."
                )));
            }
            if !policy_arns.contains(arn) {
                policy_arns.push(arn.clone());
            }
        }
        if policy_arns.len() > MANAGED_POLICIES_MAX {
            return Err(StsError::Validation(format!(
                "A session can have at most {MANAGED_POLICIES_MAX} managed policies."
            )));
        }
        Ok(SessionTerms { policy: document.cloned(), policy_arns, ..SessionTerms::default() })
    }
}

/// Managed policies of one session.
const MANAGED_POLICIES_MAX: usize = 10;

/// `PackedPolicySize`: how much of the space for policies and tags a session takes, in hundredths; `None` if it takes none.
///
/// # Errors
/// PackedPolicyTooLarge if it takes more than there is.
pub(super) fn packed_size(terms: &SessionTerms) -> Result<Option<i32>, StsError> {
    let bytes = terms.packed_bytes();
    let percent = (bytes * 100).div_ceil(PACKED_BYTES_MAX);
    if percent > 100 {
        let has_policies = terms.policy.is_some() || !terms.policy_arns.is_empty();
        let (what, advice) = if has_policies {
            ("Packed policy", ", please use smaller policy.")
        } else {
            ("Packed size of session tags", ".")
        };
        return Err(StsError::PackedPolicyTooLarge { what, percent, advice });
    }
    Ok(if bytes == 0 { None } else { i32::try_from(percent).ok() })
}

/// Credentials as answers show them.
pub(super) fn credentials(session: NewSession) -> Credentials {
    Credentials {
        access_key_id: session.access_key_id,
        secret_access_key: session.secret,
        session_token: session.token,
        expiration: session.expires_at,
    }
}

/// `SessionTokenSize`, in characters, and how much of the longest that there can be it is, in hundredths.
pub(super) fn token_size(token: &str) -> (Option<i32>, Option<i32>) {
    (i32::try_from(token.len()).ok(), i32::try_from((token.len() * 100).div_ceil(TOKEN_LENGTH_MAX)).ok())
}

/// No token is longer, in characters: packed policies and tags, and all else that a session has, in base64.
const TOKEN_LENGTH_MAX: usize = 12_288;

/// The shortest token that a client wants.
pub(super) fn token_length_min(asked: Option<i32>) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or_default()
}

/// Refuses a code of a device for multi-factor authentication: nobody has such a device here.
pub(super) fn refuse_multi_factor(serial: Option<&String>, code: Option<&String>) -> Result<(), StsError> {
    if serial.is_none() && code.is_none() {
        return Ok(());
    }
    Err(StsError::never(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is \
         valid and associated with this user.",
        "nobody has a device for multi-factor authentication",
    ))
}

/// Refuses sessions that are none of a role: of STS they may call AssumeRole and GetCallerIdentity only.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html>
pub(super) fn refuse_sessions_of_users(caller: &Caller, operation: &str) -> Result<(), StsError> {
    match &caller.principal {
        Principal::User { .. } | Principal::FederatedUser { .. } | Principal::Root
            if caller.session.is_some() =>
        {
            Err(refused_to_sessions(operation))
        }
        Principal::Root
        | Principal::User { .. }
        | Principal::RoleSession { .. }
        | Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => Ok(()),
    }
}

fn refused_to_sessions(operation: &str) -> StsError {
    let text = format!("Cannot call {operation} with session credentials");
    StsError::never(text, "it is not for sessions of users")
}

/// The unique id of the user who calls with an access key of its own.
///
/// # Errors
/// AccessDenied for sessions, which cannot call `operation`.
pub(super) fn long_term_user<'a>(caller: &'a Caller, operation: &str) -> Result<Option<&'a str>, StsError> {
    if caller.session.is_some() {
        return Err(refused_to_sessions(operation));
    }
    Ok(match &caller.principal {
        Principal::User { unique_id, .. } => Some(unique_id),
        Principal::Root
        | Principal::RoleSession { .. }
        | Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => None,
    })
}
