//! Interleavings of concurrent code, tried one after another instead of hoped for (docs/adr/0029-interleavings-are-explored.md).
//!
//! A model is a test that makes threads and tasks of this module. Whoever locks a [`Mutex`], waits at a [`Condvar`] or yields
//! lets the explorer decide who goes on; what lies between two such points happens as one. So tokio's own semaphores,
//! mutexes and channels take part as they are, each call of them as one step. A model in which everybody who is left
//! waits has a deadlock, and fails.
//!
//! Time and randomness other than this module's must not decide who does what.

mod sync;

use shuttle::rand::Rng;
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
pub use shuttle::{future, thread};
pub use sync::{Condvar, Mutex, MutexGuard};

/// Bytes of stack for each thread of a model.
const STACK_BYTES: usize = 256 * 1_024;

/// More interleavings than any model has that is explored whole.
const WHOLE_MAX: usize = 1_000_000;

/// How many preemptions a defect may need that is looked for on purpose.
const PREEMPTIONS: [usize; 3] = [1, 2, 3];

/// Always the same interleavings, so that what fails fails again.
const SEED: u64 = 29;

/// Runs every interleaving of a small model. It may not [`choose`].
///
/// # Panics
/// The model fails in one of them, or has so many that it is none for this.
pub fn explore_all(model: impl Fn() + Send + Sync + 'static) {
    let runs = run(DfsScheduler::new(Some(WHOLE_MAX), false), model);
    assert!(runs < WHOLE_MAX, "the model is too large to be explored whole");
}

/// Runs `runs` interleavings of a model: half of them by chance alone, half of them with one to three preemptions in
/// chosen places, which is what most defects need
/// (<https://www.microsoft.com/en-us/research/wp-content/uploads/2016/02/asplos277-pct.pdf>).
///
/// # Panics
/// The model fails in one of them.
pub fn explore(runs: usize, model: impl Fn() + Clone + Send + Sync + 'static) {
    run(RandomScheduler::new_from_seed(SEED, runs / 2), model.clone());
    for preemptions in PREEMPTIONS {
        run(PctScheduler::new_from_seed(SEED, preemptions + 1, runs / 2 / PREEMPTIONS.len()), model.clone());
    }
}

/// One or the other, by the explorer's choice.
pub fn choose() -> bool {
    shuttle::rand::thread_rng().r#gen()
}

fn run(scheduler: impl Scheduler + 'static, model: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    Runner::new(scheduler, config).run(model)
}
