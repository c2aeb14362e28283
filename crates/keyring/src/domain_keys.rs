//! Sealing and opening under the keys of a domain.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use base::{Randomness, SecretBytes};
use crypto::root::RootKey;
use crypto::{Binding, Sealed, SealingKey};
use serde::{Deserialize, Serialize};
use store::{CommitError, Key, Range, Store, StoreError, Transaction, encode_record};

use crate::live_keys::LiveKeys;
use crate::record::{DOMAIN_KEYS, DomainKeyRecord, binding, domain_and_number, path};
use crate::{Domain, KeyringError, root_check};

/// The most keys that one domain can have: a rotation a day for 27 years.
pub const DOMAIN_KEYS_MAX: u32 = 10_000;

/// The most domains: far more than AWS has Regions. A Region that nobody ever meant must not cost memory for ever.
pub const DOMAINS_MAX: usize = 128;

/// The domain keys of all domains. One for the whole process; share it.
pub struct DomainKeys {
    store: Arc<dyn Store>,
    root: RootKey,
    randomness: Arc<dyn Randomness>,
    /// Loaded domains. There are as many as Regions in use, so nothing is ever dropped.
    live: RwLock<HashMap<Domain, Arc<LiveKeys>>>,
}

/// A secret sealed under a domain key, fit to be stored, with the number of the key that opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedUnderDomain {
    domain_key: u32,
    sealed: Sealed,
}

impl SealedUnderDomain {
    /// The number of the domain key that sealed it.
    pub fn domain_key(&self) -> u32 {
        self.domain_key
    }

    /// The number of the domain key (u32, big endian) and the seal, for what leaves the service, such as a token.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.domain_key.to_be_bytes()[..], self.sealed.as_bytes()].concat()
    }

    /// Reads [`Self::to_bytes`] back; `None` if it has not the form. Only opening it tells whether it was made here.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, sealed) = bytes.split_first_chunk()?;
        let domain_key = u32::from_be_bytes(*number);
        let sealed = Sealed::from_bytes(sealed.to_vec()).ok()?;
        (1..=DOMAIN_KEYS_MAX).contains(&domain_key).then_some(Self { domain_key, sealed })
    }
}

impl DomainKeys {
    /// Reads nothing yet; [`verify_root`](Self::verify_root) is what to call next.
    pub fn new(store: Arc<dyn Store>, root: RootKey, randomness: Arc<dyn Randomness>) -> Self {
        Self { store, root, randomness, live: RwLock::default() }
    }

    /// Makes sure that the root is the one of this store, which an empty store makes it.
    ///
    /// # Errors
    /// [`KeyringError::WrongRoot`], or the store fails.
    pub async fn verify_root(&self) -> Result<(), KeyringError> {
        root_check::verify(self.store.as_ref(), &self.root, self.randomness.as_ref()).await
    }

    /// Seals a secret under the domain's current key. The domain's first key is made if there is none.
    ///
    /// # Errors
    /// The secret is too long for a seal, the current key is damaged, or store or randomness fail.
    pub async fn seal(
        &self,
        domain: &Domain,
        binding: &Binding,
        secret: &[u8],
    ) -> Result<SealedUnderDomain, KeyringError> {
        let mut keys = self.keys(domain).await?;
        if keys.highest() == 0 {
            keys = self.add_key(domain, &keys).await?;
        }
        let domain_key = keys.highest();
        let sealed = keys.key(domain_key)?.seal(binding, secret, self.randomness.as_ref())?;
        Ok(SealedUnderDomain { domain_key, sealed })
    }

    /// Opens what was sealed in this domain under an equal binding, whichever of the domain's keys sealed it.
    ///
    /// # Errors
    /// [`KeyringError::Seal`] if the seal was changed or the binding is another one; the key is damaged or missing;
    /// the store fails.
    pub async fn open(
        &self,
        domain: &Domain,
        binding: &Binding,
        sealed: &SealedUnderDomain,
    ) -> Result<SecretBytes, KeyringError> {
        let mut keys = self.keys(domain).await?;
        if !keys.holds(sealed.domain_key) {
            // Another process has rotated since.
            keys = self.load(domain).await?;
        }
        Ok(keys.key(sealed.domain_key)?.open(binding, &sealed.sealed)?)
    }

    /// Opens what a caller brings back, such as a token; `None` if it was not sealed in this domain under an equal
    /// binding. What is stored is opened by [`open`](Self::open), to which the same would be damage.
    ///
    /// # Errors
    /// The key is damaged, or the store fails.
    pub async fn open_untrusted(
        &self,
        domain: &Domain,
        binding: &Binding,
        sealed: &SealedUnderDomain,
    ) -> Result<Option<SecretBytes>, KeyringError> {
        match self.open(domain, binding, sealed).await {
            Ok(secret) => Ok(Some(secret)),
            Err(KeyringError::Seal(_) | KeyringError::MissingDomainKey { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a new key the domain's current one and tells its number. Old keys stay, to open what they sealed; nothing
    /// is sealed anew. Another process uses the new key once it has met its number, or after a restart.
    ///
    /// # Errors
    /// [`KeyringError::TooManyDomainKeys`], or store or randomness fail.
    pub async fn rotate(&self, domain: &Domain) -> Result<u32, KeyringError> {
        let keys = self.load(domain).await?;
        Ok(self.add_key(domain, &keys).await?.highest())
    }

    async fn keys(&self, domain: &Domain) -> Result<Arc<LiveKeys>, KeyringError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner).get(domain).cloned();
        match live {
            Some(keys) => Ok(keys),
            None => self.load(domain).await,
        }
    }

    async fn load(&self, domain: &Domain) -> Result<Arc<LiveKeys>, KeyringError> {
        let loaded = LiveKeys::load(self.store.as_ref(), &self.root, *domain).await?;
        Ok(self.keep_newer(domain, loaded))
    }

    /// A slower load must not put an older set in the place of a newer one.
    fn keep_newer(&self, domain: &Domain, loaded: LiveKeys) -> Arc<LiveKeys> {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = live.get(domain).filter(|present| present.highest() > loaded.highest()) {
            return Arc::clone(present);
        }
        let loaded = Arc::new(loaded);
        // A domain without keys takes no memory: whoever calls may name any Region.
        if loaded.highest() > 0 {
            live.insert(*domain, Arc::clone(&loaded));
        }
        loaded
    }

    /// How many domains have keys, counted no further than the limit: one read for each.
    async fn domains(&self) -> Result<usize, KeyringError> {
        let mut count = 0;
        let mut range = Range::prefix(DOMAIN_KEYS).limit(1);
        while count < DOMAINS_MAX {
            let page = self.store.range(range.clone()).await?;
            let Some((domain, _)) = page.entries.first().and_then(|entry| domain_and_number(&entry.key))
            else {
                break;
            };
            count += 1;
            let behind = Key::new(format!("{DOMAIN_KEYS}{domain}/{}", u32::MAX)).map_err(StoreError::from)?;
            range = range.after(&behind);
        }
        Ok(count)
    }

    /// Stores the key after the highest of `known`. If another process did so first, its key is the new one.
    async fn add_key(&self, domain: &Domain, known: &LiveKeys) -> Result<Arc<LiveKeys>, KeyringError> {
        let number = known.highest() + 1;
        if number > DOMAIN_KEYS_MAX {
            return Err(KeyringError::TooManyDomainKeys { domain: domain.to_string() });
        }
        if number == 1 && self.domains().await? >= DOMAINS_MAX {
            return Err(KeyringError::TooManyDomains { domain: domain.to_string(), limit: DOMAINS_MAX });
        }
        let key = SealingKey::generate(self.randomness.as_ref())?;
        let secret = key.expose_for_sealing().expose();
        let sealed =
            self.root.seal(&binding(&domain.to_string(), number), secret, self.randomness.as_ref())?;
        let path = path(domain, number).map_err(StoreError::from)?;
        let value = encode_record(&DomainKeyRecord { sealed })?;
        let transaction = Transaction::new().expect_absent(path.clone()).put(path, value);
        match self.store.commit(transaction).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => self.load(domain).await,
            Err(other) => Err(KeyringError::NotStored(other)),
        }
    }
}

#[cfg(test)]
mod tests;
