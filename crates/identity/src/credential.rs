//! What a signature is checked against, from memory.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use base::{Caller, Principal, SecretString};
use keyring::Domain;
use store::cache::Cache;
use store::{Key, Observer, Revision};
use wire::sigv4::SigningKey;

use crate::access_key::{path_and_name, secret_binding};
use crate::changes::{Changes, Seen};
use crate::error::IdentityError;
use crate::name::AccessKeyId;
use crate::paths;
use crate::record::{AccessKeyRecord, AccessKeyStatus, UserRecord};
use crate::service::Identity;

/// Access keys kept in memory.
const CREDENTIALS_MAX: usize = 4_096;
/// Signing keys kept with each of them: days, Regions and services that one access key signs for at a time.
const SIGNING_KEYS_MAX: usize = 16;
/// A signing key's scope that is longer, in bytes, is none that a client means: its key is not kept.
const SCOPE_LENGTH_MAX: usize = 128;

/// An active access key: who signs with it, and the secret to check that with. It is dropped from memory when a commit
/// changes the access key or its user, and its signing keys with it.
pub struct Credential {
    /// Who signs with this access key.
    pub caller: Arc<Caller>,
    secret: SecretString,
    signing_keys: RwLock<VecDeque<(String, Arc<SigningKey>)>>,
    /// The user's record, as it stood before it was read.
    user: Seen,
}

impl Identity {
    /// The credential of an access key; `None` if there is no such key or it is inactive.
    ///
    /// Known keys are answered from memory. Unknown ones cost one read of the store and leave nothing behind, and what
    /// cannot be an access key id costs nothing.
    ///
    /// # Errors
    /// The store failed, or the secret cannot be opened.
    pub async fn credential(&self, access_key_id: &str) -> Result<Option<Arc<Credential>>, IdentityError> {
        let Ok(id) = access_key_id.parse::<AccessKeyId>() else { return Ok(None) };
        if let Some(known) = self.credentials.get(&id) {
            return Ok(Some(known));
        }
        let ticket = self.credentials.cache.begin_load(&id);
        let Some(loaded) = self.load_credential(&id).await? else { return Ok(None) };
        let loaded = Arc::new(loaded);
        self.credentials.cache.insert(ticket, id, Arc::clone(&loaded));
        Ok(Some(loaded))
    }

    async fn load_credential(&self, id: &AccessKeyId) -> Result<Option<Credential>, IdentityError> {
        let path = paths::access_key(id)?;
        let damaged = || IdentityError::Damaged(path.to_string());
        let Some(key) = self.read::<AccessKeyRecord>(&path).await? else { return Ok(None) };
        let key = key.record;
        let account = key.account.parse().map_err(|_| damaged())?;
        let user_path = paths::user(account, &key.user.parse().map_err(|_| damaged())?)?;
        let seen = self.credentials.user_changes.seen(&user_path);
        let Some(user) = self.read::<UserRecord>(&user_path).await? else { return Ok(None) };
        let user = user.record;
        if key.status != AccessKeyStatus::Active {
            return Ok(None);
        }
        let binding = secret_binding(account, &user.unique_id, id);
        let secret = self.domain_keys.open(&Domain::global(), &binding, &key.secret).await?;
        let secret = std::str::from_utf8(secret.expose()).map_err(|_| damaged())?.to_owned();
        let principal =
            Principal::User { path_and_name: path_and_name(&user)?, unique_id: user.unique_id.clone() };
        Ok(Some(Credential {
            caller: Arc::new(Caller {
                account,
                principal,
                access_key_id: id.as_str().to_owned(),
                session: None,
            }),
            secret: SecretString::new(secret),
            signing_keys: RwLock::default(),
            user: seen,
        }))
    }
}

impl Credential {
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
pub(crate) struct Credentials {
    cache: Cache<AccessKeyId, Credential>,
    user_changes: Changes,
}

impl Credentials {
    pub(crate) fn new() -> Self {
        Self { cache: Cache::new(CREDENTIALS_MAX), user_changes: Changes::new() }
    }

    fn get(&self, id: &AccessKeyId) -> Option<Arc<Credential>> {
        let known = self.cache.get(id)?;
        self.user_changes.holds(known.user).then_some(known)
    }
}

impl Observer for Credentials {
    fn committed(&self, keys: &[Key], _revision: Revision) {
        self.uncertain(keys);
    }

    fn uncertain(&self, keys: &[Key]) {
        for key in keys {
            if key.as_str().starts_with(paths::USERS) {
                self.user_changes.note(key);
            }
            let id = key.as_str().strip_prefix(paths::ACCESS_KEYS).and_then(|id| id.parse().ok());
            if let Some(id) = id {
                self.cache.invalidate(&id);
            }
        }
    }
}
