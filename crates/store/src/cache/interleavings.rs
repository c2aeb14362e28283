//! Readers that load and a commit that empties, interleaved: what was acknowledged is never answered with anything older.

use std::sync::atomic::{AtomicU64, Ordering};

use testkit::interleavings::{explore, explore_all, thread};

use super::*;

const KEY: &str = "key";

/// One value of a store, and the cache of it.
struct Stored {
    value: Mutex<u64>,
    acknowledged: AtomicU64,
    cache: Cache<&'static str, u64>,
}

impl Stored {
    fn new() -> Arc<Self> {
        Arc::new(Self { value: Mutex::new(0), acknowledged: AtomicU64::new(0), cache: Cache::new(16) })
    }

    /// As a commit does: durable, observed, acknowledged.
    fn commit(&self, value: u64) {
        *self.value.lock().unwrap() = value;
        self.cache.invalidate(&KEY);
        self.acknowledged.store(value, Ordering::SeqCst);
    }

    /// As a call does: from the cache, or from the store and into the cache.
    fn read(&self) {
        let at_least = self.acknowledged.load(Ordering::SeqCst);
        if let Some(value) = self.cache.get(&KEY) {
            assert!(*value >= at_least, "{value} of {at_least}");
            return;
        }
        let ticket = self.cache.begin_load(&KEY);
        let loaded = *self.value.lock().unwrap();
        assert!(loaded >= at_least);
        self.cache.insert(ticket, KEY, Arc::new(loaded));
    }

    /// With nobody at work, the cache has nothing or what is stored.
    fn assert_not_stale(&self) {
        let stored = *self.value.lock().unwrap();
        assert!(self.cache.get(&KEY).is_none_or(|held| *held == stored), "{stored}");
    }
}

/// `readers` who read twice each, and a writer with so many commits.
fn readers_and_commits(readers: usize, commits: u64) {
    let stored = Stored::new();
    let reading: Vec<_> = (0..readers)
        .map(|_| {
            let stored = Arc::clone(&stored);
            thread::spawn(move || (0..2).for_each(|_| stored.read()))
        })
        .collect();
    (1..=commits).for_each(|number| stored.commit(number));
    for reader in reading {
        reader.join().unwrap();
    }
    stored.assert_not_stale();
    stored.read();
    assert_eq!(stored.cache.get(&KEY).as_deref(), Some(&commits), "what is read at rest is kept");
}

#[test]
fn no_stale_value_is_kept_after_a_commit() {
    explore_all(|| readers_and_commits(1, 1));
}

#[test]
fn no_stale_value_is_kept_after_many_commits_with_many_readers() {
    explore(4_000, || readers_and_commits(3, 2));
}
