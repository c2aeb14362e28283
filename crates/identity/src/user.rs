//! Users.

use base::AccountId;
use store::{Transaction, encode_record};

use crate::error::IdentityError;
use crate::name::{ManagedPolicyArn, UserName, UserPath};
use crate::principal::{Holder, UniqueIdRecord};
use crate::record::{AccountRecord, HeldPolicies, UserRecord};
use crate::service::{Attempts, Committed, Identity};
use crate::{draw, paths, trail};

/// Managed policies per user: the most that AWS raises its quota of 10 to.
const POLICIES_PER_USER_MAX: usize = 20;
/// AWS's quota of users per account.
pub(crate) const USERS_PER_ACCOUNT_MAX: u32 = 5_000;

/// A user to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// The path in front of it.
    pub path: UserPath,
    /// What is attached; at most 20.
    pub managed_policies: Vec<ManagedPolicyArn>,
}

impl Identity {
    /// Makes a user without access keys.
    ///
    /// # Errors
    /// There is no such account, there is such a user, a limit is reached, or the store or the machine failed.
    pub async fn create_user(&self, account: AccountId, user: NewUser) -> Result<(), IdentityError> {
        let record = self.user_record(&user, Vec::new())?;
        if self.read::<UserRecord>(&paths::user(account, &user.name)?).await?.is_some() {
            return Err(IdentityError::UserExists(user.name));
        }
        let (path, location) = (paths::account(account)?, paths::user(account, &user.name)?);
        let mut attempts = Attempts::default();
        loop {
            let read = self.read::<AccountRecord>(&path).await?;
            let read = read.ok_or(IdentityError::NoSuchAccount(account))?;
            if read.record.users >= USERS_PER_ACCOUNT_MAX {
                return Err(IdentityError::TooManyUsers(account));
            }
            let counted = AccountRecord { users: read.record.users + 1, ..read.record };
            let transaction = self.user_made(Transaction::new(), account, &user, &record).await?;
            let transaction = transaction
                .expect_revision(path.clone(), read.revision)
                .put(path.clone(), encode_record(&counted)?);
            match self.commit(transaction).await? {
                Committed::Yes => return Ok(()),
                Committed::Conflict(key) if key == location => {
                    return Err(IdentityError::UserExists(user.name));
                }
                Committed::Conflict(_) => attempts.again()?,
            }
        }
    }

    /// A user's record, with a unique id of its own.
    pub(crate) fn user_record(
        &self,
        user: &NewUser,
        access_keys: Vec<String>,
    ) -> Result<UserRecord, IdentityError> {
        if user.managed_policies.len() > POLICIES_PER_USER_MAX {
            return Err(IdentityError::TooManyPolicies(user.name.clone()));
        }
        Ok(UserRecord {
            name: user.name.as_str().to_owned(),
            path: user.path.as_str().to_owned(),
            unique_id: draw::unique_id("AIDA", &*self.randomness)?,
            created_at: self.clock.now().millis(),
            policies: HeldPolicies::managed(once_each(&user.managed_policies)),
            access_keys,
            groups: Vec::new(),
            boundary: None,
            tags: Vec::new(),
        })
    }

    /// Adds a user who must not exist yet to a transaction, and to the counts of the policies that are attached.
    pub(crate) async fn user_made(
        &self,
        transaction: Transaction,
        account: AccountId,
        user: &NewUser,
        record: &UserRecord,
    ) -> Result<Transaction, IdentityError> {
        let path = paths::user(account, &user.name)?;
        let event = trail::record(self, account, "CreateUser", Some(&user.path.with_name(&user.name)))?;
        let transaction = transaction.expect_absent(path.clone());
        let known = UniqueIdRecord::new(account, Holder::User, &record.name);
        let transaction = transaction
            .put(path, encode_record(record)?)
            .put(paths::unique_id(&record.unique_id)?, encode_record(&known)?)
            .outbox(event);
        self.attachments_counted(transaction, account, &record.policies.managed_policies).await
    }
}

fn once_each(policies: &[ManagedPolicyArn]) -> Vec<String> {
    let mut arns: Vec<String> = Vec::new();
    for policy in policies {
        if !arns.iter().any(|arn| arn == policy.as_str()) {
            arns.push(policy.as_str().to_owned());
        }
    }
    arns
}
