//! A trail of an account as it lies in the store. Paths are made here and nowhere else.
//!
//! | path | record |
//! |---|---|
//! | `trail/trail/<account>/<name>` | a trail |

use std::collections::BTreeMap;

use audit::trails::{TrailName, TrailSettings};
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Entry, Key, KeyError, Record, StoreError};

use crate::selectors::Selectors;

pub(crate) const TRAILS: &str = "trail/trail/";

pub(crate) fn trails_of(account: AccountId) -> String {
    format!("{TRAILS}{account}/")
}

pub(crate) fn trail(account: AccountId, name: &TrailName) -> Result<Key, KeyError> {
    Key::new(format!("{}{name}", trails_of(account)))
}

/// A trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrailRecord {
    pub(crate) home_region: String,
    pub(crate) is_multi_region: bool,
    pub(crate) bucket: String,
    pub(crate) key_prefix: Option<String>,
    pub(crate) includes_global_service_events: bool,
    pub(crate) validates_log_files: bool,
    pub(crate) is_logging: bool,
    /// Milliseconds since 1970, as the next.
    pub(crate) logging_since: Option<i64>,
    pub(crate) logging_until: Option<i64>,
    pub(crate) selectors: Selectors,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Record for TrailRecord {
    const KIND: &'static str = "a trail";
    const VERSION: u8 = 1;
}

impl TrailRecord {
    /// What is set, with the trail's account and name, which its path tells.
    pub(crate) fn settings(&self, entry: &Entry) -> Result<TrailSettings, StoreError> {
        let damaged = || StoreError::damaged(entry.key.as_str(), "the path or the Region is not one");
        let path = entry.key.as_str().strip_prefix(TRAILS).and_then(|path| path.split_once('/'));
        let (account, name) = path.ok_or_else(damaged)?;
        Ok(TrailSettings {
            name: name.parse().map_err(|_| damaged())?,
            account: Some(account.parse().map_err(|_| damaged())?),
            home_region: self.home_region.parse().map_err(|_| damaged())?,
            is_multi_region: self.is_multi_region,
            bucket: self.bucket.clone(),
            key_prefix: self.key_prefix.clone(),
            includes_global_service_events: self.includes_global_service_events,
            validates_log_files: self.validates_log_files,
            is_logging: self.is_logging,
            logging_since: self.logging_since.map(Timestamp::from_millis),
            logging_until: self.logging_until.map(Timestamp::from_millis),
            excluded_event_sources: self.selectors.excluded.clone(),
            data_events: self.selectors.data_events(),
        })
    }
}
