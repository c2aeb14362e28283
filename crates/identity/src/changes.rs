//! How often records have changed, in counters that they share by their hash.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use store::Key;

/// Counters. A record's change costs those that share its counter one needless load.
const COUNTERS: usize = 1_024;

/// What a commit changed, without the records themselves. What was loaded from several records holds if none of their
/// counters has moved since each was read.
pub(crate) struct Changes {
    counters: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// A counter as it stood before its record was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    counter: usize,
    changes: u64,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { counters: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    /// To be called before the record is read.
    pub(crate) fn seen(&self, record: &Key) -> Seen {
        let counters = u64::try_from(self.counters.len()).unwrap_or(1);
        let counter = usize::try_from(self.hasher.hash_one(record) % counters).unwrap_or(0);
        Seen { counter, changes: self.changes(counter) }
    }

    /// Whether nothing has changed since.
    pub(crate) fn holds(&self, seen: Seen) -> bool {
        self.changes(seen.counter) == seen.changes
    }

    /// A commit wrote the record, or may have.
    pub(crate) fn note(&self, record: &Key) {
        if let Some(counter) = self.counters.get(self.seen(record).counter) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Always there, for an index is below [`COUNTERS`].
    fn changes(&self, counter: usize) -> u64 {
        self.counters.get(counter).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_does_not_hold_and_what_did_not_mostly_does() {
        let changes = Changes::new();
        let key = |number: usize| Key::new(format!("identity/user/{number}")).unwrap();
        let seen: Vec<Seen> = (0..100).map(|number| changes.seen(&key(number))).collect();
        assert!(seen.iter().all(|seen| changes.holds(*seen)));
        changes.note(&key(7));
        assert!(!changes.holds(seen[7]));
        assert!(seen.iter().filter(|seen| changes.holds(**seen)).count() > 80);
        assert!(changes.holds(changes.seen(&key(7))));
    }
}
