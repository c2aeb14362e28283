//! Verification: whether the log and what was delivered are as they were written. It needs neither the service nor a
//! network, and changes nothing.

mod delivered;
mod log;
pub(crate) mod names;
#[cfg(test)]
mod tests;

use std::fmt;

use store::{Range, Store, StoreError, decode_record};

pub use delivered::{Delivered, DeliveredReport, verify_delivered};
pub use log::{LogReport, verify_log};

use crate::delivery::records::{CHAINS, ChainRecord, CursorRecord, WAITING, WaitingDigest, cursor_path};
use crate::log::Head;

/// The most places that a report lists; they are all counted.
const FINDINGS_MAX: usize = 1_000;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, and where in it.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was found, first things first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    listed: Vec<Finding>,
    count: u64,
}

impl Findings {
    fn add(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.count += 1;
        if self.listed.len() < FINDINGS_MAX {
            self.listed.push(Finding { place: place.to_string(), what: what.to_string() });
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, as many as a report lists.
    pub fn listed(&self) -> &[Finding] {
        &self.listed
    }
}

/// What the store knows of log and deliveries, and nobody can change who changes files alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What the log must reach.
    pub log: Option<Head>,
    /// The newest digests of all chains, by name.
    pub newest_digests: Vec<String>,
}

/// Reads what the store knows.
///
/// # Errors
/// The store cannot be read.
pub async fn known(store: &dyn Store) -> Result<Known, StoreError> {
    let mut known = Known::default();
    if let Some(entry) = store.get(&cursor_path()?).await? {
        known.log = decode_record::<CursorRecord>(&entry)?.position().map(|position| position.head);
    }
    let mut waiting = Vec::new();
    for entry in all(store, WAITING).await? {
        waiting.push(decode_record::<WaitingDigest>(&entry)?.object);
    }
    for entry in all(store, CHAINS).await? {
        let newest = decode_record::<ChainRecord>(&entry)?.previous.map(|previous| previous.object);
        known.newest_digests.extend(newest.filter(|name| !waiting.contains(name)));
    }
    Ok(known)
}

async fn all(store: &dyn Store, prefix: &str) -> Result<Vec<store::Entry>, StoreError> {
    let mut entries = Vec::new();
    let mut range = Range::prefix(prefix);
    loop {
        let page = store.range(range.clone()).await?;
        entries.extend(page.entries);
        match entries.last() {
            Some(last) if page.more => range = range.after(&last.key),
            Some(_) | None => return Ok(entries),
        }
    }
}
