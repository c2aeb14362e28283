//! A clock that only tests move.

use std::sync::atomic::{AtomicI64, Ordering};

use base::{Clock, Timestamp};

/// Stands still until it is moved.
pub struct FrozenClock(AtomicI64);

impl FrozenClock {
    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Moves to `now`, also backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }

    /// Moves forward by whole days.
    pub fn advance_days(&self, days: i64) {
        self.set(self.now().plus_days(days));
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
