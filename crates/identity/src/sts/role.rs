//! Roles as they are assumed.

use std::collections::BTreeMap;

use base::{AccountId, Arn, Call, Caller, Timestamp};
use policy::Policy;

use super::authorize::Target;
use super::error::StsError;
use crate::Identity;
use crate::record::RoleRecord;
use crate::session::{NewSession, SessionHolder, SessionTerms};

/// How long a session is if nothing is said, in seconds.
const SECONDS: i32 = 3_600;

/// A role that is there.
pub(super) struct AssumableRole {
    pub(super) account: AccountId,
    /// As the request writes it.
    pub(super) arn: String,
    pub(super) tags: BTreeMap<String, String>,
    record: RoleRecord,
    trust: Policy,
}

/// What a session of a role is made of.
pub(super) struct NewRoleSession<'a> {
    pub(super) name: &'a str,
    pub(super) terms: SessionTerms,
    pub(super) seconds: i32,
    pub(super) token_length_min: usize,
}

/// Who a session of a role is.
pub(super) struct AssumedRole {
    /// `AROA…:session`.
    pub(super) id: String,
    pub(super) arn: String,
}

/// The account in the ARN of a role, which need not be there.
///
/// # Errors
/// ValidationError if it is no ARN of a role.
pub(super) fn account_of_role(arn: &str) -> Result<AccountId, StsError> {
    parts(arn).map(|(account, _)| account)
}

/// Account, and path and name, in the ARN of a role.
fn parts(arn: &str) -> Result<(AccountId, &str), StsError> {
    let invalid = || StsError::Validation("Request ARN is invalid".to_owned());
    let parts = Arn::parse(arn).map_err(|_| invalid())?;
    let account = parts.account.parse().map_err(|_| invalid())?;
    let name = parts.resource.strip_prefix("role/").filter(|name| !name.is_empty());
    let is_global = parts.service == "iam" && parts.region.is_empty();
    Ok((account, name.filter(|_| is_global).ok_or_else(invalid)?))
}

impl AssumableRole {
    /// The role as a decision takes it.
    pub(super) fn target(&self) -> Target<'_> {
        Target { arn: Some(&self.arn), owner: self.account, trust: Some(&self.trust) }
    }

    /// How long a session may be that wants to be so long.
    ///
    /// # Errors
    /// ValidationError if the role's sessions are shorter.
    pub(super) fn seconds(&self, asked: Option<i32>) -> Result<i32, StsError> {
        match asked {
            Some(asked) if asked > self.record.max_session_duration => Err(StsError::Validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned(),
            )),
            Some(asked) => Ok(asked),
            None => Ok(SECONDS.min(self.record.max_session_duration)),
        }
    }
}

impl Identity {
    /// The role of an ARN. One that is not there is refused as one that trusts nobody.
    ///
    /// # Errors
    /// ValidationError if it is no ARN of a role, AccessDenied if there is none.
    pub(super) async fn assumable_role(
        &self,
        call: &Call,
        action: &str,
        arn: &str,
    ) -> Result<AssumableRole, StsError> {
        let denied = || {
            let caller = call.caller.arn();
            let text =
                format!("User: {caller} is not authorized to perform: sts:{action} on resource: {arn}");
            StsError::AccessDenied(text)
        };
        self.role_by_arn(arn).await?.ok_or_else(denied)
    }

    /// The role of an ARN, if it is there.
    ///
    /// # Errors
    /// ValidationError if it is no ARN of a role.
    pub(super) async fn role_by_arn(&self, arn: &str) -> Result<Option<AssumableRole>, StsError> {
        let (account, path_and_name) = parts(arn)?;
        let Some(record) = self.role_of(account, path_and_name).await? else { return Ok(None) };
        let trust = record.compiled_trust_policy()?;
        let tags = record.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        Ok(Some(AssumableRole { account, arn: arn.to_owned(), tags, record, trust }))
    }

    /// Makes a session of a role that the caller may assume.
    pub(super) async fn session_of_role(
        &self,
        role: &AssumableRole,
        new: NewRoleSession<'_>,
        now: Timestamp,
    ) -> Result<(NewSession, AssumedRole), StsError> {
        let (account, unique_id) = (role.account, role.record.unique_id.clone());
        let session_name = new.name.to_owned();
        let principal = base::Principal::RoleSession {
            path_and_name: role.record.path_and_name(),
            unique_id: unique_id.clone(),
            session_name: session_name.clone(),
        };
        let caller = Caller { account, principal, access_key_id: String::new(), session: None };
        let assumed = AssumedRole { id: caller.user_id().into_owned(), arn: caller.arn().to_string() };
        let holder = SessionHolder::Role { unique_id, session_name };
        let time = (now, new.seconds.into());
        let session = self.new_session(account, holder, new.terms, time, new.token_length_min).await?;
        Ok((session, assumed))
    }
}
