//! What waits for the writer. Whoever logs puts an order here and goes on; the writer is woken only if it sleeps, and takes all
//! that waits at once.

#[cfg(test)]
mod interleavings;

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
#[cfg(not(test))]
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[cfg(test)]
use testkit::interleavings::{Condvar, Mutex, MutexGuard};
use tokio::sync::{Semaphore, TryAcquireError};

use super::LogError;
use super::writer::Order;

/// Orders that can wait for the writer.
const WAITING_MAX: usize = 8_192;

/// Makes the two ends.
pub(super) fn queue() -> (Orders, Waiting) {
    queue_of(WAITING_MAX)
}

fn queue_of(places: usize) -> (Orders, Waiting) {
    let shared =
        Arc::new(Shared { state: Mutex::default(), arrived: Condvar::new(), places: Semaphore::new(places) });
    (Orders(Arc::clone(&shared)), Waiting(shared))
}

/// The end where orders are given. When it is gone, the writer does what is left and ends.
#[derive(Debug)]
pub(super) struct Orders(Arc<Shared>);

/// The writer's end. When it is gone, nobody can order any more.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    places: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<Order>,
    /// Whether somebody waits for the outcome of an order.
    is_urgent: bool,
    writer: WriterState,
    is_closed: bool,
}

/// What the writer does: to wake it costs more than to give it an order.
#[derive(Debug, Default, PartialEq, Eq)]
enum WriterState {
    /// It writes, and looks for more when it has done so.
    #[default]
    AtWork,
    /// It lets orders gather that nobody waits for.
    Gathers,
    /// It has nothing to do.
    Asleep,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.arrived.notify_all();
    }
}

impl Orders {
    /// Gives an order. It waits while too many do.
    ///
    /// # Errors
    /// The writer has ended.
    pub(super) async fn give(&self, order: Order) -> Result<(), LogError> {
        let place = match self.0.places.try_acquire() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits) => self.0.places.acquire().await.map_err(|_| LogError::Closed)?,
            Err(TryAcquireError::Closed) => return Err(LogError::Closed),
        };
        // The writer gives it back.
        place.forget();
        let mut state = self.0.state();
        if state.is_closed {
            return Err(LogError::Closed);
        }
        let is_urgent = order.is_waited_for();
        state.is_urgent |= is_urgent;
        state.orders.push_back(order);
        let wakes = match state.writer {
            WriterState::AtWork => false,
            WriterState::Gathers => is_urgent,
            WriterState::Asleep => true,
        };
        if wakes {
            state.writer = WriterState::AtWork;
        }
        drop(state);
        if wakes {
            self.0.arrived.notify_one();
        }
        Ok(())
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Waiting {
    /// Lets orders gather for a while, unless somebody waits for one.
    pub(super) fn gather(&self, time: Duration) {
        let mut state = self.0.state();
        state.writer = WriterState::Gathers;
        let gathers = |state: &mut State| !state.is_urgent && !state.is_closed;
        let waited = self.0.arrived.wait_timeout_while(state, time, gathers);
        waited.unwrap_or_else(PoisonError::into_inner).0.writer = WriterState::AtWork;
    }

    /// Takes all that waits, or waits for the first one, until the deadline. `false` once nobody can order any more and
    /// nothing is left.
    pub(super) fn take(&self, taken: &mut VecDeque<Order>, deadline: Option<Instant>) -> bool {
        let mut state = self.0.state();
        state.writer = WriterState::Asleep;
        let sleeps = |state: &mut State| state.orders.is_empty() && !state.is_closed;
        state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => self.0.arrived.wait_while(state, sleeps).unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                let waited = self.0.arrived.wait_timeout_while(state, left, sleeps);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if state.orders.is_empty() && state.is_closed {
            return false;
        }
        state.writer = WriterState::AtWork;
        state.is_urgent = false;
        std::mem::swap(&mut state.orders, taken);
        drop(state);
        self.0.places.add_permits(taken.len());
        true
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.close();
        self.0.places.close();
        // Whoever waits for one of them learns that nobody will carry it out.
        self.0.state().orders.clear();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn nothing() -> Order {
        Order::Append(Vec::new(), None)
    }

    #[tokio::test]
    async fn what_is_given_before_the_end_is_taken_before_it() {
        let (orders, waiting) = queue();
        orders.give(nothing()).await.unwrap();
        orders.give(nothing()).await.unwrap();
        drop(orders);
        let mut taken = VecDeque::new();
        assert!(waiting.take(&mut taken, None));
        assert_eq!(taken.len(), 2);
        taken.clear();
        assert!(!waiting.take(&mut taken, None));
    }

    #[test]
    fn a_deadline_that_has_passed_ends_the_wait_and_not_the_work() {
        let (_orders, waiting) = queue();
        let mut taken = VecDeque::new();
        assert!(waiting.take(&mut taken, Some(Instant::now())));
        assert!(taken.is_empty());
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_until_some_are_taken() {
        let (orders, waiting) = queue();
        for _ in 0..WAITING_MAX {
            orders.give(nothing()).await.unwrap();
        }
        let late = tokio::spawn(async move { orders.give(nothing()).await });
        tokio::task::yield_now().await;
        assert!(!late.is_finished());
        let mut taken = VecDeque::new();
        assert!(waiting.take(&mut taken, None));
        assert_eq!(taken.len(), WAITING_MAX);
        late.await.unwrap().unwrap();
        taken.clear();
        assert!(waiting.take(&mut taken, None));
        assert_eq!(taken.len(), 1);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_has_ended() {
        let (orders, waiting) = queue();
        let (done, outcome) = oneshot::channel();
        orders.give(Order::Sync(done)).await.unwrap();
        drop(waiting);
        assert!(outcome.await.is_err());
        assert_eq!(orders.give(nothing()).await, Err(LogError::Closed));
    }

    #[tokio::test]
    async fn somebody_who_waits_ends_the_gathering() {
        let (orders, waiting) = queue();
        let (done, _outcome) = oneshot::channel();
        orders.give(Order::Sync(done)).await.unwrap();
        // It would take an hour.
        waiting.gather(Duration::from_secs(3_600));
        assert_eq!(waiting.0.state().writer, WriterState::AtWork);
    }
}
