//! What readers see beside writers.

use crate::{Engine, get, key};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use store::{Range, Transaction};

pub(crate) async fn a_range_sees_whole_transactions(engine: &impl Engine) {
    let store = engine.fresh().await;
    let all_to = |number: u8| {
        (0..20).fold(Transaction::new(), |all, at| all.put(key(&format!("same/{at}")), vec![number]))
    };
    store.commit(all_to(0)).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (store, done) = (Arc::clone(&store), Arc::clone(&done));
            tokio::spawn(async move {
                let mut last = 0;
                while !done.load(Ordering::SeqCst) {
                    let entries = store.range(Range::prefix("same/")).await.unwrap().entries;
                    assert_eq!(entries.len(), 20);
                    assert!(entries.iter().all(|entry| entry.value == entries[0].value), "a torn read");
                    assert!(entries[0].value[0] >= last, "a read went back");
                    last = entries[0].value[0];
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 1..=100 {
        store.commit(all_to(number)).await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

pub(crate) async fn a_read_sees_every_acknowledged_commit(engine: &impl Engine) {
    let store = engine.fresh().await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..25_u8 {
                    let name = format!("own/{task}");
                    let transaction = Transaction::new().put(key(&name), vec![number]).outbox(vec![task]);
                    let revision = store.commit(transaction).await.unwrap();
                    // Through another task, which need not run on this thread.
                    let reader = Arc::clone(&store);
                    let seen = tokio::spawn(async move { get(&reader, &name).await.unwrap() }).await.unwrap();
                    assert_eq!((seen.revision, seen.value.as_slice()), (revision, [number].as_slice()));
                    let records = store.outbox(1_000).await.unwrap();
                    let own = records.iter().filter(|entry| entry.record == [task]).count();
                    assert_eq!(own, usize::from(number) + 1);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(crate) async fn dropped_callers_do_no_harm(engine: &impl Engine) {
    let store = engine.fresh().await;
    for number in 0..50_u8 {
        let transaction = Transaction::new().put(key("a"), vec![number]).put(key("b"), vec![number]);
        let mut commit = Box::pin(store.commit(transaction));
        poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    let last = store.commit(Transaction::new().put(key("c"), vec![])).await.unwrap();
    let (a, b) = (get(&store, "a").await, get(&store, "b").await);
    assert_eq!(
        a.as_ref().map(|entry| (&entry.value, entry.revision)),
        b.as_ref().map(|entry| (&entry.value, entry.revision))
    );
    assert!(a.is_none_or(|entry| entry.revision < last));
}
