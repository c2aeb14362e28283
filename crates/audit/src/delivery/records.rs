//! What delivery keeps in the store.

use base::{AccountId, Region};
use crypto::{Binding, digest::sha256};
use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::{Key, KeyError, Record, StoreError};

use super::log_reader::Position;
use crate::log::Head;
use crate::trails::TrailSettings;

/// Digest chains.
pub(super) const CHAINS: &str = "trail/delivery/chain/";
/// Digests that are made and have not reached the destination.
pub(super) const WAITING: &str = "trail/delivery/waiting/";
/// Keys that sign digests.
pub(super) const KEYS: &str = "trail/delivery/key/";

/// The one place from which delivery goes on.
pub(super) fn cursor_path() -> Result<Key, KeyError> {
    Key::new("trail/delivery/cursor")
}

/// What is being delivered.
pub(super) fn plan_path() -> Result<Key, KeyError> {
    Key::new("trail/delivery/plan")
}

/// Which digest chain: of a trail, an account and a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChainId(String);

impl ChainId {
    pub(super) fn new(trail: &TrailSettings, account: AccountId, region: Region) -> Self {
        Self(format!("{}/{account}/{region}", trail_id(trail)))
    }

    /// The chain whose record lies there.
    pub(super) fn of(key: &Key) -> Option<Self> {
        key.as_str().strip_prefix(CHAINS).map(|id| Self(id.to_owned()))
    }

    pub(super) fn path(&self) -> Result<Key, KeyError> {
        Key::new(format!("{CHAINS}{}", self.0))
    }

    pub(super) fn waiting_path(&self) -> Result<Key, KeyError> {
        Key::new(format!("{WAITING}{}", self.0))
    }

    /// What lies before all of its files.
    pub(super) fn files(&self) -> String {
        format!("trail/delivery/file/{}/", self.0)
    }

    /// The file of the plan with this number.
    pub(super) fn file_path(&self, plan: u64) -> Result<Key, KeyError> {
        Key::new(format!("{}{plan:020}", self.files()))
    }

    /// The number in a path of [`Self::file_path`].
    pub(super) fn plan_of(&self, key: &Key) -> Result<u64, StoreError> {
        let number = key.as_str().strip_prefix(&self.files()).and_then(|number| number.parse().ok());
        number.ok_or_else(|| StoreError::damaged(key.as_str(), "not the place of a delivered file"))
    }
}

/// A trail among all trails of all accounts.
pub(super) fn trail_id(trail: &TrailSettings) -> String {
    let account = trail.account.map_or_else(|| "all".to_owned(), |account| account.to_string());
    format!("{account}/{}/{}", trail.home_region, trail.name)
}

/// A place in the log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CursorRecord {
    next: u64,
    chain: String,
    segment: u64,
    offset: u64,
    /// How many plans were carried out.
    pub(super) plans: u64,
}

impl Record for CursorRecord {
    const KIND: &'static str = "the cursor of deliveries";
    const VERSION: u8 = 1;
}

impl CursorRecord {
    pub(super) fn new(position: &Position, plans: u64) -> Self {
        let Position { head, segment, offset } = *position;
        Self { next: head.next, chain: head.chain.to_string(), segment, offset, plans }
    }

    pub(super) fn position(&self) -> Option<Position> {
        let head = Head { next: self.next, chain: self.chain.parse().ok()? };
        Some(Position { head, segment: self.segment, offset: self.offset })
    }
}

/// What is being delivered from the cursor on. It is written before the first file, so that after a crash the same files
/// are written again under the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanRecord {
    /// Each plan has the next one.
    pub(super) number: u64,
    /// The number behind the last event.
    pub(super) until: u64,
    /// The moment in the files' names, in seconds.
    pub(super) seconds: i64,
}

impl Record for PlanRecord {
    const KIND: &'static str = "a planned delivery";
    const VERSION: u8 = 1;
}

/// A delivered file that no digest has named yet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub(super) bucket: String,
    pub(super) object: String,
    /// SHA-256 of the uncompressed content, in hexadecimal digits.
    pub(super) hash: String,
    pub(super) oldest: String,
    pub(super) newest: String,
}

impl Record for FileRecord {
    const KIND: &'static str = "a delivered file";
    const VERSION: u8 = 1;
}

/// Where a digest chain has come to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChainRecord {
    pub(super) trail: String,
    pub(super) trail_id: String,
    pub(super) home_region: String,
    pub(super) bucket: String,
    pub(super) key_prefix: Option<String>,
    pub(super) account: String,
    pub(super) region: String,
    /// Where the next digest begins, in seconds.
    pub(super) begins: i64,
    /// The number of the plan of the newest file that a digest names; 0 before the first.
    pub(super) covered: u64,
    pub(super) previous: Option<PreviousDigest>,
}

impl Record for ChainRecord {
    const KIND: &'static str = "a chain of digests";
    const VERSION: u8 = 1;
}

/// What a digest says of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PreviousDigest {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) hash: String,
    pub(super) signature: String,
}

/// A digest that is signed and part of its chain, and has not reached the destination.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WaitingDigest {
    pub(super) object: String,
    /// The compressed file in base64.
    pub(super) content: String,
    pub(super) signature: String,
}

impl Record for WaitingDigest {
    const KIND: &'static str = "a digest that waits for delivery";
    const VERSION: u8 = 1;
}

/// A key pair that signs digests of one Region.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DigestKeyRecord {
    /// DER RSAPublicKey of PKCS#1, in base64.
    pub(super) public: String,
    /// In seconds.
    pub(super) valid_from: i64,
    pub(super) valid_until: i64,
    /// PKCS#8, as long as the key signs.
    pub(super) private: Option<SealedUnderDomain>,
}

impl Record for DigestKeyRecord {
    const KIND: &'static str = "a key that signs digests";
    const VERSION: u8 = 1;
}

pub(super) fn keys_of(region: Region) -> String {
    format!("{KEYS}{region}/")
}

pub(super) fn key_path(region: Region, number: u32) -> Result<Key, KeyError> {
    Key::new(format!("{}{number:010}", keys_of(region)))
}

/// What the seal of a private key is bound to.
pub(super) fn key_binding(region: Region, public: &str) -> Binding {
    Binding::new("keywright trail digest key").part(region.as_str().as_bytes()).part(public.as_bytes())
}

/// Text of a digest, as files carry it.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256_text(content: &[u8]) -> String {
    hexadecimal(&sha256(content))
}
