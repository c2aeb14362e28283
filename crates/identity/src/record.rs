//! What is stored of accounts, users and access keys: versioned records that stay readable for ever.

use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::Record;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// How many users there are; kept in the same commit as each of them.
    pub(crate) users: u32,
}

impl Record for AccountRecord {
    const KIND: &'static str = "an account";
    const VERSION: u8 = 1;
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    /// As it was given; the path in the store is folded.
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AIDA…`.
    pub(crate) unique_id: String,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// ARNs of attached managed policies.
    pub(crate) managed_policies: Vec<String>,
    /// Ids of the user's access keys; kept in the same commit as each of them.
    pub(crate) access_keys: Vec<String>,
}

impl Record for UserRecord {
    const KIND: &'static str = "a user";
    const VERSION: u8 = 1;
}

/// An access key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    pub(crate) account: String,
    /// The user's name as it was given.
    pub(crate) user: String,
    pub(crate) status: AccessKeyStatus,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    pub(crate) secret: SealedUnderDomain,
}

impl Record for AccessKeyRecord {
    const KIND: &'static str = "an access key";
    const VERSION: u8 = 1;
}

/// Whether an access key can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AccessKeyStatus {
    Active,
    Inactive,
}
