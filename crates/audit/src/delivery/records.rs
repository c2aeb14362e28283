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
pub(crate) const CHAINS: &str = "trail/delivery/chain/";
/// Digests that are made and have not reached the destination.
pub(crate) const WAITING: &str = "trail/delivery/waiting/";
/// Keys that sign digests.
pub(crate) const KEYS: &str = "trail/delivery/key/";

/// The one place from which delivery goes on.
pub(crate) fn cursor_path() -> Result<Key, KeyError> {
    Key::new("trail/delivery/cursor")
}

/// What is being delivered.
pub(crate) fn plan_path() -> Result<Key, KeyError> {
    Key::new("trail/delivery/plan")
}

/// Which digest chain: of a trail, an account and a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChainId(String);

impl ChainId {
    pub(crate) fn new(trail: &TrailSettings, account: AccountId, region: Region) -> Self {
        Self(format!("{}/{account}/{region}", trail_id(trail)))
    }

    /// The chain whose record lies there.
    pub(crate) fn of(key: &Key) -> Option<Self> {
        key.as_str().strip_prefix(CHAINS).map(|id| Self(id.to_owned()))
    }

    pub(crate) fn path(&self) -> Result<Key, KeyError> {
        Key::new(format!("{CHAINS}{}", self.0))
    }

    pub(crate) fn waiting_path(&self) -> Result<Key, KeyError> {
        Key::new(format!("{WAITING}{}", self.0))
    }

    /// What lies before all of its files.
    pub(crate) fn files(&self) -> String {
        format!("trail/delivery/file/{}/", self.0)
    }

    /// The file of the plan with this number.
    pub(crate) fn file_path(&self, plan: u64) -> Result<Key, KeyError> {
        Key::new(format!("{}{plan:020}", self.files()))
    }

    /// The number in a path of [`Self::file_path`].
    pub(crate) fn plan_of(&self, key: &Key) -> Result<u64, StoreError> {
        let number = key.as_str().strip_prefix(&self.files()).and_then(|number| number.parse().ok());
        number.ok_or_else(|| StoreError::damaged(key.as_str(), "not the place of a delivered file"))
    }
}

/// A trail among all trails of all accounts.
pub(crate) fn trail_id(trail: &TrailSettings) -> String {
    let account = trail.account.map_or_else(|| "all".to_owned(), |account| account.to_string());
    format!("{account}/{}/{}", trail.home_region, trail.name)
}

/// A place in the log.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CursorRecord {
    next: u64,
    chain: String,
    segment: u64,
    offset: u64,
    /// How many plans were carried out.
    pub(crate) plans: u64,
}

impl Record for CursorRecord {
    const KIND: &'static str = "the cursor of deliveries";
    const VERSION: u8 = 1;
}

impl CursorRecord {
    pub(crate) fn new(position: &Position, plans: u64) -> Self {
        let Position { head, segment, offset } = *position;
        Self { next: head.next, chain: head.chain.to_string(), segment, offset, plans }
    }

    pub(crate) fn position(&self) -> Option<Position> {
        let head = Head { next: self.next, chain: self.chain.parse().ok()? };
        Some(Position { head, segment: self.segment, offset: self.offset })
    }
}

/// What is being delivered from the cursor on. It is written before the first file, so that after a crash the same files
/// are written again under the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanRecord {
    /// Each plan has the next one.
    pub(crate) number: u64,
    /// The number behind the last event.
    pub(crate) until: u64,
    /// The moment in the files' names, in seconds.
    pub(crate) seconds: i64,
}

impl Record for PlanRecord {
    const KIND: &'static str = "a planned delivery";
    const VERSION: u8 = 1;
}

/// A delivered file that no digest has named yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub(crate) bucket: String,
    pub(crate) object: String,
    /// SHA-256 of the uncompressed content, in hexadecimal digits.
    pub(crate) hash: String,
    pub(crate) oldest: String,
    pub(crate) newest: String,
}

impl Record for FileRecord {
    const KIND: &'static str = "a delivered file";
    const VERSION: u8 = 1;
}

/// Where a digest chain has come to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChainRecord {
    pub(crate) trail: String,
    pub(crate) trail_id: String,
    pub(crate) home_region: String,
    pub(crate) bucket: String,
    pub(crate) key_prefix: Option<String>,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Where the next digest begins, in seconds.
    pub(crate) begins: i64,
    /// The number of the plan of the newest file that a digest names; 0 before the first.
    pub(crate) covered: u64,
    pub(crate) previous: Option<PreviousDigest>,
}

impl Record for ChainRecord {
    const KIND: &'static str = "a chain of digests";
    const VERSION: u8 = 1;
}

/// What a digest says of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PreviousDigest {
    pub(crate) bucket: String,
    pub(crate) object: String,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

/// A digest that is signed and part of its chain, and has not reached the destination.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WaitingDigest {
    pub(crate) object: String,
    /// The compressed file in base64.
    pub(crate) content: String,
    pub(crate) signature: String,
}

impl Record for WaitingDigest {
    const KIND: &'static str = "a digest that waits for delivery";
    const VERSION: u8 = 1;
}

/// A key pair that signs digests of one Region.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DigestKeyRecord {
    /// DER RSAPublicKey of PKCS#1, in base64.
    pub(crate) public: String,
    /// In seconds.
    pub(crate) valid_from: i64,
    pub(crate) valid_until: i64,
    /// PKCS#8, as long as the key signs.
    pub(crate) private: Option<SealedUnderDomain>,
}

impl Record for DigestKeyRecord {
    const KIND: &'static str = "a key that signs digests";
    const VERSION: u8 = 1;
}

pub(crate) fn keys_of(region: Region) -> String {
    format!("{KEYS}{region}/")
}

pub(crate) fn key_path(region: Region, number: u32) -> Result<Key, KeyError> {
    Key::new(format!("{}{number:010}", keys_of(region)))
}

/// What the seal of a private key is bound to.
pub(crate) fn key_binding(region: Region, public: &str) -> Binding {
    Binding::new("keywright trail digest key").part(region.as_str().as_bytes()).part(public.as_bytes())
}

/// Text of a digest, as files carry it.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256_text(content: &[u8]) -> String {
    hexadecimal(&sha256(content))
}

/// Bytes of lower-case hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let read = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(read).collect() } else { None }
}
