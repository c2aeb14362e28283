//! A store in memory that can forget what is written, and can pretend that something else was.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Weak};

use async_trait::async_trait;
use store::redb_engine::RedbStore;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};

pub(crate) struct ForgetfulStore {
    inner: RedbStore,
    forgets: AtomicBool,
    pretended: Mutex<Option<(Key, Vec<u8>)>>,
    observers: Mutex<Vec<Weak<dyn Observer>>>,
}

impl ForgetfulStore {
    pub(crate) fn new() -> Self {
        Self {
            inner: RedbStore::in_memory().unwrap(),
            forgets: AtomicBool::new(false),
            pretended: Mutex::new(None),
            observers: Mutex::new(Vec::new()),
        }
    }

    /// From now on commits are acknowledged, and nothing comes of them.
    pub(crate) fn forget(&self) {
        self.forgets.store(true, Ordering::SeqCst);
    }

    /// Shows this value at a key, as if somebody had just written it; `None` ends that.
    pub(crate) fn pretend(&self, key: &Key, value: Option<Vec<u8>>) {
        *self.pretended.lock().unwrap() = value.map(|value| (key.clone(), value));
        let observers = self.observers.lock().unwrap();
        observers
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|observer| observer.uncertain(std::slice::from_ref(key)));
    }

    fn shown(&self, mut entry: Entry) -> Entry {
        if let Some((key, value)) = &*self.pretended.lock().unwrap()
            && entry.key == *key
        {
            entry.value.clone_from(value);
        }
        entry
    }
}

#[async_trait]
impl Store for ForgetfulStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        Ok(self.inner.get(key).await?.map(|entry| self.shown(entry)))
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        let Page { entries, more } = self.inner.range(range).await?;
        Ok(Page { entries: entries.into_iter().map(|entry| self.shown(entry)).collect(), more })
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        let forgets = self.forgets.load(Ordering::SeqCst);
        self.inner.commit(if forgets { Transaction::new() } else { transaction }).await
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.inner.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.inner.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.observers.lock().unwrap().push(Weak::clone(&observer));
        self.inner.observe(observer);
    }
}
