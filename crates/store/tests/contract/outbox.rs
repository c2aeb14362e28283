//! The outbox.

use crate::{Engine, get, key, put};
use std::sync::Arc;
use store::{OutboxEntry, PAGE_BYTES_MAX, Range, Store, Transaction};

fn records(entries: &[OutboxEntry]) -> Vec<&str> {
    entries.iter().map(|entry| std::str::from_utf8(&entry.record).unwrap()).collect()
}

async fn leave(store: &Arc<dyn Store>, text: &str) {
    store.commit(Transaction::new().outbox(text.as_bytes().to_vec())).await.unwrap();
}

pub(crate) async fn records_come_in_commit_order(engine: &impl Engine) {
    let store = engine.fresh().await;
    assert_eq!(store.outbox(10).await.unwrap(), []);
    leave(&store, "1").await;
    let two = Transaction::new().outbox(b"2".to_vec()).put(key("a"), vec![]).outbox(b"3".to_vec());
    let revision = store.commit(two).await.unwrap();
    leave(&store, "4").await;
    let all = store.outbox(10).await.unwrap();
    assert_eq!(records(&all), ["1", "2", "3", "4"]);
    assert!(all.is_sorted_by(|left, right| left.position < right.position));
    assert_eq!(get(&store, "a").await.unwrap().revision, revision);
}

pub(crate) async fn a_failed_commit_leaves_no_record(engine: &impl Engine) {
    let store = engine.fresh().await;
    put(&store, "a", b"").await;
    let refused = Transaction::new().expect_absent(key("a")).outbox(b"no".to_vec());
    assert!(store.commit(refused).await.is_err());
    leave(&store, "yes").await;
    assert_eq!(records(&store.outbox(10).await.unwrap()), ["yes"]);
}

pub(crate) async fn removal_takes_the_oldest(engine: &impl Engine) {
    let store = engine.fresh().await;
    for text in ["1", "2", "3", "4"] {
        leave(&store, text).await;
    }
    let all = store.outbox(10).await.unwrap();
    for _ in 0..2 {
        store.remove_from_outbox(all[1].position).await.unwrap();
        assert_eq!(records(&store.outbox(10).await.unwrap()), ["3", "4"]);
    }
    // What is gone is gone: an older position takes nothing.
    store.remove_from_outbox(all[0].position).await.unwrap();
    assert_eq!(records(&store.outbox(10).await.unwrap()), ["3", "4"]);
    store.remove_from_outbox(all[3].position).await.unwrap();
    assert_eq!(store.outbox(10).await.unwrap(), []);
}

pub(crate) async fn positions_are_never_reused(engine: &impl Engine) {
    let store = engine.fresh().await;
    leave(&store, "1").await;
    let first = store.outbox(1).await.unwrap()[0].position;
    store.remove_from_outbox(first).await.unwrap();
    leave(&store, "2").await;
    let second = store.outbox(1).await.unwrap()[0].position;
    assert!(second > first);
    store.remove_from_outbox(first).await.unwrap();
    assert_eq!(records(&store.outbox(10).await.unwrap()), ["2"]);
}

pub(crate) async fn records_are_no_entries(engine: &impl Engine) {
    let store = engine.fresh().await;
    leave(&store, "1").await;
    put(&store, "a", b"").await;
    let all = store.range(Range::prefix("")).await.unwrap().entries;
    assert_eq!(all.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["a"]);
}

pub(crate) async fn what_is_asked_for_is_bounded(engine: &impl Engine) {
    let store = engine.fresh().await;
    for _ in 0..9 {
        let small = (0..127).fold(Transaction::new(), |all, _| all.outbox(b"small".to_vec()));
        store.commit(small).await.unwrap();
    }
    assert_eq!(store.outbox(0).await.unwrap(), []);
    assert_eq!(store.outbox(3).await.unwrap().len(), 3);
    assert_eq!(store.outbox(usize::MAX).await.unwrap().len(), 1_000);
    let last = store.outbox(1_000).await.unwrap()[999].position;
    store.remove_from_outbox(last).await.unwrap();
    assert_eq!(store.outbox(1_000).await.unwrap().len(), 143);

    let large = vec![7; 1_500_000];
    for _ in 0..5 {
        store.commit(Transaction::new().outbox(large.clone())).await.unwrap();
    }
    let bytes: usize = store.outbox(1_000).await.unwrap().iter().map(|entry| entry.record.len()).sum();
    assert!(bytes < PAGE_BYTES_MAX + large.len(), "{bytes}");
}
