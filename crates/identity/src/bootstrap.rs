//! The first start of an empty service.

use base::AccountId;
use store::{Range, Transaction};

use crate::access_key::NewAccessKey;
use crate::error::IdentityError;
use crate::name::{ManagedPolicyArn, UserName, UserPath};
use crate::service::{Committed, Identity};
use crate::user::NewUser;
use crate::{draw, paths};

/// What the first start made. Show it once; the secret can never be read again.
pub struct FirstCredentials {
    /// The account, drawn at random.
    pub account: AccountId,
    /// The administrator: `admin`.
    pub user: UserName,
    /// The administrator's access key.
    pub access_key: NewAccessKey,
}

impl Identity {
    /// Makes the first account, with an administrator and one access key, if there is no account at all. Everything
    /// is one commit: a crash leaves all of it or nothing. `None` if there was an account.
    ///
    /// `keep` gets the credentials before they are worth anything, to put them where a crash does not lose them; if it
    /// fails, nothing is made.
    ///
    /// # Errors
    /// The store or the machine failed.
    pub async fn bootstrap<E: From<IdentityError>>(
        &self,
        keep: impl FnOnce(&FirstCredentials) -> Result<(), E>,
    ) -> Result<Option<FirstCredentials>, E> {
        let accounts =
            self.store.range(Range::prefix(paths::ACCOUNTS).limit(1)).await.map_err(IdentityError::from)?;
        if !accounts.entries.is_empty() {
            return Ok(None);
        }
        let (transaction, first) = self.first_start().await?;
        keep(&first)?;
        match self.commit(transaction).await? {
            Committed::Yes => Ok(Some(first)),
            // Another process on the same store was faster.
            Committed::Conflict(_) => Ok(None),
        }
    }

    async fn first_start(&self) -> Result<(Transaction, FirstCredentials), IdentityError> {
        let account = draw::account(&*self.randomness)?;
        let name: UserName = "admin".parse().map_err(|_| IdentityError::Damaged("admin".to_owned()))?;
        let user = NewUser {
            name: name.clone(),
            path: UserPath::default(),
            managed_policies: vec![ManagedPolicyArn::administrator_access()],
        };
        let key = self.draw_access_key(account)?;
        let record = self.user_record(&user, vec![key.id.as_str().to_owned()])?;
        let marker = paths::first_start()?;
        let transaction = Transaction::new().expect_absent(marker.clone()).put(marker, Vec::new());
        let transaction = self.account_made(transaction, account, 1)?;
        let transaction = self.user_made(transaction, account, &user, &record).await?;
        let transaction = self.access_key_made(transaction, account, &record, &key.id, &key.secret).await?;
        Ok((transaction, FirstCredentials { account, user: name, access_key: key }))
    }
}
