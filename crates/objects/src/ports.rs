//! The ports through which this room asks others.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::{Call, Caller, SecretArray};
use policy::{IdentitySide, PrincipalEntry};
use wire::Fault;

/// What a caller's own account says about the caller.
pub trait CallerRights: Send + Sync {
    /// As a decision takes it.
    fn side(&self) -> IdentitySide<'_>;
}

/// Another part of the program fails.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PortError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// Who calls.
#[async_trait]
pub trait Callers: Send + Sync {
    /// What policies of its own account give a caller.
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PortError>;

    /// Whom a policy names: `None` if nobody of this name is there; otherwise the unique id, of what has one.
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<Option<String>>, PortError>;
}

/// An event of what happens to objects.
#[derive(Clone, Copy, Debug)]
pub struct DataEvent<'a> {
    /// The service, by its name.
    pub source: &'static str,
    /// Where it happens.
    pub region: base::Region,
    /// When.
    pub time: base::Timestamp,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Type and ARN of what it is about.
    pub resources: &'a [(&'a str, &'a str)],
}

/// Which events on objects somebody wants.
#[async_trait]
pub trait DataEvents: Send + Sync {
    /// Whether any trail delivers any of them. Asked with each call on objects.
    async fn are_any(&self) -> Result<bool, PortError>;

    /// Whether a trail of this account delivers such an event.
    async fn are_wanted(&self, account: base::AccountId, event: &DataEvent<'_>) -> Result<bool, PortError>;
}

/// A data key of the key service.
pub struct DataKey {
    /// The key itself.
    pub plaintext: SecretArray<32>,
    /// The key encrypted, to be stored.
    pub ciphertext: Vec<u8>,
    /// The ARN of the KMS key that it is encrypted under.
    pub key_arn: String,
}

/// What a data key is for.
#[derive(Clone, Copy, Debug)]
pub struct DataKeyUse<'a> {
    /// The encryption context.
    pub context: &'a BTreeMap<String, String>,
    /// The name of the bucket, which causes the call.
    pub bucket: &'a str,
    /// The account of the bucket.
    pub bucket_owner: base::AccountId,
}

/// There is no data key.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// The key service refuses, in its own words.
    #[error("the key service refuses: {}", .0.code)]
    Refused(Fault),
    /// It fails.
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Data keys, which are asked for on behalf of whoever calls, with the caller's own rights and no more.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// A new data key of 256 bits under a KMS key, by id, ARN, alias or alias ARN.
    async fn generate(
        &self,
        call: &Call,
        key: &str,
        purpose: DataKeyUse<'_>,
    ) -> Result<DataKey, DataKeyError>;

    /// The ARN of the KMS key that the caller calls so, by id, ARN, alias or alias ARN; `None` if no alias has this name. Whether
    /// the key is there is not looked at.
    async fn arn_of(&self, call: &Call, key: &str) -> Result<Option<String>, PortError>;

    /// Decrypts a data key that is stored.
    async fn decrypt(
        &self,
        call: &Call,
        key_arn: &str,
        ciphertext: &[u8],
        purpose: DataKeyUse<'_>,
    ) -> Result<SecretArray<32>, DataKeyError>;
}
