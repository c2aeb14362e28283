//! Making what a seed file asks for. What exists is left as it is; a second start makes nothing new.

use std::error::Error;
use std::fmt;
use std::future::Future;

use base::{AccountId, KeyArn, Region};
use identity::{Identity, IdentityError, NewUser};

use super::file::{SeedAccount, SeedFile, SeedKey, SeedUser};

/// The port through which seed keys reach the key service.
pub(crate) trait KeySeeder: Sync {
    /// Why a key or alias could not be made.
    type Error: Error + Send + Sync + 'static;

    /// Makes the key, complete, unless a key with this id is there.
    fn seed_key(
        &self,
        account: AccountId,
        key: &SeedKey,
    ) -> impl Future<Output = Result<SeedOutcome, Self::Error>> + Send;

    /// Makes the alias, unless one with this name is there, whatever key it points to.
    fn seed_alias(
        &self,
        target: KeyArn,
        alias: &str,
    ) -> impl Future<Output = Result<SeedOutcome, Self::Error>> + Send;
}

/// What became of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeedOutcome {
    /// It was not there and is now.
    Created,
    /// It was there and was not touched.
    Existed,
}

/// How many entries were made and how many were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeedReport {
    pub(crate) accounts: Count,
    pub(crate) users: Count,
    pub(crate) access_keys: Count,
    pub(crate) keys: Count,
    pub(crate) aliases: Count,
}

/// Entries of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) created: usize,
    pub(crate) existed: usize,
}

/// Applying stopped at an entry. What came before it is there; applying again goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("seeding {what}: {source}")]
    Identity { what: String, source: IdentityError },
    #[error("seeding {what}: {source}")]
    Key { what: String, source: Box<dyn Error + Send + Sync> },
}

/// Makes everything in `seed` that is not there yet.
pub(crate) async fn apply(
    seed: &SeedFile,
    identity: &Identity,
    keys: &impl KeySeeder,
) -> Result<SeedReport, ApplyError> {
    let mut report = SeedReport::default();
    for account in &seed.accounts {
        let created = outcome(identity.create_account(account.id).await.map(|_| ()));
        report.accounts.add(created.map_err(at(format!("account {}", account.id)))?);
        for key in &account.root_access_keys {
            let made = identity.import_root_access_key(account.id, &key.id, &key.secret).await;
            let made = made.map_err(at(format!("root access key {} of account {}", key.id, account.id)))?;
            report.access_keys.add(made_or_there(made));
        }
        for user in &account.users {
            apply_user(account, user, identity, &mut report).await?;
        }
        for key in &account.keys {
            apply_key(account, key, keys, &mut report).await?;
        }
    }
    Ok(report)
}

async fn apply_user(
    account: &SeedAccount,
    user: &SeedUser,
    identity: &Identity,
    report: &mut SeedReport,
) -> Result<(), ApplyError> {
    let new = NewUser {
        name: user.name.clone(),
        path: user.path.clone(),
        managed_policies: user.managed_policies.clone(),
    };
    let created = outcome(identity.create_user(account.id, new).await.map(|_| ()));
    report.users.add(created.map_err(at(format!("user {} of account {}", user.name, account.id)))?);
    for key in &user.access_keys {
        let made = identity.import_access_key(account.id, &user.name, &key.id, &key.secret).await;
        let made = made.map_err(at(format!("access key {} of user {}", key.id, user.name)))?;
        report.access_keys.add(made_or_there(made));
    }
    Ok(())
}

async fn apply_key(
    account: &SeedAccount,
    key: &SeedKey,
    keys: &impl KeySeeder,
    report: &mut SeedReport,
) -> Result<(), ApplyError> {
    let arn = KeyArn { account: account.id, region: key.region, id: key.id };
    let failed = |what: String, source| ApplyError::Key { what, source };
    let created = keys.seed_key(account.id, key).await;
    report.keys.add(created.map_err(|error| failed(format!("key {arn}"), error.into()))?);
    for alias in &key.aliases {
        let created = keys.seed_alias(arn, alias).await;
        let what = || format!("{alias} in {}", place(account.id, key.region));
        report.aliases.add(created.map_err(|error| failed(what(), error.into()))?);
    }
    Ok(())
}

impl Count {
    fn add(&mut self, outcome: SeedOutcome) {
        match outcome {
            SeedOutcome::Created => self.created += 1,
            SeedOutcome::Existed => self.existed += 1,
        }
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("accounts", self.accounts),
            ("users", self.users),
            ("access keys", self.access_keys),
            ("keys", self.keys),
            ("aliases", self.aliases),
        ];
        let parts = kinds
            .map(|(kind, count)| format!("{kind}: {} made, {} there already", count.created, count.existed));
        f.write_str(&parts.join("; "))
    }
}

/// That something exists is no error here.
fn outcome(result: Result<(), IdentityError>) -> Result<SeedOutcome, IdentityError> {
    match result {
        Ok(()) => Ok(SeedOutcome::Created),
        Err(IdentityError::AccountExists(_) | IdentityError::UserExists(_)) => Ok(SeedOutcome::Existed),
        Err(error) => Err(error),
    }
}

fn made_or_there(made: bool) -> SeedOutcome {
    if made { SeedOutcome::Created } else { SeedOutcome::Existed }
}

fn at(what: String) -> impl FnOnce(IdentityError) -> ApplyError {
    move |source| ApplyError::Identity { what, source }
}

fn place(account: AccountId, region: Region) -> String {
    format!("{account}, {region}")
}
