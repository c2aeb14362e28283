//! A store whose calls are timed.

use std::sync::{Arc, Weak};
use std::time::Instant;

use async_trait::async_trait;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};

use super::Metrics;

/// The same store, whose calls are timed.
pub(crate) struct TimedStore {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl TimedStore {
    pub(crate) fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
impl Store for TimedStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let started = Instant::now();
        let answer = self.store.get(key).await;
        self.metrics.observe_store("get", started.elapsed());
        answer
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        let started = Instant::now();
        let answer = self.store.range(range).await;
        self.metrics.observe_store("range", started.elapsed());
        answer
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        let started = Instant::now();
        let answer = self.store.commit(transaction).await;
        self.metrics.observe_store("commit", started.elapsed());
        answer
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.store.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.store.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.store.observe(observer);
    }
}
