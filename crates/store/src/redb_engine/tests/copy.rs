//! A copy of one moment, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Numbers that are written in each round.
const ROUND: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_what_was_acknowledged_before_its_moment_and_nothing_half() {
    let store = Arc::new(RedbStore::in_memory().unwrap());
    let acknowledged = Arc::new(AtomicU64::new(0));
    for round in 0..5 {
        let writing = tokio::spawn({
            let (store, acknowledged) = (store.clone(), acknowledged.clone());
            async move {
                for number in round * ROUND + 1..=(round + 1) * ROUND {
                    write(&store, number).await.unwrap();
                    acknowledged.store(number, Ordering::SeqCst);
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < round * ROUND + 5 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let file = tempfile::tempfile().unwrap();
        let (from, to, told) = (store.clone(), file.try_clone().unwrap(), acknowledged.clone());
        let copying =
            tokio::task::spawn_blocking(move || from.copy_to(to, || told.load(Ordering::SeqCst)).unwrap());
        // One more can be in the copy whose writer has not been told yet.
        let latest = copying.await.unwrap() + 1;
        let copy = RedbStore::open_file(file, Path::new("copy")).unwrap();
        let found = numbers(&copy).await;
        let count = u64::try_from(found.len()).unwrap();
        assert_eq!(found, (1..=count).collect::<Vec<_>>());
        assert!((before..=latest).contains(&count), "{before} {count} {latest}");
        // It goes on from there.
        let revision = copy.get(&key("last")).await.unwrap().unwrap().revision;
        assert!(write(&copy, count + 1).await.unwrap() > revision);
        writing.await.unwrap();
    }
    assert_eq!(numbers(&store).await.len(), usize::try_from(5 * ROUND).unwrap());
}

#[tokio::test]
async fn a_disk_that_takes_no_copy_does_the_store_no_harm() {
    let store = RedbStore::in_memory().unwrap();
    write(&store, 1).await.unwrap();
    // Open for reading alone.
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(store.copy_to(file, || ()).is_err());
    write(&store, 2).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2]);
}
