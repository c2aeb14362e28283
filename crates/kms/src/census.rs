//! How many keys there are in which state, and what runs out next: for the operator's metrics.

use std::collections::BTreeMap;

use base::Timestamp;
use store::Range;
use store::cache::CacheFigures;

use crate::error::KmsError;
use crate::record::{KeyRecord, KeyState};
use crate::{Kms, paths};

/// Keys that are looked at together.
const PAGE: usize = 256;

/// The keys of all accounts and Regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyCensus {
    /// How many keys are in each state.
    pub states: BTreeMap<&'static str, u64>,
    /// When the next key is deleted.
    pub next_deletion: Option<Timestamp>,
    /// When the next imported material expires.
    pub next_expiry: Option<Timestamp>,
}

impl KeyCensus {
    fn count(&mut self, key: &KeyRecord) {
        *self.states.entry(name(key.state)).or_default() += 1;
        let deletion = key.deletion.map(|deletion| Timestamp::from_millis(deletion.at));
        let expiries = key.imported.iter().filter(|material| material.present);
        let expiry = expiries.filter_map(|material| material.valid_to).min().map(Timestamp::from_millis);
        self.next_deletion = earlier(self.next_deletion, deletion);
        self.next_expiry = earlier(self.next_expiry, expiry);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn name(state: KeyState) -> &'static str {
    match state {
        KeyState::Enabled => "Enabled",
        KeyState::Disabled => "Disabled",
        KeyState::PendingDeletion => "PendingDeletion",
        KeyState::PendingReplicaDeletion => "PendingReplicaDeletion",
        KeyState::PendingImport => "PendingImport",
    }
}

impl Kms {
    /// Counts all keys, some at a time; requests go on meanwhile.
    ///
    /// # Errors
    /// The store fails.
    pub async fn census(&self) -> Result<KeyCensus, KmsError> {
        let mut census = KeyCensus::default();
        let mut range = Range::prefix(paths::KEY).limit(PAGE);
        loop {
            let page = self.store.range(range).await?;
            for entry in &page.entries {
                census.count(&store::decode_record(entry)?);
            }
            match page.entries.last() {
                Some(last) if page.more => range = Range::prefix(paths::KEY).limit(PAGE).after(&last.key),
                Some(_) | None => return Ok(census),
            }
            tokio::task::yield_now().await;
        }
    }

    /// How often each cache had what it was asked for.
    pub fn cache_figures(&self) -> [(&'static str, CacheFigures); 3] {
        let [keys, aliases] = self.keys.figures();
        [("keys", keys), ("aliases", aliases), ("key_materials", self.materials.figures())]
    }
}
