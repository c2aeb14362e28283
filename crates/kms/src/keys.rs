//! Finding keys: identifier to record, through caches that a commit empties before its reply leaves.

use std::sync::Arc;

use base::{Call, KeyArn, KeyId};
use crypto::KeyMaterialId;
use policy::{Policy, PolicyKind};
use store::cache::{Cache, CacheFigures};
use store::{Key, Observer, Range, Revision, Store};

use crate::authorize::{KeyAction, Unchecked};
use crate::error::{KmsError, NotFound};
use crate::multi_region::MultiRegion;
use crate::paths::{self, Cached, Place};
use crate::record::{AliasRecord, KeyRecord};
use crate::reference::KeyReference;
use crate::usage::{Usage, UsageCell};

/// A key record with its place and version.
#[derive(Debug)]
pub(crate) struct LoadedKey {
    pub(crate) arn: KeyArn,
    /// The same as text, which each use of the key needs some times.
    pub(crate) arn_text: Box<str>,
    pub(crate) record: KeyRecord,
    pub(crate) revision: Revision,
    /// Absent while nothing was imported yet.
    pub(crate) current_material: Option<KeyMaterialId>,
    /// The key policy; absent if the text is none, and then it allows nothing.
    pub(crate) policy: Option<Arc<Policy>>,
    /// Its aliases, with `alias/`. A change of them is a change of the key.
    pub(crate) aliases: Vec<String>,
    /// Where its latest use is noted.
    pub(crate) usage: Arc<UsageCell>,
}

/// An alias as a cache key.
type AliasName = (Place, Box<str>);

/// The keys of this service, found by any of their names.
pub(crate) struct Keys {
    store: Arc<dyn Store>,
    usage: Arc<Usage>,
    records: Cache<KeyArn, LoadedKey>,
    aliases: Cache<AliasName, KeyId>,
}

/// What each cache holds at most.
#[derive(Clone, Copy, Debug)]
pub struct CacheSizes {
    /// Bytes of key records, roughly: a key with a long policy and many tags takes the place of many small ones.
    pub key_bytes: u64,
    /// Alias targets.
    pub aliases: usize,
    /// Opened key materials.
    pub materials: usize,
    /// Keys whose last use is not written yet, 256 bytes each. Beyond it, some are written early.
    pub unwritten_uses: usize,
}

/// What an entry takes beside its texts, roughly.
const RECORD_BYTES: usize = 512;

/// What an imported material adds, roughly: its id and description, or its id and public key.
const IMPORTED_MATERIAL_BYTES: usize = 512;

/// Bytes of an ordinary record, roughly: the default policy, no tags.
const RECORD_BYTES_EXPECTED: u64 = 1_024;

impl Default for CacheSizes {
    fn default() -> Self {
        Self { key_bytes: 128 * 1_024 * 1_024, aliases: 100_000, materials: 100_000, unwritten_uses: 65_536 }
    }
}

impl Keys {
    /// How often records and aliases were held.
    pub(crate) fn figures(&self) -> [CacheFigures; 2] {
        [self.records.figures(), self.aliases.figures()]
    }

    /// Caches over `store`, told of every commit.
    pub(crate) fn new(store: Arc<dyn Store>, usage: Arc<Usage>, sizes: CacheSizes) -> Arc<Self> {
        let keys = Arc::new(Self {
            store: Arc::clone(&store),
            usage,
            records: Cache::weighing(
                usize::try_from(sizes.key_bytes / RECORD_BYTES_EXPECTED).unwrap_or(usize::MAX),
                sizes.key_bytes,
                weight,
            ),
            aliases: Cache::new(sizes.aliases),
        });
        store.observe(Arc::<Self>::downgrade(&keys));
        keys
    }

    /// The key that a request names, from the cache where possible.
    pub(crate) async fn find<A: KeyAction>(
        &self,
        call: &Call,
        identifier: &str,
    ) -> Result<Unchecked, KmsError> {
        let arn = self.resolve::<A>(call, identifier).await?;
        let key = self.cached(&arn).await?.ok_or_else(|| missing::<A>(call, arn))?;
        Ok(self.unchecked(key))
    }

    /// The key with this ARN, read from the store: what a change starts from.
    pub(crate) async fn read<A: KeyAction>(&self, call: &Call, arn: &KeyArn) -> Result<Unchecked, KmsError> {
        let key = self.load(arn).await?.ok_or_else(|| missing::<A>(call, *arn))?;
        Ok(self.unchecked(Arc::new(key)))
    }

    /// A key as it was read, to be authorized.
    pub(crate) fn unchecked(&self, key: Arc<LoadedKey>) -> Unchecked {
        Unchecked::new(key)
    }

    /// The key with this ARN if there is one, from the cache where possible.
    pub(crate) async fn cached(&self, arn: &KeyArn) -> Result<Option<Arc<LoadedKey>>, KmsError> {
        if let Some(key) = self.records.get(arn) {
            return Ok(Some(key));
        }
        let ticket = self.records.begin_load(arn);
        let Some(key) = self.load(arn).await? else { return Ok(None) };
        let key = Arc::new(key);
        self.records.insert(ticket, *arn, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The key with this ARN if there is one, from the store.
    pub(crate) async fn load(&self, arn: &KeyArn) -> Result<Option<LoadedKey>, KmsError> {
        let Some(entry) = self.store.get(&paths::key(arn)?).await? else { return Ok(None) };
        let mut record: KeyRecord = store::decode_record(&entry)?;
        if matches!(arn.id, KeyId::MultiRegion(_)) && record.multi_region.is_none() {
            // A seed file could give a key such an id before there were replicas.
            record.multi_region = Some(MultiRegion::alone_in(arn.region));
        }
        let damaged = |_| {
            store::StoreError::damaged(entry.key.to_string(), "the current material has no id".to_owned())
        };
        let current_material = record.current_material.as_deref().map(str::parse).transpose();
        let current_material = current_material.map_err(damaged)?;
        let usage = self.usage.cell(arn);
        let policy = self.compiled(arn, &record);
        Ok(Some(LoadedKey {
            arn: *arn,
            arn_text: arn.to_string().into(),
            aliases: self.aliases_of(arn, &record).await?,
            record,
            revision: entry.revision,
            current_material,
            policy,
            usage,
        }))
    }

    async fn aliases_of(&self, arn: &KeyArn, record: &KeyRecord) -> Result<Vec<String>, KmsError> {
        if record.aliases == 0 {
            return Ok(Vec::new());
        }
        let prefix = paths::key_aliases(arn);
        let page = self.store.range(Range::prefix(&prefix)).await?;
        let names = page.entries.iter().filter_map(|entry| entry.key.as_str().strip_prefix(&prefix));
        Ok(names.map(str::to_owned).collect())
    }

    /// A key policy, ready to decide.
    fn compiled(&self, arn: &KeyArn, record: &KeyRecord) -> Option<Arc<Policy>> {
        // Changes read the key anew; the policy has mostly been compiled for an earlier call.
        if let Some(known) = self.records.get(arn)
            && known.record.policy == record.policy
            && known.record.policy_principals == record.policy_principals
        {
            return known.policy.clone();
        }
        let compiled = Policy::parse(&record.policy, PolicyKind::Key);
        let compiled =
            compiled.inspect_err(|error| tracing::error!(key = %arn, %error, "key policy cannot be read"));
        let ids = &record.policy_principals;
        Some(Arc::new(compiled.ok()?.bound(|entry| ids.get(&entry.to_string()).cloned())))
    }

    /// What an identifier stands for. The key itself need not exist.
    pub(crate) async fn resolve<A: KeyAction>(
        &self,
        call: &Call,
        identifier: &str,
    ) -> Result<KeyArn, KmsError> {
        match KeyReference::parse(identifier, call, A::IDENTIFIERS)? {
            KeyReference::Key(place, id) => Ok(place.key_arn(id)),
            KeyReference::Alias(place, name) => match self.alias_target(place, name).await? {
                Some(id) => Ok(place.key_arn(id)),
                None if place.account != call.caller.account => {
                    Err(KmsError::foreign_alias(&call.caller, A::NAME, place.alias_arn(name), place.account))
                }
                None => Err(NotFound::Alias(place.alias_arn(name)).into()),
            },
        }
    }

    async fn alias_target(&self, place: Place, name: &str) -> Result<Option<KeyId>, KmsError> {
        let cache_key = (place, name.into());
        if let Some(id) = self.aliases.get(&cache_key) {
            return Ok(Some(*id));
        }
        let ticket = self.aliases.begin_load(&cache_key);
        // A name that no key can have in the store (too long) is a name that no alias has.
        let Ok(path) = paths::alias(&place, name) else { return Ok(None) };
        let Some(entry) = self.store.get(&path).await? else { return Ok(None) };
        let record: AliasRecord = store::decode_record(&entry)?;
        let damaged =
            |_| store::StoreError::damaged(entry.key.to_string(), "the alias points to no key id".to_owned());
        let id = record.target.parse().map_err(damaged)?;
        self.aliases.insert(ticket, cache_key, Arc::new(id));
        Ok(Some(id))
    }
}

impl Observer for Keys {
    fn committed(&self, keys: &[Key], _revision: Revision) {
        self.uncertain(keys);
    }

    fn uncertain(&self, keys: &[Key]) {
        for key in keys {
            match paths::cached(key) {
                Some(Cached::Key(arn)) => self.records.invalidate(&arn),
                Some(Cached::Alias(place, name)) => self.aliases.invalidate(&(place, name.into())),
                Some(Cached::Material(..)) | None => {}
            }
        }
    }
}

fn weight(_: &KeyArn, key: &LoadedKey) -> u64 {
    let record = &key.record;
    let tags: usize = record.tags.iter().map(|(tag_key, value)| tag_key.len() + value.len() + 64).sum();
    let imported = record.imported.len() * IMPORTED_MATERIAL_BYTES;
    let aliases: usize = key.aliases.iter().map(|name| name.len() + 32).sum();
    // The policy is there as text and compiled.
    let policy = record.policy.len() * 4;
    let bytes = RECORD_BYTES + policy + aliases + record.description.len() + tags + imported;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn missing<A: KeyAction>(call: &Call, arn: KeyArn) -> KmsError {
    if arn.account == call.caller.account {
        NotFound::Key(arn).into()
    } else {
        KmsError::foreign_key(&call.caller, A::NAME, arn, "there is no such key")
    }
}
