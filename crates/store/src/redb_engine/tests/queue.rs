//! The writer thread and its queue.

use super::disk::Disk;
use super::*;
use crate::{Observer, StoreError};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// Says that it was called, then keeps the writer thread until it is let go: what no other observer may do.
struct Gate {
    arrived: Mutex<Sender<()>>,
    leave: Mutex<Receiver<()>>,
}

impl Observer for Gate {
    fn committed(&self, _keys: &[Key], _revision: Revision) {
        self.arrived.lock().unwrap().send(()).unwrap();
        // Gone once the test is over.
        let _ = self.leave.lock().unwrap().recv();
    }

    fn uncertain(&self, _keys: &[Key]) {}
}

fn gate(store: &RedbStore) -> (Receiver<()>, Sender<()>, Arc<Gate>) {
    let (arrived, at_gate) = channel();
    let (open, leave) = channel();
    let gate = Arc::new(Gate { arrived: Mutex::new(arrived), leave: Mutex::new(leave) });
    store.observe(Arc::<Gate>::downgrade(&gate));
    (at_gate, open, gate)
}

/// Polls once: for a commit, that puts it into the queue.
async fn begin<F: Future>(future: std::pin::Pin<&mut F>) {
    let mut future = Some(future);
    poll_fn(|context| {
        assert!(future.take().unwrap().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_shares_one_wait_for_the_disk_and_is_answered_apart() {
    let disk = Disk::default();
    let store = Arc::new(new_store(&disk));
    let (at_gate, open_gate, _gate) = gate(&store);
    let mut first = pin!(write(&store, 0));
    begin(first.as_mut()).await;
    at_gate.recv().unwrap();
    // The writer is busy: ten more line up, every other one with an expectation that cannot hold.
    let before = disk.syncs();
    let mut waiting: Vec<_> = (1..=10)
        .map(|number| {
            let transaction = Transaction::new().put(key(&format!("many/{number}")), vec![1]);
            let transaction =
                if number % 2 == 0 { transaction.expect_absent(key("last")) } else { transaction };
            Box::pin(store.commit(transaction))
        })
        .collect();
    for future in &mut waiting {
        begin(future.as_mut()).await;
    }
    drop(open_gate);
    first.await.unwrap();
    let mut revisions = Vec::new();
    for (number, future) in (1..=10).zip(waiting) {
        match future.await {
            Ok(revision) if number % 2 == 1 => revisions.push(revision),
            Err(CommitError::Conflict { key }) if number % 2 == 0 => assert_eq!(key.as_str(), "last"),
            other => panic!("{number}: {other:?}"),
        }
    }
    assert!(revisions.is_sorted() && revisions.len() == 5, "{revisions:?}");
    assert_eq!(disk.syncs() - before, 1, "one group");
    assert_eq!(store.range(Range::prefix("many/")).await.unwrap().entries.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_a_group_sees_the_earlier_ones() {
    let store = Arc::new(new_store(&Disk::default()));
    let (at_gate, open_gate, _gate) = gate(&store);
    let mut first = pin!(write(&store, 0));
    begin(first.as_mut()).await;
    at_gate.recv().unwrap();
    let claim =
        || Box::pin(store.commit(Transaction::new().expect_absent(key("claim")).put(key("claim"), vec![])));
    let mut claims = [claim(), claim(), claim()];
    for future in &mut claims {
        begin(future.as_mut()).await;
    }
    drop(open_gate);
    let [winner, second, third] = claims;
    assert!(winner.await.is_ok());
    for loser in [second.await, third.await] {
        assert_eq!(loser, Err(CommitError::Conflict { key: key("claim") }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_store_applies_what_is_queued() {
    let disk = Disk::default();
    let store = new_store(&disk);
    let (at_gate, open_gate, _gate) = gate(&store);
    {
        let mut first = pin!(write(&store, 0));
        begin(first.as_mut()).await;
        at_gate.recv().unwrap();
        for number in 1..=5 {
            // Given up by its caller right after it was queued.
            begin(pin!(write(&store, number)).as_mut()).await;
        }
    }
    drop(open_gate);
    drop(store);
    assert_eq!(numbers(&reopened(&disk)).await, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn an_observer_that_panics_stops_the_writer_and_not_the_reads() {
    struct Broken;
    impl Observer for Broken {
        fn committed(&self, _keys: &[Key], _revision: Revision) {
            panic!("on purpose");
        }

        fn uncertain(&self, _keys: &[Key]) {}
    }
    let store = new_store(&Disk::default());
    let broken = Arc::new(Broken);
    store.observe(Arc::<Broken>::downgrade(&broken));
    assert!(matches!(write(&store, 1).await, Err(CommitError::Store(StoreError::OutcomeUnknown(_)))));
    assert!(matches!(write(&store, 2).await, Err(CommitError::Store(StoreError::Unavailable(_)))));
    assert_eq!(numbers(&store).await, [1]);
}
