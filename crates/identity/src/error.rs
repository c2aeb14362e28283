//! What can go wrong, by who is at fault.

use base::{AccountId, RandomnessUnavailable};
use store::{CommitError, KeyError, StoreError};

use crate::name::UserName;

/// An identity could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The account is there already.
    #[error("account {0} exists already")]
    AccountExists(AccountId),
    /// There is no such account.
    #[error("there is no account {0}")]
    NoSuchAccount(AccountId),
    /// A user with this name, or one that differs by case alone, is there already.
    #[error("user {0} exists already, perhaps in another case")]
    UserExists(UserName),
    /// There is no such user.
    #[error("there is no user {0}")]
    NoSuchUser(UserName),
    /// The user has as many access keys as a user can have.
    #[error("user {0} has two access keys already, the most that a user can have")]
    TooManyAccessKeys(UserName),
    /// The root user has as many access keys as it can have.
    #[error("the root user of account {0} has two access keys already, the most that it can have")]
    TooManyRootAccessKeys(AccountId),
    /// The user would have more managed policies than a user can have.
    #[error("user {0} would have more than 20 managed policies, the most that a user can have")]
    TooManyPolicies(UserName),
    /// The account has as many users as an account can have.
    #[error("account {0} has 5000 users already, the most that an account can have")]
    TooManyUsers(AccountId),
    /// The secret cannot be the secret of an access key.
    #[error("the secret of an access key has 1 to 128 visible ASCII characters and no spaces")]
    UnusableSecret,
    /// Other writers were faster every time.
    #[error("gave up after {0} conflicting writes; try again")]
    Contention(u32),
    /// The store failed: disk, damage, or a newer format.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A transaction was refused for another reason than a conflict: a bug.
    #[error("store: {0}")]
    Commit(CommitError),
    /// A secret could not be sealed or opened.
    #[error("keyring: {0}")]
    Keyring(#[from] keyring::KeyringError),
    /// What is stored is not what was written.
    #[error("the record at {0} is damaged; restore the store from a backup")]
    Damaged(String),
    /// The machine gave no random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The audit event could not be made or logged.
    #[error(transparent)]
    Audit(#[from] audit::TrailError),
}

impl From<KeyError> for IdentityError {
    fn from(error: KeyError) -> Self {
        Self::Store(error.into())
    }
}
