//! Givers and the writer, interleaved: nothing is lost, and nobody waits for ever.

use testkit::interleavings::{explore, explore_all, future, thread};
use tokio::sync::oneshot;

use super::super::Entry;
use super::*;

/// An order that nobody waits for, known by how many entries it has.
fn append(number: usize) -> Order {
    Order::Append(vec![Entry { event: Vec::new(), decisions: None }; number], None)
}

fn sync() -> (Order, oneshot::Receiver<Result<(), LogError>>) {
    let (done, outcome) = oneshot::channel();
    (Order::Sync(done), outcome)
}

fn give(orders: &Orders, order: Order) -> Result<(), LogError> {
    future::block_on(orders.give(order))
}

/// What the writer does until nobody can order any more: it carries out what it takes and tells of it. It returns the
/// numbers of what was appended, in their order.
fn write(waiting: &Waiting, gathers: bool, deadline: Option<Instant>) -> Vec<usize> {
    let (mut orders, mut written) = (VecDeque::new(), Vec::new());
    let mut deadline = deadline;
    while waiting.take(&mut orders, deadline.take()) {
        for order in orders.drain(..) {
            match order {
                Order::Append(entries, None) => written.push(entries.len()),
                Order::Append(_, Some(done)) | Order::Sync(done) | Order::Complete(done) => {
                    let _ = done.send(Ok(()));
                }
            }
        }
        if gathers {
            waiting.gather(Duration::from_secs(3_600));
        }
    }
    written
}

fn in_an_hour() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(3_600))
}

/// A giver with two orders, who waits for the second one and leaves then. The writer gathers or not.
fn somebody_waits((orders, waiting): (Orders, Waiting), gathers: bool) {
    let giver = thread::spawn(move || {
        give(&orders, append(1)).unwrap();
        let (order, outcome) = sync();
        give(&orders, order).unwrap();
        future::block_on(outcome).unwrap().unwrap();
        // Only now the queue ends, which would wake the writer too.
        drop(orders);
    });
    assert_eq!(write(&waiting, gathers, None), [1]);
    giver.join().unwrap();
}

#[test]
fn what_is_given_wakes_the_writer_and_the_end_does_too() {
    explore_all(|| somebody_waits(queue_of(1), false));
}

/// Two givers with two orders each, and places for half of them. The writer sleeps, with or without a deadline.
fn more_orders_than_places(deadline: Option<Instant>) {
    let (orders, waiting) = queue_of(2);
    let orders = Arc::new(orders);
    let givers = [[1, 2], [3, 4]].map(|numbers| {
        let orders = Arc::clone(&orders);
        thread::spawn(move || numbers.map(|number| give(&orders, append(number)).unwrap()))
    });
    drop(orders);
    let written = write(&waiting, false, deadline);
    let of = |numbers: [usize; 2]| -> Vec<_> {
        written.iter().copied().filter(|number| numbers.contains(number)).collect()
    };
    assert!(written.len() == 4 && of([1, 2]) == [1, 2] && of([3, 4]) == [3, 4], "{written:?}");
    for giver in givers {
        giver.join().unwrap();
    }
}

#[test]
fn every_order_is_taken_once_and_in_turn_and_who_waits_for_a_place_gets_one() {
    explore(10_000, || more_orders_than_places(None));
}

#[test]
fn a_deadline_loses_no_order_that_comes_while_it_passes() {
    explore(10_000, || more_orders_than_places(in_an_hour()));
}

#[test]
fn whoever_waits_ends_the_gathering() {
    explore(10_000, || somebody_waits(queue_of(2), true));
}

/// The writer ends at some moment, as one does that panics, while two give orders and wait for what comes of them.
fn the_writer_ends() {
    let (orders, waiting) = queue_of(1);
    let orders = Arc::new(orders);
    let givers = [(); 2].map(|()| {
        let orders = Arc::clone(&orders);
        thread::spawn(move || {
            let (order, outcome) = sync();
            match give(&orders, order) {
                // Whether it was carried out or not: it is told.
                Ok(()) => drop(future::block_on(outcome)),
                Err(error) => assert_eq!(error, LogError::Closed),
            }
        })
    });
    let mut taken = VecDeque::new();
    assert!(waiting.take(&mut taken, in_an_hour()));
    drop(waiting);
    taken.clear();
    assert_eq!(give(&orders, append(1)), Err(LogError::Closed));
    for giver in givers {
        giver.join().unwrap();
    }
}

#[test]
fn nobody_waits_for_ever_for_a_writer_that_ends() {
    explore(10_000, the_writer_ends);
}

/// Somebody who waits for a place goes away; the next one gets it.
fn who_waits_for_a_place_goes_away() {
    let (orders, waiting) = queue_of(1);
    let orders = Arc::new(orders);
    let impatient = future::spawn({
        let orders = Arc::clone(&orders);
        async move { orders.give(append(1)).await }
    });
    let patient = thread::spawn({
        let orders = Arc::clone(&orders);
        move || give(&orders, append(2)).and_then(|()| give(&orders, append(3)))
    });
    drop(orders);
    let writer = thread::spawn(move || write(&waiting, false, None));
    impatient.abort();
    let was_given = future::block_on(impatient).is_ok();
    patient.join().unwrap().unwrap();
    let mut written = writer.join().unwrap();
    // An order of somebody who went away may have been given all the same.
    let left = written.iter().position(|number| *number == 1).map(|place| written.remove(place));
    assert!(written == [2, 3] && (left.is_some() || !was_given), "{written:?}");
}

#[test]
fn who_goes_away_takes_no_place_along() {
    explore(10_000, who_waits_for_a_place_goes_away);
}
