//! What a signature is checked against, from memory.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use base::{AccountId, Caller, Principal, SecretString, Timestamp};
use keyring::Domain;
use store::cache::{Cache, CacheFigures};
use store::{Key, Observer, Revision};
use wire::sigv4::SigningKey;

use crate::access_key::{ROOT_USER, path_and_name, secret_binding};
use crate::changes::{Changes, Seen};
use crate::error::IdentityError;
use crate::name::AccessKeyId;
use crate::paths;
use crate::record::{AccessKeyRecord, AccessKeyStatus, UserRecord};
use crate::service::Identity;
use crate::session::OpenedSession;

/// Access keys kept in memory.
const CREDENTIALS_MAX: usize = 4_096;
/// Sessions kept in memory; others are opened from their tokens again.
const SESSIONS_MAX: usize = 16_384;
/// Signing keys kept with each of them: days, Regions and services that one access key signs for at a time.
const SIGNING_KEYS_MAX: usize = 16;
/// A signing key's scope that is longer, in bytes, is none that a client means: its key is not kept.
const SCOPE_LENGTH_MAX: usize = 128;

/// An active access key or session: who signs with it, and the secret to check that with. It is dropped from memory when a
/// commit changes the access key or whose it is, and its signing keys with it.
pub struct Credential {
    /// Who signs with this access key.
    pub caller: Arc<Caller>,
    secret: SecretString,
    signing_keys: RwLock<VecDeque<(String, Arc<SigningKey>)>>,
    holder: Holder,
    session: Option<Issued>,
}

/// What the credentials of a request turn out to be.
pub enum Credentials {
    /// They are good.
    Known(Arc<Credential>),
    /// They were, and their time is over.
    Expired,
    /// There is no such access key, it is inactive, or the session token is missing, unexpected or not its own.
    Unknown,
}

impl Credentials {
    /// The credential, if it is good.
    pub fn known(self) -> Option<Arc<Credential>> {
        match self {
            Self::Known(credential) => Some(credential),
            Self::Expired | Self::Unknown => None,
        }
    }
}

/// Whose the credentials are, as it stood before it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    /// The account as a whole, whose root user it is.
    Account,
    /// A user or role, by its record.
    Identity(Seen),
}

/// What belongs to a session beside its secret.
struct Issued {
    token: Box<str>,
    expires_at: Timestamp,
}

impl Identity {
    /// The credentials that a request shows: an access key and, for temporary credentials, a session token.
    ///
    /// Known ones are answered from memory. Unknown access keys cost one read of the store and leave nothing behind, a
    /// session's token is opened and its holder looked up, and what cannot be an access key id costs nothing.
    ///
    /// # Errors
    /// The store failed, or the secret cannot be opened.
    pub async fn credentials(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Credentials, IdentityError> {
        let Ok(id) = access_key_id.parse::<AccessKeyId>() else { return Ok(Credentials::Unknown) };
        match session_token {
            Some(token) => self.session(id, token).await,
            None => self.access_key(id).await,
        }
    }

    async fn access_key(&self, id: AccessKeyId) -> Result<Credentials, IdentityError> {
        if let Some(known) = self.credentials.access_key(&id) {
            return Ok(Credentials::Known(known));
        }
        let ticket = self.credentials.access_keys.begin_load(&id);
        let Some(loaded) = self.load_access_key(&id).await? else { return Ok(Credentials::Unknown) };
        let loaded = Arc::new(loaded);
        self.credentials.access_keys.insert(ticket, id, Arc::clone(&loaded));
        Ok(Credentials::Known(loaded))
    }

    async fn session(&self, id: AccessKeyId, token: &str) -> Result<Credentials, IdentityError> {
        let now = self.clock.now();
        if let Some(known) = self.credentials.session(&id, token) {
            let is_over = known.session.as_ref().is_some_and(|issued| issued.expires_at <= now);
            return Ok(if is_over { Credentials::Expired } else { Credentials::Known(known) });
        }
        let ticket = self.credentials.sessions.begin_load(&id);
        match self.open_session(&id, token, now).await? {
            OpenedSession::Invalid => Ok(Credentials::Unknown),
            OpenedSession::Expired => Ok(Credentials::Expired),
            OpenedSession::Open(credential) => {
                let credential = Arc::new(credential);
                self.credentials.sessions.insert(ticket, id, Arc::clone(&credential));
                Ok(Credentials::Known(credential))
            }
        }
    }

    async fn load_access_key(&self, id: &AccessKeyId) -> Result<Option<Credential>, IdentityError> {
        let path = paths::access_key(id)?;
        let damaged = || IdentityError::Damaged(path.to_string());
        let Some(key) = self.read::<AccessKeyRecord>(&path).await? else { return Ok(None) };
        let key = key.record;
        let account = key.account.parse().map_err(|_| damaged())?;
        let Some((holder, principal)) = self.holder_of_access_key(account, &key).await? else {
            return Ok(None);
        };
        if key.status != AccessKeyStatus::Active {
            return Ok(None);
        }
        let owner = match &principal {
            Principal::User { unique_id, .. } => unique_id.as_str(),
            Principal::Root
            | Principal::RoleSession { .. }
            | Principal::FederatedUser { .. }
            | Principal::Service { .. }
            | Principal::Anonymous => ROOT_USER,
        };
        let binding = secret_binding(account, owner, id);
        let secret = self.domain_keys.open(&Domain::global(), &binding, &key.secret).await?;
        let secret = std::str::from_utf8(secret.expose()).map_err(|_| damaged())?.to_owned();
        let access_key_id = id.as_str().to_owned();
        let caller = Caller { account, principal, access_key_id, session: None };
        Ok(Some(Credential::new(Arc::new(caller), SecretString::new(secret), holder)))
    }

    async fn holder_of_access_key(
        &self,
        account: AccountId,
        key: &AccessKeyRecord,
    ) -> Result<Option<(Holder, Principal)>, IdentityError> {
        let Some(name) = &key.user else { return Ok(Some((Holder::Account, Principal::Root))) };
        let name = name.parse().map_err(|_| IdentityError::Damaged(format!("an access key of {name}")))?;
        let path = paths::user(account, &name)?;
        let holder = Holder::Identity(self.credentials.seen(&path));
        let Some(user) = self.read::<UserRecord>(&path).await? else { return Ok(None) };
        let (path_and_name, unique_id) = (path_and_name(&user.record)?, user.record.unique_id);
        Ok(Some((holder, Principal::User { path_and_name, unique_id })))
    }
}

impl Credential {
    pub(crate) fn new(caller: Arc<Caller>, secret: SecretString, holder: Holder) -> Self {
        Self { caller, secret, signing_keys: RwLock::default(), holder, session: None }
    }

    /// The credential of a session with this token.
    pub(crate) fn issued(self, token: &str, expires_at: Timestamp) -> Self {
        Self { session: Some(Issued { token: token.into(), expires_at }), ..self }
    }

    /// The key that signs for one day (`YYYYMMDD`), Region and service: derived once, then kept with the credential
    /// while it is among the last that were asked for.
    pub fn signing_key(&self, date: &str, region: &str, service: &str) -> Arc<SigningKey> {
        // No part of a scope holds a slash, so that no two scopes have one name.
        let scope = format!("{date}/{region}/{service}");
        let known = self.signing_keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = known.iter().find(|(known, _)| *known == scope) {
            return Arc::clone(key);
        }
        drop(known);
        let key = Arc::new(SigningKey::derive(&self.secret, date, region, service));
        if scope.len() > SCOPE_LENGTH_MAX {
            return key;
        }
        let mut known = self.signing_keys.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SIGNING_KEYS_MAX {
            known.pop_front();
        }
        known.push_back((scope, Arc::clone(&key)));
        key
    }
}

/// Credentials in memory, kept honest by commits.
pub(crate) struct KnownCredentials {
    access_keys: Cache<AccessKeyId, Credential>,
    sessions: Cache<AccessKeyId, Credential>,
    holder_changes: Changes,
}

impl KnownCredentials {
    /// How often access keys and sessions were held.
    pub(crate) fn figures(&self) -> [(&'static str, CacheFigures); 2] {
        [("access_keys", self.access_keys.figures()), ("sessions", self.sessions.figures())]
    }

    pub(crate) fn new() -> Self {
        Self {
            access_keys: Cache::new(CREDENTIALS_MAX),
            sessions: Cache::new(SESSIONS_MAX),
            holder_changes: Changes::new(),
        }
    }

    /// To be called before the record of a user or role is read.
    pub(crate) fn seen(&self, holder: &Key) -> Seen {
        self.holder_changes.seen(holder)
    }

    fn access_key(&self, id: &AccessKeyId) -> Option<Arc<Credential>> {
        self.access_keys.get(id).filter(|known| self.holds(known.holder))
    }

    /// The access key ids of two sessions can be the same; their tokens are not.
    fn session(&self, id: &AccessKeyId, token: &str) -> Option<Arc<Credential>> {
        let known = self.sessions.get(id)?;
        let is_its = known.session.as_ref().is_some_and(|issued| *issued.token == *token);
        (is_its && self.holds(known.holder)).then_some(known)
    }

    fn holds(&self, holder: Holder) -> bool {
        match holder {
            Holder::Account => true,
            Holder::Identity(seen) => self.holder_changes.holds(seen),
        }
    }
}

impl Observer for KnownCredentials {
    fn committed(&self, keys: &[Key], _revision: Revision) {
        self.uncertain(keys);
    }

    fn uncertain(&self, keys: &[Key]) {
        for key in keys {
            if key.as_str().starts_with(paths::USERS) || key.as_str().starts_with(paths::ROLES) {
                self.holder_changes.note(key);
            }
            let id = key.as_str().strip_prefix(paths::ACCESS_KEYS).and_then(|id| id.parse().ok());
            if let Some(id) = id {
                self.access_keys.invalidate(&id);
            }
        }
    }
}
