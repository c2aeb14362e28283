//! Changes within one account wait for each other here instead of losing races in the store.

use std::hash::{BuildHasher, RandomState};

use base::AccountId;
use tokio::sync::{Mutex, MutexGuard};

/// Stripes of the lock. If two accounts share one, one waits for the other's commit, no more.
const STRIPES: usize = 64;

/// A striped lock. It only saves work: correctness rests on the store's compare-and-swap.
pub(crate) struct Turns {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    /// Waits for the turn of an account. Never take a second turn while holding one.
    pub(crate) async fn take(&self, account: AccountId) -> Option<MutexGuard<'_, ()>> {
        let stripes = u64::try_from(self.stripes.len()).ok()?;
        let index = usize::try_from(self.hasher.hash_one(account).checked_rem(stripes)?).ok()?;
        Some(self.stripes.get(index)?.lock().await)
    }
}
