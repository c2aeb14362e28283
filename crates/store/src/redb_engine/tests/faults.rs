//! A disk that is full or broken for a while.

use super::disk::{Disk, Faults};
use super::*;
use crate::{Observer, StoreError};
use std::io::ErrorKind::{self, StorageFull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn broken(kind: ErrorKind, after: usize, times: usize) -> Faults {
    Faults { writes: Some(kind), syncs: Some(kind), after, times, ..Faults::default() }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let disk = Disk::default();
    let store = new_store(&disk);
    let first = write(&store, 1).await.unwrap();
    disk.fail(broken(StorageFull, 0, 0));
    for _ in 0..3 {
        assert_eq!(write(&store, 2).await, Err(CommitError::Store(StoreError::Full)));
        assert_eq!(numbers(&store).await, [1]);
        assert_eq!(
            store.remove_from_outbox(crate::OutboxPosition::from_engine(1)).await,
            Err(StoreError::Full)
        );
    }
    disk.heal();
    assert_eq!(numbers(&store).await, [1]);
    assert!(write(&store, 3).await.unwrap() > first);
    assert_eq!(numbers(&store).await, [1, 3]);
    assert_eq!(numbers(&reopened(&disk.crashed())).await, [1, 3]);
    drop(store);
    assert_eq!(numbers(&reopened(&disk)).await, [1, 3]);
}

#[tokio::test]
async fn a_commit_that_failed_at_its_last_step_does_not_come_to_life() {
    for (kind, error) in [
        (StorageFull, StoreError::Full),
        (ErrorKind::Other, StoreError::Unavailable("other error".to_owned())),
    ] {
        let disk = Disk::default();
        let store = new_store(&disk);
        write(&store, 1).await.unwrap();
        // Everything is written, the disk fails to confirm it once.
        disk.fail(Faults { syncs: Some(kind), times: 1, ..Faults::default() });
        assert_eq!(write(&store, 2).await, Err(CommitError::Store(error)));
        assert_eq!(numbers(&store).await, [1]);
        assert_eq!(numbers(&reopened(&disk.crashed())).await, [1]);
        write(&store, 3).await.unwrap();
        assert_eq!(numbers(&reopened(&disk.crashed())).await, [1, 3]);
    }
}

/// Counts what it was told.
#[derive(Default)]
struct Doubts {
    committed: AtomicUsize,
    uncertain: AtomicUsize,
}

impl Observer for Doubts {
    fn committed(&self, _keys: &[Key], _revision: Revision) {
        self.committed.fetch_add(1, Ordering::SeqCst);
    }

    fn uncertain(&self, keys: &[Key]) {
        self.uncertain.fetch_add(keys.len(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_outcome_that_nobody_can_know_is_not_called_a_failure() {
    let disk = Disk::default();
    let store = new_store(&disk);
    write(&store, 1).await.unwrap();
    let doubts = Arc::new(Doubts::default());
    store.observe(Arc::<Doubts>::downgrade(&doubts));
    disk.fail(Faults { syncs: Some(ErrorKind::Other), ..Faults::default() });
    let unknown = write(&store, 2).await.unwrap_err();
    assert!(matches!(unknown, CommitError::Store(StoreError::OutcomeUnknown(_))), "{unknown}");
    // Caches must forget what may have changed.
    assert!(doubts.uncertain.load(Ordering::SeqCst) > 0);
    assert_eq!(doubts.committed.load(Ordering::SeqCst), 0);
    // This process settles it as not applied, and makes that durable before it writes again.
    assert_eq!(numbers(&store).await, [1]);
    disk.heal();
    write(&store, 3).await.unwrap();
    assert_eq!(numbers(&reopened(&disk.crashed())).await, [1, 3]);
}

/// Fails the disk after every possible number of operations, once, twice, or for good.
#[tokio::test]
async fn wherever_the_disk_fails_the_answer_is_true() {
    for kind in [StorageFull, ErrorKind::Other] {
        for (after, times) in (0..16).flat_map(|after| [(after, 0), (after, 1), (after, 3)]) {
            let disk = Disk::default();
            let store = new_store(&disk);
            write(&store, 1).await.unwrap();
            disk.fail(broken(kind, after, times));
            let mut applied = vec![1];
            let mut unknown = false;
            for number in 2..5 {
                match write(&store, number).await {
                    Ok(_) => applied.push(number),
                    Err(CommitError::Store(StoreError::OutcomeUnknown(_))) => unknown = true,
                    Err(CommitError::Store(StoreError::Full | StoreError::Unavailable(_))) => {}
                    Err(other) => panic!("{other}"),
                }
                assert_eq!(numbers(&store).await, applied, "{kind:?} after {after}, {times} times");
                let crashed = disk.crashed();
                if !unknown {
                    assert_eq!(
                        numbers(&reopened(&crashed)).await,
                        applied,
                        "{kind:?} after {after}, {times} times"
                    );
                }
            }
            disk.heal();
            write(&store, 9).await.unwrap();
            applied.push(9);
            assert_eq!(
                numbers(&reopened(&disk.crashed())).await,
                applied,
                "{kind:?} after {after}, {times} times"
            );
        }
    }
}

#[tokio::test]
async fn a_failed_read_is_tried_again_on_a_database_opened_again() {
    let disk = Disk::default();
    let store = new_store(&disk);
    write(&store, 1).await.unwrap();
    drop(store);
    let store = reopened(&disk);
    disk.fail(Faults { reads: Some(ErrorKind::Other), times: 1, ..Faults::default() });
    assert_eq!(numbers(&store).await, [1]);
    write(&store, 2).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2]);
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_is_an_error_until_it_can() {
    for write_first in [true, false] {
        let disk = Disk::default();
        let store = new_store(&disk);
        write(&store, 1).await.unwrap();
        disk.fail(Faults { reads: Some(ErrorKind::Other), ..broken(ErrorKind::Other, 0, 0) });
        assert!(write(&store, 2).await.is_err());
        for _ in 0..2 {
            let failed = store.range(Range::prefix("numbers/")).await;
            assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
            let failed = write(&store, 2).await;
            assert!(matches!(failed, Err(CommitError::Store(StoreError::Unavailable(_)))), "{failed:?}");
        }
        disk.heal();
        let mut applied = vec![1];
        if write_first {
            write(&store, 3).await.unwrap();
            applied.push(3);
        }
        assert_eq!(numbers(&store).await, applied);
        assert_eq!(numbers(&reopened(&disk.crashed())).await, applied);
    }
}

#[tokio::test]
async fn a_removal_that_failed_is_not_called_done() {
    let disk = Disk::default();
    let store = new_store(&disk);
    write(&store, 1).await.unwrap();
    let position = store.outbox(1).await.unwrap()[0].position;
    disk.fail(Faults { syncs: Some(StorageFull), times: 1, ..Faults::default() });
    assert_eq!(store.remove_from_outbox(position).await, Err(StoreError::Full));
    assert_eq!(store.outbox(1).await.unwrap().len(), 1);
    store.remove_from_outbox(position).await.unwrap();
    assert!(reopened(&disk.crashed()).outbox(1).await.unwrap().is_empty());
}

/// After a large deletion redb also shortens the file, which comes after the point of no return.
#[tokio::test]
async fn a_commit_that_took_effect_is_not_called_a_failure() {
    let large = |number: u8| key(&format!("large/{number}"));
    let disk = Disk::default();
    let store = new_store(&disk);
    for number in 0..10 {
        store.commit(Transaction::new().put(large(number), vec![7; 1_400_000])).await.unwrap();
    }
    disk.fail(Faults { shortenings: Some(ErrorKind::Other), ..Faults::default() });
    let all = (0..10).fold(Transaction::new(), |all, number| all.delete(large(number)));
    store.commit(all).await.unwrap();
    for number in 1..=20 {
        write(&store, number).await.unwrap();
    }
    assert!(disk.shortenings_refused() > 0, "the file was never to be shortened");
    let applied: Vec<u64> = (1..=20).collect();
    assert_eq!(numbers(&store).await, applied);
    assert_eq!(numbers(&reopened(&disk.without_power(1))).await, applied);
}
