//! Access keys of root users.

use base::{AccountId, SecretString};
use store::{Transaction, encode_record};

use crate::access_key::{ACCESS_KEYS_PER_USER_MAX, ROOT_USER, check_secret};
use crate::error::IdentityError;
use crate::name::AccessKeyId;
use crate::record::AccountRecord;
use crate::service::{Attempts, Committed, Identity};
use crate::{paths, trail};

impl Identity {
    /// Gives the root user of an account an access key that was made elsewhere, unless there is one with this id: that one,
    /// whosever it is, stays as it is. Tells whether the key was made.
    ///
    /// # Errors
    /// There is no such account, its root user has two keys, the secret cannot be one, or the store or the machine failed.
    pub async fn import_root_access_key(
        &self,
        account: AccountId,
        id: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<bool, IdentityError> {
        check_secret(secret)?;
        let (path, key_path) = (paths::account(account)?, paths::access_key(id)?);
        let mut attempts = Attempts::default();
        loop {
            if self.store.get(&key_path).await?.is_some() {
                return Ok(false);
            }
            let read = self.read::<AccountRecord>(&path).await?;
            let read = read.ok_or(IdentityError::NoSuchAccount(account))?;
            let mut record = read.record;
            if record.root_access_keys.len() >= ACCESS_KEYS_PER_USER_MAX {
                return Err(IdentityError::TooManyRootAccessKeys(account));
            }
            record.root_access_keys.push(id.as_str().to_owned());
            let key = self.access_key_record(account, (None, ROOT_USER), id, secret).await?;
            let transaction = Transaction::new()
                .expect_revision(path.clone(), read.revision)
                .put(path.clone(), encode_record(&record)?)
                .expect_absent(key_path.clone())
                .put(key_path.clone(), encode_record(&key)?)
                .outbox(trail::record(self, account, "CreateAccessKey", None)?);
            match self.commit(transaction).await? {
                Committed::Yes => return Ok(true),
                Committed::Conflict(_) => attempts.again()?,
            }
        }
    }
}
