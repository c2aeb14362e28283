//! A store that counts what is asked of it and can be made to fail.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};

pub(crate) struct WatchedStore {
    inner: Arc<dyn Store>,
    entries_read: AtomicUsize,
    commits: AtomicUsize,
    broken: AtomicBool,
}

impl WatchedStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            entries_read: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Entries looked up or listed, found or not.
    pub(crate) fn entries_read(&self) -> usize {
        self.entries_read.load(Ordering::SeqCst)
    }

    /// Transactions that were tried.
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// From now on commits fail, or work again.
    pub(crate) fn break_commits(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.entries_read.fetch_add(1, Ordering::SeqCst);
        self.inner.get(key).await
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        let page = self.inner.range(range).await?;
        self.entries_read.fetch_add(page.entries.len().max(1), Ordering::SeqCst);
        Ok(page)
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(CommitError::Store(StoreError::Full));
        }
        self.inner.commit(transaction).await
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.inner.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.inner.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.inner.observe(observer);
    }
}
