//! Sessions: temporary credentials. All that a session is stands in its token, which nobody but this service can make or
//! read; nothing of it is stored.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html>

mod contents;
mod token;

use std::sync::Arc;

use base::{AccountId, Caller, Principal, SecretString, Timestamp};

pub(crate) use contents::{SessionFederation, SessionHolder, SessionTerms};

use crate::access_key::path_and_name;
use crate::credential::{Credential, Holder};
use crate::draw;
use crate::error::IdentityError;
use crate::name::AccessKeyId;
use crate::record::{RoleRecord, UserRecord};
use crate::service::Identity;
use contents::Contents;

/// Bytes that the policies and tags of a session may take in its token: `PackedPolicySize` counts in hundredths of it. AWS
/// publishes no figure.
pub(crate) const PACKED_BYTES_MAX: usize = 6_144;

/// Credentials that were just made. The secret can be read here and never again.
pub(crate) struct NewSession {
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretString,
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

/// What a token turns out to be.
pub(crate) enum OpenedSession {
    /// It is good until then.
    Open(Credential),
    /// Its time is over.
    Expired,
    /// It was not made here, belongs to another access key, or whose session it is does not exist any more.
    Invalid,
}

impl Identity {
    /// Makes a session. `token_length_min` is how long the client wants its token to be at least, in characters.
    pub(crate) async fn new_session(
        &self,
        account: AccountId,
        holder: SessionHolder,
        terms: SessionTerms,
        (issued_at, seconds): (Timestamp, i64),
        token_length_min: usize,
    ) -> Result<NewSession, IdentityError> {
        let secret = draw::secret(&*self.randomness)?;
        let mut contents = Contents {
            access_key_id: draw::access_key_id("ASIA", account, &*self.randomness)?,
            account: account.to_string(),
            holder,
            issued_at: issued_at.millis(),
            expires_at: issued_at.plus_seconds(seconds).millis(),
            terms,
            padding: String::new(),
        };
        let mut token = token::issue(&self.domain_keys, &contents, &secret).await?;
        if let Some(missing) = token_length_min.checked_sub(token.len()).filter(|missing| *missing > 0) {
            contents.padding = "-".repeat(missing);
            token = token::issue(&self.domain_keys, &contents, &secret).await?;
        }
        let expires_at = contents.expires_at();
        Ok(NewSession { access_key_id: contents.access_key_id, secret, token, expires_at })
    }

    /// The credential of a session, if it is one of the access key.
    pub(crate) async fn open_session(
        &self,
        id: &AccessKeyId,
        token: &str,
        now: Timestamp,
    ) -> Result<OpenedSession, IdentityError> {
        let Some(opened) = token::open(&self.domain_keys, token).await? else {
            return Ok(OpenedSession::Invalid);
        };
        let contents = opened.contents;
        let account = contents.account().filter(|_| contents.access_key_id == id.as_str());
        let Some(account) = account else { return Ok(OpenedSession::Invalid) };
        if contents.expires_at() <= now {
            return Ok(OpenedSession::Expired);
        }
        let Some((holder, principal)) = self.holder_of_session(account, &contents.holder).await? else {
            return Ok(OpenedSession::Invalid);
        };
        let access_key_id = id.as_str().to_owned();
        let caller = Caller { account, principal, access_key_id, session: Some(contents.session()) };
        let credential = Credential::new(Arc::new(caller), opened.secret, holder);
        Ok(OpenedSession::Open(credential.issued(token, contents.expires_at())))
    }

    /// Who holds a session, if they are still there.
    async fn holder_of_session(
        &self,
        account: AccountId,
        holder: &SessionHolder,
    ) -> Result<Option<(Holder, Principal)>, IdentityError> {
        let unique_id = match holder {
            SessionHolder::Root => return Ok(Some((Holder::Account, Principal::Root))),
            SessionHolder::User { unique_id }
            | SessionHolder::Role { unique_id, .. }
            | SessionHolder::FederatedUser { unique_id, .. } => unique_id,
        };
        let Some(path) = self.path_of_unique_id(account, unique_id).await? else { return Ok(None) };
        // Noted before it is read.
        let seen = Holder::Identity(self.credentials.seen(&path));
        let principal = match holder {
            SessionHolder::Root => Some(Principal::Root),
            SessionHolder::User { unique_id } => self
                .user_with_id(&path, unique_id)
                .await?
                .map(|path_and_name| Principal::User { path_and_name, unique_id: unique_id.clone() }),
            SessionHolder::FederatedUser { unique_id, name } => {
                self.user_with_id(&path, unique_id).await?.map(|user_path_and_name| {
                    let (name, user_unique_id) = (name.clone(), unique_id.clone());
                    Principal::FederatedUser { name, user_path_and_name, user_unique_id }
                })
            }
            SessionHolder::Role { unique_id, session_name } => {
                let role = self.read::<RoleRecord>(&path).await?.map(|read| read.record);
                let role = role.filter(|role| role.unique_id == *unique_id);
                role.map(|role| Principal::RoleSession {
                    path_and_name: role.path_and_name(),
                    unique_id: unique_id.clone(),
                    session_name: session_name.clone(),
                })
            }
        };
        Ok(principal.map(|principal| (seen, principal)))
    }

    async fn user_with_id(
        &self,
        path: &store::Key,
        unique_id: &str,
    ) -> Result<Option<String>, IdentityError> {
        let user = self.read::<UserRecord>(path).await?.map(|read| read.record);
        user.filter(|user| user.unique_id == unique_id).map(|user| path_and_name(&user)).transpose()
    }
}
