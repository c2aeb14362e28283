//! The requests of a connection and its watchman, interleaved: who is at work is never taken for idle.

use std::sync::atomic::{AtomicBool, Ordering};

use testkit::interleavings::{explore, explore_all, thread};

use super::super::tests::limits;
use super::*;

/// A connection that has been silent for longer than it may, and whether its peer has said something since.
struct Connection {
    activity: Arc<Activity>,
    has_spoken: AtomicBool,
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Connection {
    fn silent_for_long() -> Arc<Self> {
        let then = Instant::now().checked_sub(seconds(100)).unwrap();
        let activity = Arc::new(Activity::since(then, None));
        Arc::new(Self { activity, has_spoken: AtomicBool::new(false) })
    }

    /// A head arrives and a request begins.
    fn request(&self, multiplexed: bool) -> Running {
        self.activity.received();
        self.has_spoken.store(true, Ordering::SeqCst);
        self.activity.begin(multiplexed)
    }

    /// The watchman looks: whoever has said something is neither idle nor late with a head.
    fn look(&self) {
        let limits = Limits { header_read_timeout: seconds(10), idle_timeout: seconds(75), ..limits() };
        let has_spoken = self.has_spoken.load(Ordering::SeqCst);
        let verdict = self.activity.verdict(Instant::now(), &limits, false);
        assert!(!has_spoken || verdict != Verdict::Close);
    }
}

/// A request whose answer is sent while it is made.
fn answer(activity: &Activity, running: Running) {
    let sending = running.sending();
    drop(running);
    activity.sent();
    drop(sending);
}

fn one_request() {
    let connection = Connection::silent_for_long();
    let peer = thread::spawn({
        let connection = Arc::clone(&connection);
        move || answer(&connection.activity, connection.request(false))
    });
    connection.look();
    connection.look();
    peer.join().unwrap();
    connection.look();
}

#[test]
fn a_request_under_way_is_never_taken_for_idle() {
    explore_all(one_request);
}

/// Two requests of one HTTP/2 connection, each answered by a task of its own.
fn two_requests() {
    let connection = Connection::silent_for_long();
    let answering = [(); 2].map(|()| {
        let running = connection.request(true);
        let activity = Arc::clone(&connection.activity);
        thread::spawn(move || answer(&activity, running))
    });
    connection.look();
    connection.look();
    for answering in answering {
        answering.join().unwrap();
    }
    connection.look();
}

#[test]
fn the_end_of_one_request_is_not_the_end_of_another() {
    explore(10_000, two_requests);
}
