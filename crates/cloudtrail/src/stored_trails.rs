//! The trails that there are: the operator's, and those that accounts made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use audit::trails::{BuiltInTrail, EventOrigin, TrailSettings, Trails};
use base::AccountId;
use store::{Entry, Range, Revision, Store, StoreError, decode_record};

use crate::error::CloudTrailError;
use crate::record::{TRAILS, TrailRecord, trail, trails_of};
use crate::selectors::Selectors;
use crate::trail_name::NamedTrail;

/// The trails.
pub struct StoredTrails {
    store: Arc<dyn Store>,
    built_in: BuiltInTrail,
    with_data_events: Mutex<Known>,
}

/// The trails that deliver data events, for whoever has to know with each call.
#[derive(Default)]
struct Known {
    /// None if they have to be read.
    trails: Option<Arc<[TrailSettings]>>,
    /// Changes so far: what was read before one is not kept behind it.
    changes: u64,
}

/// A trail as an account sees it.
#[derive(Clone, Debug)]
pub(crate) struct FoundTrail {
    pub(crate) account: AccountId,
    pub(crate) settings: TrailSettings,
    pub(crate) selectors: Selectors,
    pub(crate) tags: BTreeMap<String, String>,
    /// None of the operator's, which nobody changes.
    pub(crate) stored: Option<(TrailRecord, Revision)>,
}

impl FoundTrail {
    pub(crate) fn arn(&self) -> String {
        self.settings.arn(self.account)
    }
}

impl StoredTrails {
    /// Those in `store`, and the operator's.
    pub fn new(store: Arc<dyn Store>, built_in: BuiltInTrail) -> Self {
        Self { store, built_in, with_data_events: Mutex::default() }
    }

    /// Whether a trail delivers any data event.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn want_any_data_event(&self) -> Result<bool, StoreError> {
        Ok(!self.with_data_events().await?.is_empty())
    }

    /// Whether a trail delivers this data event.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn want_data_event(&self, event: &EventOrigin<'_>) -> Result<bool, StoreError> {
        let trails = self.with_data_events().await?;
        Ok(trails.iter().any(|trail| trail.wants(event)))
    }

    /// A trail has changed: it is read anew.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.trails = None;
        known.changes += 1;
    }

    async fn with_data_events(&self) -> Result<Arc<[TrailSettings]>, StoreError> {
        let changes = {
            let known = self.known();
            if let Some(trails) = &known.trails {
                return Ok(Arc::clone(trails));
            }
            known.changes
        };
        let trails = self.all().await?.into_iter().filter(|trail| !trail.data_events.is_empty());
        let trails: Arc<[TrailSettings]> = trails.collect();
        let mut known = self.known();
        if known.changes == changes {
            known.trails = Some(Arc::clone(&trails));
        }
        Ok(trails)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.with_data_events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn built_in(&self) -> &BuiltInTrail {
        &self.built_in
    }

    /// The trail that a request names, if it is there.
    pub(crate) async fn find(&self, named: &NamedTrail) -> Result<Option<FoundTrail>, CloudTrailError> {
        let found = if named.name == self.built_in.name {
            Some(self.built_in_of(named.account))
        } else {
            let entry = self.store.get(&trail(named.account, &named.name)?).await?;
            entry.map(|entry| of_account(named.account, &entry)).transpose()?
        };
        Ok(found.filter(|found| found.settings.home_region == named.region))
    }

    /// Whether the account has a trail of this name in any Region.
    pub(crate) async fn is_taken(&self, named: &NamedTrail) -> Result<bool, CloudTrailError> {
        let is_built_in = named.name == self.built_in.name;
        Ok(is_built_in || self.store.get(&trail(named.account, &named.name)?).await?.is_some())
    }

    /// All trails of an account, the operator's first.
    pub(crate) async fn of(&self, account: AccountId) -> Result<Vec<FoundTrail>, StoreError> {
        let mut found = vec![self.built_in_of(account)];
        for entry in self.entries(trails_of(account)).await? {
            found.push(of_account(account, &entry)?);
        }
        Ok(found)
    }

    fn built_in_of(&self, account: AccountId) -> FoundTrail {
        FoundTrail {
            account,
            settings: self.built_in.settings(),
            selectors: Selectors::default(),
            tags: BTreeMap::new(),
            stored: None,
        }
    }

    async fn entries(&self, prefix: String) -> Result<Vec<Entry>, StoreError> {
        let mut range = Range::prefix(prefix);
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let page = self.store.range(range.clone()).await?;
            let last = page.entries.last().map(|entry| entry.key.clone());
            entries.extend(page.entries);
            match last {
                Some(last) if page.more => range = range.after(&last),
                _ => return Ok(entries),
            }
        }
    }
}

fn of_account(account: AccountId, entry: &Entry) -> Result<FoundTrail, StoreError> {
    let record: TrailRecord = decode_record(entry)?;
    Ok(FoundTrail {
        account,
        settings: record.settings(entry)?,
        selectors: record.selectors.clone(),
        tags: record.tags.clone(),
        stored: Some((record, entry.revision)),
    })
}

#[async_trait]
impl Trails for StoredTrails {
    async fn all(&self) -> Result<Vec<TrailSettings>, StoreError> {
        let mut all = vec![self.built_in.settings()];
        for entry in self.entries(TRAILS.to_owned()).await? {
            all.push(decode_record::<TrailRecord>(&entry)?.settings(&entry)?);
        }
        Ok(all)
    }
}
