//! The ports through which this room asks others.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Caller, Region, Timestamp};
use policy::IdentitySide;

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
}

/// How delivery fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// When files were delivered last.
    pub last_delivery: Option<Timestamp>,
    /// When a digest was delivered last.
    pub last_digest: Option<Timestamp>,
    /// Why nothing can be delivered, if nothing can.
    pub failure: Option<String>,
}

/// The public half of a key that signs digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// DER RSAPublicKey (PKCS#1).
    pub value: Vec<u8>,
    /// From when on it signs.
    pub valid_from: Timestamp,
    /// Until when it signs.
    pub valid_until: Timestamp,
    /// Its name in digests.
    pub fingerprint: String,
}

/// Whoever delivers events and signs digests.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// How it fares.
    fn delivered(&self) -> Delivered;

    /// The keys of a Region that sign at any moment between the two.
    async fn public_keys(
        &self,
        region: Region,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<PublicKey>, PortError>;
}
