//! The ports through which this room asks other services.

use std::sync::Arc;

use async_trait::async_trait;
use base::{AccountId, Call, Caller, KeyArn};
use policy::{Access, IdentitySide, PrincipalEntry};
use wire::Fault;

/// What a caller's own account says about the caller.
pub trait CallerRights: Send + Sync {
    /// As a decision takes it.
    fn side(&self) -> IdentitySide<'_>;
}

/// Why a port gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The other service refuses, as it would refuse the caller there.
    #[error("refused: {0:?}")]
    Refused(Fault),
    /// It failed.
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// A key whose accesses may be told.
#[derive(Clone, Debug)]
pub struct KeyOutline {
    /// The key.
    pub key: KeyArn,
    /// Whom its key policy names.
    pub named: Vec<PrincipalEntry>,
}

/// A part of something, and where the next one begins.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// What there is.
    pub items: Vec<T>,
    /// The name of the last one, if there are more.
    pub last: Option<String>,
}

/// Whose access is asked for.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Somebody.
    Caller(Arc<Caller>),
    /// Whoever it may be: what a policy gives that names everybody.
    Everybody,
}

/// An action that somebody can take, always or sometimes.
#[derive(Clone, Debug)]
pub struct PossibleAction {
    /// The action, `kms:Decrypt`.
    pub action: String,
    /// How far.
    pub access: Access,
}

/// A key by all its names.
#[derive(Clone, Debug)]
pub struct KeyNames {
    /// The key.
    pub key: KeyArn,
    /// Its aliases, with `alias/`.
    pub aliases: Vec<String>,
}

/// What in a bucket depends on a key.
#[derive(Clone, Debug)]
pub struct UsageOfBucket {
    /// The bucket's name.
    pub bucket: String,
    /// Whether the bucket encrypts under the key by default.
    pub is_default: bool,
    /// Objects under the key.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// Uploads under the key that are under way.
    pub uploads: u64,
}

/// What was found in a part of what there is.
#[derive(Clone, Debug)]
pub struct UsagePage {
    /// Buckets with something that depends on the key.
    pub buckets: Vec<UsageOfBucket>,
    /// How many records were looked at.
    pub records: u64,
    /// Where to go on, if that was not all.
    pub next: Option<String>,
}

/// Why the usage of a key is not told.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The place to go on is none that was given.
    #[error("not a place in the usage of keys")]
    InvalidPlace,
    /// It cannot be found out.
    #[error(transparent)]
    Failed(PortError),
}

/// What depends on keys.
#[async_trait]
pub trait Usage: Send + Sync {
    /// The next part behind the place that the part before told: roughly `limit` records.
    async fn page(&self, key: &KeyNames, after: Option<&str>, limit: usize) -> Result<UsagePage, UsageError>;
}

/// A backup that is being made.
pub struct BackupBegun {
    /// Whom it is encrypted to.
    pub recipients: Vec<String>,
    /// Its bytes.
    pub pieces: Box<dyn BackupPieces>,
}

/// The bytes of a backup as they are made. Dropped before the end, the backup is given up.
#[async_trait]
pub trait BackupPieces: Send {
    /// The next bytes; `None` once the backup is complete.
    ///
    /// # Errors
    /// It cannot be completed.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>>;
}

/// Why no backup is begun.
#[derive(Debug, thiserror::Error)]
pub enum BackupsError {
    /// Nobody is configured who could open it.
    #[error("no recipients of backups are configured")]
    NoRecipients,
    /// There is one at a time.
    #[error("another backup is being made")]
    InProgress,
    /// It cannot be made.
    #[error("a backup cannot be made: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes backups.
#[async_trait]
pub trait Backups: Send + Sync {
    /// Begins one, of everything as it is at a moment between the call and its return.
    async fn begin(&self) -> Result<BackupBegun, BackupsError>;
}

/// The keys.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The key of an id, ARN or alias, if the caller may read its policy and its grants.
    async fn outline(&self, call: &Call, key_id: &str) -> Result<KeyOutline, PortError>;

    /// All names of a key of the caller's account, if the caller may describe it.
    async fn names(&self, call: &Call, key_id: &str) -> Result<KeyNames, PortError>;

    /// The grantees of the next `limit` grants behind the grant `after`.
    async fn grantees(
        &self,
        key: &KeyOutline,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<PrincipalEntry>, PortError>;

    /// What somebody can do with a key.
    async fn access(
        &self,
        call: &Call,
        key: &KeyOutline,
        whom: &Whom,
    ) -> Result<Vec<PossibleAction>, PortError>;
}

/// The people.
#[async_trait]
pub trait People: Send + Sync {
    /// What policies of its own account give a caller.
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PortError>;

    /// Who calls when it is whom an entry names; `None` if there is nobody.
    async fn caller_of(&self, entry: &PrincipalEntry) -> Result<Option<Caller>, PortError>;

    /// The next `limit` users of an account behind the one called `after`.
    async fn users(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<Caller>, PortError>;

    /// The next `limit` roles of an account behind the one called `after`.
    async fn roles(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<Caller>, PortError>;
}
