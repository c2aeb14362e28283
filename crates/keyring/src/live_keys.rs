//! The opened keys of one domain.

use std::collections::BTreeMap;

use base::SecretArray;
use crypto::SealingKey;
use crypto::root::RootKey;
use store::{Entry, Range, Store, StoreError, decode_record};

use crate::record::{DomainKeyRecord, binding, domain_and_number, prefix};
use crate::{Domain, KeyringError};

/// Every key of one domain, by number. It never changes; a rotation makes a new set.
pub(crate) struct LiveKeys {
    domain: Domain,
    /// No key where the stored one did not open: that is told to whoever needs it, the others stay usable.
    keys: BTreeMap<u32, Option<SealingKey>>,
}

impl LiveKeys {
    /// Reads and opens all keys of the domain.
    pub(crate) async fn load(
        store: &dyn Store,
        root: &RootKey,
        domain: Domain,
    ) -> Result<Self, KeyringError> {
        let mut keys = BTreeMap::new();
        let mut range = Range::prefix(prefix(&domain));
        loop {
            let page = store.range(range.clone()).await?;
            for entry in &page.entries {
                let (number, key) = open(root, entry)?;
                keys.insert(number, key);
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                Some(_) | None => return Ok(Self { domain, keys }),
            }
        }
    }

    /// The highest number; 0 if there is no key yet.
    pub(crate) fn highest(&self) -> u32 {
        self.keys.last_key_value().map_or(0, |(number, _)| *number)
    }

    pub(crate) fn holds(&self, number: u32) -> bool {
        self.keys.contains_key(&number)
    }

    /// The key with this number.
    pub(crate) fn key(&self, number: u32) -> Result<&SealingKey, KeyringError> {
        let domain = || self.domain.to_string();
        match self.keys.get(&number) {
            Some(Some(key)) => Ok(key),
            Some(None) => Err(KeyringError::DamagedDomainKey { domain: domain(), number }),
            None => Err(KeyringError::MissingDomainKey { domain: domain(), number }),
        }
    }
}

/// The number and the key in an entry; no key if its seal does not open.
pub(crate) fn open(root: &RootKey, entry: &Entry) -> Result<(u32, Option<SealingKey>), StoreError> {
    let (domain, number) = domain_and_number(&entry.key)
        .ok_or_else(|| StoreError::damaged(entry.key.as_str(), "not the place of a domain key"))?;
    let record: DomainKeyRecord = decode_record(entry)?;
    let opened = root.open(&binding(domain, number), &record.sealed).ok();
    let secret = opened.and_then(|secret| SecretArray::copy_from(secret.expose()));
    Ok((number, secret.map(SealingKey::from_secret)))
}
