//! The trail over the real store, with crashes between every two steps.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use audit::{EventId, MutationRecord, Trail, TrailError};
use base::Timestamp;
use store::redb_engine::RedbStore;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};

const DAY_ONE: i64 = 1_537_465_261; // 2018-09-20
const DAY_TWO: i64 = DAY_ONE + 86_400;

/// A store that fails to take records out of its outbox while `stuck`: what a crash after writing looks like.
struct Stuck {
    store: RedbStore,
    stuck: AtomicBool,
}

#[async_trait]
impl Store for Stuck {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.store.get(key).await
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        self.store.range(range).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        self.store.commit(transaction).await
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.store.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        if self.stuck.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("stuck".to_owned()));
        }
        self.store.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.store.observe(observer);
    }
}

fn stuck_store() -> Arc<Stuck> {
    Arc::new(Stuck { store: RedbStore::in_memory().unwrap(), stuck: AtomicBool::new(false) })
}

fn event_id(number: u16) -> String {
    let mut random = [0; 16];
    random[..2].copy_from_slice(&number.to_be_bytes());
    EventId::new(random).to_string()
}

/// Commits one mutation whose event has this number.
async fn mutate(store: &dyn Store, number: u16, seconds: i64) {
    let mut random = [0; 16];
    random[..2].copy_from_slice(&number.to_be_bytes());
    let record = MutationRecord::of_service(
        EventId::new(random),
        Timestamp::from_seconds(seconds),
        "123456789012".parse().unwrap(),
        "eu-central-1".parse().unwrap(),
        "kms.amazonaws.com",
        "RotateKey",
    );
    let key = Key::new(format!("test/{number}")).unwrap();
    let transaction = Transaction::new().put(key, Vec::new()).outbox(record.encode().unwrap());
    store.commit(transaction).await.unwrap();
}

fn ids_of(folder: &Path, day: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(format!("events-{day}.jsonl"))).unwrap_or_default();
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.map(|event| event["eventID"].as_str().unwrap().to_owned()).collect()
}

fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<String> {
    numbers.into_iter().map(event_id).collect()
}

#[tokio::test]
async fn events_go_to_the_file_of_their_day_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    for number in 0..3 {
        mutate(&*store, number, DAY_ONE).await;
    }
    mutate(&*store, 3, DAY_TWO).await;
    // The clock of a test may go back.
    mutate(&*store, 4, DAY_ONE).await;
    let trail = Trail::open(folder.path(), store.clone()).unwrap();
    assert_eq!(trail.drain().await.unwrap(), 5);
    assert_eq!(trail.drain().await.unwrap(), 0);
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids([0, 1, 2, 4]));
    assert_eq!(ids_of(folder.path(), "2018-09-21"), ids([3]));
    assert!(store.outbox(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn more_than_one_batch_is_moved_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    for number in 0..600 {
        mutate(&*store, number, DAY_ONE).await;
    }
    let trail = Trail::open(folder.path(), store).unwrap();
    assert_eq!(trail.drain().await.unwrap(), 600);
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids(0..600));
}

#[tokio::test]
async fn a_crash_between_writing_and_removing_writes_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    for number in 0..300 {
        mutate(&*store, number, if number < 100 { DAY_ONE } else { DAY_TWO }).await;
    }
    store.stuck.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        // A new trail each time: the process died. The second drain is the same process trying again.
        let trail = Trail::open(folder.path(), store.clone()).unwrap();
        for _ in 0..2 {
            assert!(matches!(trail.drain().await, Err(TrailError::Store(_))));
        }
    }
    store.stuck.store(false, Ordering::SeqCst);
    let trail = Trail::open(folder.path(), store.clone()).unwrap();
    assert_eq!(trail.drain().await.unwrap(), 300);
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids(0..100));
    assert_eq!(ids_of(folder.path(), "2018-09-21"), ids(100..300));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_line_leaves_each_event_once() {
    let whole = {
        let folder = tempfile::tempdir().unwrap();
        let store = stuck_store();
        for number in 0..3 {
            mutate(&*store, number, DAY_ONE).await;
        }
        Trail::open(folder.path(), store).unwrap().drain().await.unwrap();
        fs::read(folder.path().join("events-2018-09-20.jsonl")).unwrap()
    };
    for length in (0..=whole.len()).step_by(7) {
        let folder = tempfile::tempdir().unwrap();
        let store = stuck_store();
        for number in 0..3 {
            mutate(&*store, number, DAY_ONE).await;
        }
        fs::write(folder.path().join("events-2018-09-20.jsonl"), &whole[..length]).unwrap();
        Trail::open(folder.path(), store).unwrap().drain().await.unwrap();
        assert_eq!(fs::read(folder.path().join("events-2018-09-20.jsonl")).unwrap(), whole, "at {length}");
    }
}

#[tokio::test]
async fn drains_at_the_same_time_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    for number in 0..50 {
        mutate(&*store, number, DAY_ONE).await;
    }
    let trail = Trail::open(folder.path(), store).unwrap();
    let (one, two) = tokio::join!(trail.drain(), trail.drain());
    assert_eq!(one.unwrap() + two.unwrap(), 50);
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids(0..50));
}

#[tokio::test]
async fn a_trail_that_cannot_be_written_keeps_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("audit");
    let store = stuck_store();
    mutate(&*store, 0, DAY_ONE).await;
    let trail = Trail::open(&inner, store.clone()).unwrap();
    // A folder where the file should be: it cannot be opened, whoever runs the test.
    fs::create_dir(inner.join("events-2018-09-20.jsonl")).unwrap();
    assert!(matches!(trail.drain().await, Err(TrailError::File { .. })));
    assert_eq!(store.outbox(10).await.unwrap().len(), 1);
    fs::remove_dir(inner.join("events-2018-09-20.jsonl")).unwrap();
    assert_eq!(trail.drain().await.unwrap(), 1);
    assert_eq!(ids_of(&inner, "2018-09-20"), ids([0]));
}

#[tokio::test]
async fn a_file_taken_away_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    let trail = Trail::open(folder.path(), store.clone()).unwrap();
    let path = folder.path().join("events-2018-09-20.jsonl");
    mutate(&*store, 0, DAY_ONE).await;
    trail.drain().await.unwrap();
    fs::rename(&path, folder.path().join("archived")).unwrap();
    mutate(&*store, 1, DAY_ONE).await;
    trail.drain().await.unwrap();
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids([1]));
}

#[tokio::test]
async fn what_is_no_event_stops_the_trail_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = stuck_store();
    store.commit(Transaction::new().outbox(b"not an event".to_vec())).await.unwrap();
    let trail = Trail::open(folder.path(), store.clone()).unwrap();
    assert!(matches!(trail.drain().await, Err(TrailError::NotAnEvent(_))));
    assert_eq!(store.outbox(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_folder_taken_away_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("trail");
    let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory().unwrap());
    let trail = Trail::open(&folder, Arc::clone(&store)).unwrap();
    mutate(&*store, 1, 1_537_465_261).await;
    trail.drain().await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    mutate(&*store, 2, 1_537_465_261).await;
    trail.drain().await.unwrap();
    assert_eq!(ids_of(&folder, "2018-09-20"), ids([2]));
}

#[tokio::test]
async fn a_drain_that_was_dropped_halfway_does_not_meet_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory().unwrap());
    let trail = Trail::open(folder.path(), Arc::clone(&store)).unwrap();
    for round in 0..40 {
        for number in 0..20 {
            mutate(&*store, round * 20 + number, 1_537_465_261).await;
        }
        // Polled once: the write has begun on its own thread, and nobody waits for it any more.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, trail.drain()).await;
        trail.drain().await.unwrap();
    }
    assert_eq!(ids_of(folder.path(), "2018-09-20"), ids(0..800));
}
