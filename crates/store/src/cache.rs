//! A bounded cache of decoded records that never keeps a stale one.
//!
//! The danger: a reader loads revision 5 from the store, revision 6 is committed and its key invalidated, and only
//! then does the reader insert what it loaded. Revision 5 would stay for good. So a reader takes a [`LoadTicket`]
//! before it reads; an invalidation in between makes the ticket void, and what comes with a void ticket is not kept.
//!
//! Keys share 256 generation counters by their hash. Two keys in one stripe cost each other at most a needless load.

#[cfg(test)]
mod interleavings;

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, PoisonError};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};

#[cfg(test)]
use testkit::interleavings::{Mutex, MutexGuard};

/// How many generation counters there are.
const STRIPES: usize = 256;

/// A bounded concurrent cache from keys to shared values; the least useful entries make room.
///
/// The way of a reader: [`Cache::get`]; if that finds nothing, [`Cache::begin_load`], then read the store, then
/// [`Cache::insert`]. The way of a commit's observer: [`Cache::invalidate`] each key that was written.
pub struct Cache<K, V> {
    entries: quick_cache::sync::Cache<K, Arc<V>, Weight<K, V>>,
    generations: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

/// How much an entry weighs.
struct Weight<K, V>(fn(&K, &V) -> u64);

impl<K, V> Clone for Weight<K, V> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<K, V> quick_cache::Weighter<K, Arc<V>> for Weight<K, V> {
    fn weight(&self, key: &K, value: &Arc<V>) -> u64 {
        // What weighs nothing would never make room.
        (self.0)(key, value).max(1)
    }
}

/// How often a cache had what it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// It had it.
    pub hits: u64,
    /// It had not.
    pub misses: u64,
}

/// The right to insert what is read from now on, until the key is invalidated.
#[derive(Debug)]
#[must_use]
pub struct LoadTicket {
    stripe: usize,
    generation: u64,
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// Holds about `capacity` entries, never more.
    pub fn new(capacity: usize) -> Self {
        Self::weighing(capacity, u64::try_from(capacity).unwrap_or(u64::MAX), |_, _| 1)
    }

    /// Holds entries that weigh `capacity` together, never more. `weigh` is asked once, at the insertion; something like
    /// bytes. About `entries` are expected, which only saves growing.
    pub fn weighing(entries: usize, capacity: u64, weigh: fn(&K, &V) -> u64) -> Self {
        Self {
            entries: quick_cache::sync::Cache::with_weighter(entries, capacity, Weight(weigh)),
            generations: (0..STRIPES).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The value at `key`, if it is held.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        self.entries.get(key)
    }

    /// How often a value was held and how often not, since the cache was made.
    pub fn figures(&self) -> CacheFigures {
        CacheFigures { hits: self.entries.hits(), misses: self.entries.misses() }
    }

    /// To be called before the store is read for `key`.
    pub fn begin_load(&self, key: &K) -> LoadTicket {
        let stripe = self.stripe(key);
        LoadTicket { stripe, generation: self.generation(stripe).map_or(0, |generation| *generation) }
    }

    /// Keeps what was loaded, unless the key was invalidated since the ticket was taken; tells whether it was kept.
    pub fn insert(&self, ticket: LoadTicket, key: K, value: Arc<V>) -> bool {
        let stripe = self.stripe(&key);
        let Some(generation) = self.generation(stripe) else { return false };
        // Held while inserting: an invalidation comes wholly before (and voids the ticket) or wholly after (and
        // removes the entry).
        let valid = ticket.stripe == stripe && ticket.generation == *generation;
        if valid {
            self.entries.insert(key, value);
        }
        valid
    }

    /// Forgets `key`, and whatever is being loaded for it.
    pub fn invalidate(&self, key: &K) {
        if let Some(mut generation) = self.generation(self.stripe(key)) {
            *generation = generation.wrapping_add(1);
            self.entries.remove(key);
        }
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn stripe(&self, key: &K) -> usize {
        let stripes = u64::try_from(STRIPES).unwrap_or(1);
        usize::try_from(self.hasher.hash_one(key) % stripes).unwrap_or(0)
    }

    /// Always there, for a stripe is below [`STRIPES`].
    fn generation(&self, stripe: usize) -> Option<MutexGuard<'_, u64>> {
        self.generations.get(stripe).map(|counter| counter.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    #[test]
    fn what_was_loaded_is_found() {
        let cache = Cache::new(16);
        assert!(cache.get(&"a").is_none());
        let ticket = cache.begin_load(&"a");
        assert!(cache.insert(ticket, "a", Arc::new(5)));
        assert_eq!(cache.get(&"a").as_deref(), Some(&5));
        cache.invalidate(&"a");
        assert!(cache.get(&"a").is_none());
    }

    #[test]
    fn a_value_loaded_before_an_invalidation_is_not_kept() {
        let cache = Cache::new(16);
        let ticket = cache.begin_load(&"a");
        // Here the reader has read revision 5, and revision 6 is committed.
        cache.invalidate(&"a");
        assert!(!cache.insert(ticket, "a", Arc::new(5)));
        assert!(cache.get(&"a").is_none());
        let ticket = cache.begin_load(&"a");
        assert!(cache.insert(ticket, "a", Arc::new(6)));
        assert_eq!(cache.get(&"a").as_deref(), Some(&6));
    }

    #[test]
    fn a_void_ticket_does_not_replace_a_newer_value() {
        let cache = Cache::new(16);
        let slow = cache.begin_load(&"a");
        cache.invalidate(&"a");
        let quick = cache.begin_load(&"a");
        assert!(cache.insert(quick, "a", Arc::new(6)));
        assert!(!cache.insert(slow, "a", Arc::new(5)));
        assert_eq!(cache.get(&"a").as_deref(), Some(&6));
    }

    #[test]
    fn a_ticket_of_another_stripe_is_void() {
        let cache = Cache::new(16);
        let other = (1..).find(|key| cache.stripe(key) != cache.stripe(&0)).unwrap();
        let ticket = cache.begin_load(&0);
        assert!(!cache.insert(ticket, other, Arc::new(1)));
        assert!(cache.is_empty());
    }

    #[test]
    fn heavy_entries_take_the_place_of_many() {
        let cache = Cache::weighing(100, 1_000, |_: &u32, value: &u64| *value);
        for key in 0..1_000 {
            let ticket = cache.begin_load(&key);
            cache.insert(ticket, key, Arc::new(100));
        }
        assert!(cache.len() <= 10, "{}", cache.len());
        let ticket = cache.begin_load(&5_000);
        cache.insert(ticket, 5_000, Arc::new(5_000));
        assert!(cache.get(&5_000).is_none(), "what is heavier than everything is not held");
    }

    #[test]
    fn the_bound_holds() {
        for capacity in [0, 1, 100] {
            let cache = Cache::new(capacity);
            for key in 0..10_000 {
                let ticket = cache.begin_load(&key);
                cache.insert(ticket, key, Arc::new(key));
            }
            assert!(cache.len() <= capacity, "{} of {capacity}", cache.len());
        }
    }

    /// Writers raise a number and invalidate, as a commit does; readers load and insert, and after every
    /// acknowledged write the cache must answer with nothing or with at least that number.
    #[test]
    fn many_threads_never_see_a_value_from_before_an_acknowledged_write() {
        const KEYS: usize = 4;
        const WRITES: u64 = 20_000;
        let cache = Cache::new(64);
        let stored: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        let acknowledged: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        let done = AtomicBool::new(false);
        let hits = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        for key in 0..KEYS {
                            let at_least = acknowledged[key].load(Ordering::SeqCst);
                            if let Some(value) = cache.get(&key) {
                                hits.fetch_add(1, Ordering::Relaxed);
                                assert!(*value >= at_least, "{value} of {at_least}");
                                continue;
                            }
                            let ticket = cache.begin_load(&key);
                            let loaded = stored[key].load(Ordering::SeqCst);
                            std::thread::yield_now();
                            cache.insert(ticket, key, Arc::new(loaded));
                        }
                    }
                });
            }
            for number in 1..=WRITES {
                for key in 0..KEYS {
                    stored[key].store(number, Ordering::SeqCst);
                    cache.invalidate(&key);
                    acknowledged[key].store(number, Ordering::SeqCst);
                }
                // On one processor the readers would otherwise not run before the last write.
                if number % 64 == 0 {
                    std::thread::yield_now();
                }
            }
            // With the writes at an end a reader finds what it has just inserted; only a cache that keeps nothing
            // comes to the end of this wait.
            let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while hits.load(Ordering::Relaxed) == 0 && std::time::Instant::now() < patience {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        });
        assert!(hits.load(Ordering::Relaxed) > 0, "the readers never found anything");
    }
}
