//! Tests of what is this engine's own: faults of the disk, power cuts, damaged files, the queue.
//! What every engine promises is tested in `tests/contract`.

mod copy;
mod damage;
mod disk;
mod faults;
mod medium;
mod power;
mod queue;

use super::{RedbStore, create, open};
use crate::{CommitError, Key, Range, Revision, Store, Transaction};
use disk::Disk;
use std::path::Path;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// A new store on `disk`.
fn new_store(disk: &Disk) -> RedbStore {
    RedbStore::start(create::on_backend(disk.clone()).unwrap(), Path::new("disk")).unwrap()
}

/// What is on `disk`, as after a crash of whatever had it before.
fn reopened(disk: &Disk) -> RedbStore {
    RedbStore::start(open::existing(disk.clone()).unwrap(), Path::new("disk")).unwrap()
}

/// Writes `number` at three keys and into the outbox.
async fn write(store: &RedbStore, number: u64) -> Result<Revision, CommitError> {
    let value = || number.to_be_bytes().repeat(200);
    let transaction = Transaction::new()
        .put(key(&format!("numbers/{number:06}/a")), value())
        .put(key(&format!("numbers/{number:06}/b")), value())
        .put(key("last"), number.to_be_bytes().to_vec())
        .outbox(number.to_be_bytes().to_vec());
    store.commit(transaction).await
}

/// The numbers that were written; every one must be there wholly, and in the outbox.
async fn numbers(store: &RedbStore) -> Vec<u64> {
    let page = store.range(Range::prefix("numbers/").limit(1_000)).await.unwrap();
    assert!(!page.more);
    let value = |bytes: &[u8]| u64::from_be_bytes(bytes[..8].try_into().unwrap());
    let found: Vec<u64> = page.entries.chunks(2).map(|pair| value(&pair[0].value)).collect();
    for (pair, number) in page.entries.chunks(2).zip(&found) {
        let names: Vec<&str> = pair.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(names, [format!("numbers/{number:06}/a"), format!("numbers/{number:06}/b")]);
        assert_eq!(pair[0].revision, pair[1].revision);
        assert_eq!(pair[0].value, pair[1].value);
    }
    let outbox: Vec<u64> =
        store.outbox(1_000).await.unwrap().iter().map(|entry| value(&entry.record)).collect();
    assert_eq!(outbox, found);
    let last = store.get(&key("last")).await.unwrap().map(|entry| value(&entry.value));
    assert_eq!(last, found.last().copied());
    found
}
