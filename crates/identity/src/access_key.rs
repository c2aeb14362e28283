//! Access keys.

use base::{AccountId, SecretString};
use crypto::Binding;
use keyring::Domain;
use store::{Transaction, encode_record};

use crate::error::IdentityError;
use crate::name::{AccessKeyId, UserName, UserPath};
use crate::record::{AccessKeyRecord, AccessKeyStatus, UserRecord};
use crate::service::{Attempts, Committed, Identity};
use crate::{draw, paths, trail};

/// AWS's quota of access keys per user.
pub(crate) const ACCESS_KEYS_PER_USER_MAX: usize = 2;
const SECRET_LENGTH_MAX: usize = 128;

/// An access key that was just made. Its secret can be read here and never again.
pub struct NewAccessKey {
    /// The public half.
    pub id: AccessKeyId,
    /// The secret half.
    pub secret: SecretString,
}

impl Identity {
    /// Makes an access key for a user.
    ///
    /// # Errors
    /// There is no such user, the user has two, or the store or the machine failed.
    pub async fn create_access_key(
        &self,
        account: AccountId,
        user: &UserName,
    ) -> Result<NewAccessKey, IdentityError> {
        let mut attempts = Attempts::default();
        loop {
            let key = self.draw_access_key(account)?;
            if self.add_access_key(account, user, &key.id, &key.secret).await? {
                return Ok(key);
            }
            attempts.again()?;
        }
    }

    /// Gives a user an access key that was made elsewhere, unless there is one with this id: that one, whosever it is,
    /// stays as it is. Tells whether the key was made.
    ///
    /// # Errors
    /// There is no such user, the user has two, the secret cannot be one, or the store or the machine failed.
    pub async fn import_access_key(
        &self,
        account: AccountId,
        user: &UserName,
        id: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<bool, IdentityError> {
        check_secret(secret)?;
        self.add_access_key(account, user, id, secret).await
    }

    pub(crate) fn draw_access_key(&self, account: AccountId) -> Result<NewAccessKey, IdentityError> {
        let id = draw::access_key_id("AKIA", account, &*self.randomness)?;
        let id = id.parse().map_err(|_| IdentityError::Damaged(id))?;
        Ok(NewAccessKey { id, secret: draw::secret(&*self.randomness)? })
    }

    /// Adds an access key that must not exist yet to a transaction. The user's record lists it in the same commit.
    pub(crate) async fn access_key_made(
        &self,
        transaction: Transaction,
        account: AccountId,
        user: &UserRecord,
        id: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<Transaction, IdentityError> {
        let holder = (Some(user.name.as_str()), user.unique_id.as_str());
        let record = self.access_key_record(account, holder, id, secret).await?;
        let path = paths::access_key(id)?;
        let event = trail::record(self, account, "CreateAccessKey", Some(&path_and_name(user)?))?;
        let transaction = transaction.expect_absent(path.clone());
        Ok(transaction.put(path, encode_record(&record)?).outbox(event))
    }

    /// The record of an active access key, its secret sealed. `user` and `owner` are the user's name and unique id, or none
    /// and [`ROOT_USER`].
    pub(crate) async fn access_key_record(
        &self,
        account: AccountId,
        (user, owner): (Option<&str>, &str),
        id: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<AccessKeyRecord, IdentityError> {
        let binding = secret_binding(account, owner, id);
        let sealed = self.domain_keys.seal(&Domain::global(), &binding, secret.expose().as_bytes()).await?;
        Ok(AccessKeyRecord {
            account: account.to_string(),
            user: user.map(str::to_owned),
            status: AccessKeyStatus::Active,
            created_at: self.clock.now().millis(),
            secret: sealed,
        })
    }

    /// Whether the key was added; not if there is one with this id.
    async fn add_access_key(
        &self,
        account: AccountId,
        name: &UserName,
        id: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<bool, IdentityError> {
        let path = paths::user(account, name)?;
        let key_path = paths::access_key(id)?;
        let mut attempts = Attempts::default();
        loop {
            if self.store.get(&key_path).await?.is_some() {
                return Ok(false);
            }
            let read = self.read::<UserRecord>(&path).await?;
            let read = read.ok_or_else(|| IdentityError::NoSuchUser(name.clone()))?;
            let mut user = read.record;
            if user.access_keys.len() >= ACCESS_KEYS_PER_USER_MAX {
                return Err(IdentityError::TooManyAccessKeys(name.clone()));
            }
            user.access_keys.push(id.as_str().to_owned());
            let transaction = Transaction::new()
                .expect_revision(path.clone(), read.revision)
                .put(path.clone(), encode_record(&user)?);
            let transaction = self.access_key_made(transaction, account, &user, id, secret).await?;
            match self.commit(transaction).await? {
                Committed::Yes => return Ok(true),
                Committed::Conflict(_) => attempts.again()?,
            }
        }
    }
}

/// Refuses what cannot be a secret.
pub(crate) fn check_secret(secret: &SecretString) -> Result<(), IdentityError> {
    let text = secret.expose();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let usable = (1..=SECRET_LENGTH_MAX).contains(&text.len()) && visible;
    if usable { Ok(()) } else { Err(IdentityError::UnusableSecret) }
}

/// In the place of a user's unique id where the root user is meant.
pub(crate) const ROOT_USER: &str = "root";

/// A sealed secret belongs to one access key of one user; the user's unique id outlives a change of name.
pub(crate) fn secret_binding(account: AccountId, owner: &str, id: &AccessKeyId) -> Binding {
    Binding::new("access key secret")
        .part(account.to_string().as_bytes())
        .part(owner.as_bytes())
        .part(id.as_str().as_bytes())
}

/// Path and name of a stored user as they stand in its ARN.
pub(crate) fn path_and_name(user: &UserRecord) -> Result<String, IdentityError> {
    let damaged = |_| IdentityError::Damaged(format!("user {}", user.name));
    let path: UserPath = user.path.parse().map_err(damaged)?;
    let name: UserName = user.name.parse().map_err(damaged)?;
    Ok(path.with_name(&name))
}
