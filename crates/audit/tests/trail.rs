//! The trail over the real store and log, with crashes between every two steps.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use audit::log::{Log, LogSettings, segments};
use audit::{EventError, EventName, NoReasons, ServiceEvent, Trail, TrailError};
use base::{Call, Caller, EventId, EventNotes, Principal, RequestId, Timestamp};
use serde_json::Value;
use store::redb_engine::RedbStore;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};
use testkit::SeededRandomness;

const NAME: EventName = EventName {
    source: "kms.amazonaws.com",
    operation: "EnableKey",
    read_only: false,
    is_global: false,
    is_data: false,
};

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

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.store.observe(observer);
    }
}

fn stuck_store() -> Arc<Stuck> {
    Arc::new(Stuck { store: RedbStore::in_memory().unwrap(), stuck: AtomicBool::new(false) })
}

fn id(number: u16) -> EventId {
    let mut random = [0; 16];
    random[..2].copy_from_slice(&number.to_be_bytes());
    EventId::new(random)
}

fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<String> {
    numbers.into_iter().map(|number| id(number).to_string()).collect()
}

async fn change(store: &dyn Store, number: u16, event: Vec<u8>) {
    let key = Key::new(format!("test/{number}")).unwrap();
    store.commit(Transaction::new().put(key, Vec::new()).outbox(event)).await.unwrap();
}

/// Commits what the service does by itself, with an event of this number.
async fn do_what_is_due(store: &dyn Store, number: u16) {
    let (account, region) = ("123456789012".parse().unwrap(), "eu-central-1".parse().unwrap());
    let time = Timestamp::from_seconds(1_537_465_261);
    let event = ServiceEvent::new(id(number), time, account, region, "kms.amazonaws.com", "RotateKey");
    change(store, number, event.encode()).await;
}

fn call(number: u16) -> Call {
    Call {
        request_id: RequestId::new([7; 16]),
        caller: Arc::new(Caller {
            account: "123456789012".parse().unwrap(),
            principal: Principal::Root,
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            session: None,
        }),
        region: "eu-central-1".parse().unwrap(),
        time: Timestamp::from_seconds(1_537_465_261),
        source_address: "192.0.2.7".parse().unwrap(),
        tls: None,
        user_agent: "test".into(),
        event: Arc::new(EventNotes::new(id(number))),
        service: None,
    }
}

fn open(folder: &Path, store: Arc<Stuck>) -> Arc<Trail> {
    let log = Log::open(folder, LogSettings::default()).unwrap();
    let randomness = Arc::new(SeededRandomness::new(1));
    Arc::new(Trail::new(log, store, randomness, Arc::new(NoReasons)))
}

fn logged(folder: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    let mut line = Vec::new();
    for segment in segments(folder).unwrap() {
        let mut lines = segment.lines(0).unwrap();
        while lines.read(&mut line).unwrap() {
            events.push(serde_json::from_slice::<Value>(&line).unwrap()["event"].clone());
        }
    }
    events
}

fn ids_of(folder: &Path) -> Vec<String> {
    logged(folder).iter().map(|event| event["eventID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_the_service_does_by_itself_reaches_the_log_in_order() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    for number in 0..600 {
        do_what_is_due(&*store, number).await;
    }
    let trail = open(folder.path(), store.clone());
    assert_eq!(trail.drain().await.unwrap(), 600);
    assert_eq!(trail.drain().await.unwrap(), 0);
    assert_eq!(ids_of(folder.path()), ids(0..600));
    assert!(store.outbox(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_change_is_logged_once_with_its_response() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    let call = call(1);
    let recording = trail.begin(&call);
    change(&*store, 1, trail.beside_change(&call, NAME).unwrap()).await;
    // While the call is under way its event waits, and so do those behind it.
    do_what_is_due(&*store, 2).await;
    assert_eq!(trail.drain().await.unwrap(), 0);
    call.event.set_response_elements(Some(b"{\"keyId\":\"k\"}".to_vec()));
    recording.finish(&call, NAME, None).await.unwrap();
    assert_eq!(trail.drain().await.unwrap(), 1);
    assert!(store.outbox(10).await.unwrap().is_empty());
    let events = logged(folder.path());
    assert_eq!(ids_of(folder.path()), ids([1, 2]));
    assert_eq!(events[0]["responseElements"]["keyId"], "k");
}

#[tokio::test]
async fn a_change_whose_call_was_dropped_is_logged_from_the_outbox() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    let call = call(1);
    let recording = trail.begin(&call);
    change(&*store, 1, trail.beside_change(&call, NAME).unwrap()).await;
    drop(recording);
    assert_eq!(trail.drain().await.unwrap(), 1);
    assert_eq!(ids_of(folder.path()), ids([1]));
}

#[tokio::test]
async fn only_the_first_change_of_a_call_that_is_to_be_logged_carries_its_event() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    let (logged_call, other) = (call(1), call(2));
    let recording = trail.begin_change(&logged_call, NAME);
    assert_eq!(trail.beside_expected_change(&other).unwrap(), None);
    // The first attempt was too slow, and what it would have carried is lost with it.
    assert!(trail.beside_expected_change(&logged_call).unwrap().is_some());
    change(&*store, 1, trail.beside_expected_change(&logged_call).unwrap().unwrap()).await;
    trail.expected_change_is_made(&logged_call);
    assert_eq!(trail.beside_expected_change(&logged_call).unwrap(), None);
    // The process dies before the answer.
    drop(recording);
    assert_eq!(trail.drain().await.unwrap(), 1);
    assert_eq!(ids_of(folder.path()), ids([1]));
    let unchanged = call(3);
    trail.begin_change(&unchanged, NAME).finish(&unchanged, NAME, None).await.unwrap();
    assert_eq!(trail.beside_expected_change(&unchanged).unwrap(), None);
    assert_eq!(ids_of(folder.path()), ids([1, 3]));
}

#[tokio::test]
async fn what_failed_is_another_event_than_what_was_changed() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    for (number, is_changed) in [(1, false), (2, true)] {
        let call = call(number);
        let recording = trail.begin(&call);
        let event = trail.beside_change(&call, NAME).unwrap();
        if is_changed {
            change(&*store, number, event).await;
        }
        let error = EventError { code: "KMSInternalException", message: None };
        recording.finish(&call, NAME, Some(error)).await.unwrap();
    }
    assert_eq!(trail.drain().await.unwrap(), 1);
    let told: Vec<bool> =
        logged(folder.path()).iter().map(|event| event.get("errorCode").is_some()).collect();
    assert_eq!(told, [true, true, false]);
    assert_eq!(ids_of(folder.path())[2], id(2).to_string());
    assert!(!ids_of(folder.path())[..2].contains(&id(2).to_string()));
}

/// Another writer was faster, and then there was nothing to change any more.
#[tokio::test]
async fn an_event_beside_a_change_that_was_not_made_is_logged_once() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    for number in 0..3 {
        let call = call(number);
        let recording = trail.begin(&call);
        trail.beside_change(&call, NAME).unwrap();
        recording.finish(&call, NAME, None).await.unwrap();
        assert_eq!(trail.drain().await.unwrap(), 0);
    }
    assert_eq!(ids_of(folder.path()), ids(0..3));
}

#[tokio::test]
async fn a_crash_at_any_moment_leaves_each_event_once() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    for number in 0..300 {
        do_what_is_due(&*store, number).await;
    }
    store.stuck.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        // A new trail each time: the process died. The second drain is the same process trying again.
        let trail = open(folder.path(), store.clone());
        for _ in 0..2 {
            assert!(matches!(trail.drain().await, Err(TrailError::Store(_))));
        }
    }
    store.stuck.store(false, Ordering::SeqCst);
    let trail = open(folder.path(), store.clone());
    trail.drain().await.unwrap();
    assert_eq!(ids_of(folder.path()), ids(0..300));
    // A call that was logged and whose change still lies in the outbox.
    let call = call(301);
    let recording = trail.begin(&call);
    change(&*store, 301, trail.beside_change(&call, NAME).unwrap()).await;
    recording.finish(&call, NAME, None).await.unwrap();
    drop(trail);
    assert_eq!(open(folder.path(), store).drain().await.unwrap(), 0);
    assert_eq!(ids_of(folder.path()).last(), Some(&id(301).to_string()));
}

#[tokio::test]
async fn drains_at_the_same_time_or_dropped_halfway_do_not_meet() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let trail = open(folder.path(), store.clone());
    for round in 0..40 {
        for number in 0..20 {
            do_what_is_due(&*store, round * 20 + number).await;
        }
        // Polled once: the work has begun, and nobody waits for it any more.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, trail.drain()).await;
        let (one, two) = tokio::join!(trail.drain(), trail.drain());
        assert!(one.is_ok() && two.is_ok());
    }
    assert_eq!(ids_of(folder.path()), ids(0..800));
}

#[tokio::test]
async fn where_the_log_cannot_be_written_changes_stand_and_answers_do_not_leave() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let place = folder.path().join("log");
    let trail = open(&place, store.clone());
    let aside = folder.path().join("aside");
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, b"in the way").unwrap();
    let (changing, reading) = (call(1), call(2));
    let recording = trail.begin(&changing);
    change(&*store, 1, trail.beside_change(&changing, NAME).unwrap()).await;
    recording.finish(&changing, NAME, None).await.unwrap();
    assert!(trail.begin(&reading).finish(&reading, NAME, None).await.is_err());
    assert!(trail.ready().await.is_err());
    assert!(trail.drain().await.is_err());
    assert_eq!(store.outbox(10).await.unwrap().len(), 1);
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    trail.ready().await.unwrap();
    assert_eq!(trail.drain().await.unwrap(), 1);
    assert_eq!(ids_of(&place), ids([1]));
}

#[tokio::test]
async fn what_is_no_event_stops_the_trail_and_stays() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    store.commit(Transaction::new().outbox(b"not an event".to_vec())).await.unwrap();
    let trail = open(folder.path(), store.clone());
    assert!(matches!(trail.drain().await, Err(TrailError::NotAnEvent(_))));
    assert_eq!(store.outbox(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_log_that_can_be_written_again_is_noticed_without_any_call() {
    let (folder, store) = (tempfile::tempdir().unwrap(), stuck_store());
    let (place, aside) = (folder.path().join("log"), folder.path().join("aside"));
    let trail = open(&place, store);
    // Neither the file nor its folder is there, and none can be made.
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, b"in the way").unwrap();
    let call = call(1);
    assert!(trail.begin(&call).finish(&call, NAME, None).await.is_err());
    assert!(trail.drain().await.is_err() && !trail.log().works());
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    assert_eq!(trail.drain().await.unwrap(), 0);
    assert!(trail.log().works());
}
