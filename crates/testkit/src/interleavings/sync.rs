//! Locks that are std's, but those that are made in an exploration are the explorer's. So a room names these in its tests,
//! and its other tests notice nothing.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use super::choose;

/// Like [`std::sync::Mutex`], never poisoned.
pub struct Mutex<T>(Lock<T>);

enum Lock<T> {
    Plain(std::sync::Mutex<T>),
    Explored(shuttle::sync::Mutex<T>),
}

/// Like [`std::sync::MutexGuard`].
pub struct MutexGuard<'a, T>(Guard<'a, T>);

enum Guard<'a, T> {
    Plain(std::sync::MutexGuard<'a, T>),
    Explored(Explored<'a, T>),
}

struct Explored<'a, T> {
    lock: &'a shuttle::sync::Mutex<T>,
    guard: shuttle::sync::MutexGuard<'a, T>,
}

/// Like [`std::sync::Condvar`], as far as rooms use it. In an exploration a time is over at any moment or never, by the
/// explorer's choice: whoever is not woken is found to wait for ever.
#[derive(Debug)]
pub struct Condvar(Waiters);

#[derive(Debug)]
enum Waiters {
    Plain(std::sync::Condvar),
    Explored(shuttle::sync::Condvar),
}

impl<T> Mutex<T> {
    /// Holds a value.
    pub fn new(value: T) -> Self {
        Self(if is_explored() {
            Lock::Explored(shuttle::sync::Mutex::new(value))
        } else {
            Lock::Plain(std::sync::Mutex::new(value))
        })
    }

    /// Waits until nobody has the lock.
    ///
    /// # Errors
    /// None.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(MutexGuard(match &self.0 {
            Lock::Plain(lock) => Guard::Plain(sound(lock.lock())),
            Lock::Explored(lock) => Guard::Explored(Explored::of(lock)),
        }))
    }
}

impl<'a, T> Explored<'a, T> {
    fn of(lock: &'a shuttle::sync::Mutex<T>) -> Self {
        Self { lock, guard: sound(lock.lock()) }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Lock::Plain(lock) => lock.fmt(formatter),
            Lock::Explored(lock) => lock.fmt(formatter),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Guard::Plain(guard) => guard,
            Guard::Explored(explored) => &explored.guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Guard::Plain(guard) => guard,
            Guard::Explored(explored) => &mut explored.guard,
        }
    }
}

impl Condvar {
    /// Nobody waits.
    #[expect(clippy::new_without_default, reason = "rooms make it as they make std's")]
    pub fn new() -> Self {
        Self(if is_explored() {
            Waiters::Explored(shuttle::sync::Condvar::new())
        } else {
            Waiters::Plain(std::sync::Condvar::new())
        })
    }

    /// Waits as long as the condition holds.
    ///
    /// # Errors
    /// None.
    pub fn wait_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        Ok(MutexGuard(match (&self.0, guard.0) {
            (Waiters::Plain(waiters), Guard::Plain(guard)) => {
                Guard::Plain(sound(waiters.wait_while(guard, condition)))
            }
            (Waiters::Explored(waiters), Guard::Explored(Explored { lock, guard })) => {
                let guard = sound(waiters.wait_while(guard, condition));
                Guard::Explored(Explored { lock, guard })
            }
            (Waiters::Plain(_) | Waiters::Explored(_), _) => not_together(),
        }))
    }

    /// Waits as long as the condition holds, until the time is over; tells whether it still holds then.
    ///
    /// # Errors
    /// None.
    pub fn wait_timeout_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let (guard, is_over) = match (&self.0, guard.0) {
            (Waiters::Plain(waiters), Guard::Plain(guard)) => {
                let (guard, time) = sound(waiters.wait_timeout_while(guard, time, condition));
                (Guard::Plain(guard), time.timed_out())
            }
            (Waiters::Explored(waiters), Guard::Explored(Explored { lock, mut guard })) => {
                if condition(&mut guard) && choose() {
                    drop(guard);
                    let mut explored = Explored::of(lock);
                    let is_over = condition(&mut explored.guard);
                    (Guard::Explored(explored), is_over)
                } else {
                    let guard = sound(waiters.wait_while(guard, condition));
                    (Guard::Explored(Explored { lock, guard }), false)
                }
            }
            (Waiters::Plain(_) | Waiters::Explored(_), _) => not_together(),
        };
        Ok((MutexGuard(guard), is_over))
    }

    /// Wakes one of those who wait.
    pub fn notify_one(&self) {
        match &self.0 {
            Waiters::Plain(waiters) => waiters.notify_one(),
            Waiters::Explored(waiters) => waiters.notify_one(),
        }
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        match &self.0 {
            Waiters::Plain(waiters) => waiters.notify_all(),
            Waiters::Explored(waiters) => waiters.notify_all(),
        }
    }
}

fn is_explored() -> bool {
    shuttle::current::try_get_current_task().is_some()
}

fn sound<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::panic, reason = "a test that does this is wrong")]
fn not_together() -> ! {
    panic!("a lock and a condition variable were not made in the same exploration")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{explore, explore_all, thread};
    use super::*;

    /// Two threads, each of which reads, lets others pass if it is `hasty`, and writes one more.
    fn count(is_hasty: bool) {
        let number = Arc::new(Mutex::new(0));
        let add = move |number: &Mutex<u32>| {
            if is_hasty {
                let seen = *number.lock().unwrap();
                *number.lock().unwrap() = seen + 1;
            } else {
                *number.lock().unwrap() += 1;
            }
        };
        let other = thread::spawn({
            let number = Arc::clone(&number);
            move || add(&number)
        });
        add(&number);
        other.join().unwrap();
        assert_eq!(*number.lock().unwrap(), 2);
    }

    #[test]
    fn what_holds_in_every_interleaving_passes() {
        explore_all(|| count(false));
        explore(1_000, || count(false));
    }

    #[test]
    #[should_panic(expected = "assertion `left == right` failed")]
    fn what_fails_in_one_interleaving_fails() {
        explore_all(|| count(true));
    }

    #[test]
    #[should_panic(expected = "assertion `left == right` failed")]
    fn what_fails_in_some_interleavings_is_found_among_a_few() {
        explore(100, || count(true));
    }

    /// One waits until the other says so; who says it without waking the first leaves it waiting.
    fn wake(notifies: bool, is_timed: bool) {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                *shared.0.lock().unwrap() = true;
                if notifies {
                    shared.1.notify_one();
                }
            }
        });
        let said = shared.0.lock().unwrap();
        if is_timed {
            let (said, is_over) =
                shared.1.wait_timeout_while(said, Duration::from_secs(3_600), |said| !*said).unwrap();
            assert_eq!(*said, !is_over);
        } else {
            assert!(*shared.1.wait_while(said, |said| !*said).unwrap());
        }
        other.join().unwrap();
    }

    #[test]
    fn whoever_is_woken_does_not_wait_for_ever() {
        explore_all(|| wake(true, false));
        explore(1_000, || wake(true, true));
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn who_is_not_woken_is_found() {
        explore_all(|| wake(false, false));
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn who_is_not_woken_is_found_though_the_wait_has_a_time() {
        explore(1_000, || wake(false, true));
    }

    #[test]
    fn outside_of_an_exploration_locks_are_those_of_std() {
        let lock = Mutex::new(1);
        let condition = Condvar::new();
        assert!(matches!((&lock.0, &condition.0), (Lock::Plain(_), Waiters::Plain(_))));
        let (guard, is_over) =
            condition.wait_timeout_while(lock.lock().unwrap(), Duration::ZERO, |one| *one == 1).unwrap();
        assert!(is_over && *guard == 1);
    }
}
