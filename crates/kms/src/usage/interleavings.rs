//! Uses of a key that is loaded twice, the writer, and the key's end, interleaved: no use is lost, and nothing waits for ever.

use std::sync::atomic::{AtomicI64, Ordering};

use testkit::interleavings::{explore, explore_all, thread};

use super::tests::{ALWAYS, ROOM, arn, key_use};
use super::*;

/// A key that has been used once, with what is written of it.
struct Used {
    usage: Usage,
    cell: Arc<UsageCell>,
    stored: Mutex<Option<KeyUse>>,
    /// The latest use that was noted.
    noted: AtomicI64,
}

impl Used {
    fn once() -> Arc<Self> {
        let usage = Usage::new(ROOM);
        let cell = usage.cell(&arn(1));
        let used = Self { usage, cell, stored: Mutex::default(), noted: AtomicI64::new(0) };
        used.note(&used.cell, 1);
        Arc::new(used)
    }

    fn note(&self, cell: &Arc<UsageCell>, at: i64) {
        self.usage.note(&arn(1), cell, key_use(at)).unwrap();
        self.noted.fetch_max(at, Ordering::SeqCst);
    }

    fn write(&self) {
        let batch = self.usage.batch(ALWAYS);
        if let Some(written) = batch.iter().find_map(|(_, noted)| *noted) {
            *self.stored.lock().unwrap() = Some(written);
        }
        self.usage.settle(&batch);
    }

    /// Whoever asks is told of the latest use that was noted before, or of a later one.
    fn ask(&self) {
        let at_least = self.noted.load(Ordering::SeqCst);
        let told = self.usage.unwritten(&arn(1)).or_else(|| *self.stored.lock().unwrap());
        assert!(told.is_some_and(|told| told.at.millis() >= at_least), "{told:?} of {at_least}");
    }

    /// What waits is written at once, and then nothing waits.
    fn assert_nothing_waits_for_ever(&self) {
        self.write();
        let waiting = self.usage.lock();
        assert!(waiting.queue.is_empty() && waiting.cells.is_empty() && self.cell.lock().is_none());
    }
}

/// A use while the one before is written, noted in the cell that waits or in another one of the same key.
fn a_use_while_one_is_written(is_loaded_twice: bool) {
    let used = Used::once();
    let user = thread::spawn({
        let used = Arc::clone(&used);
        let cell = if is_loaded_twice { Arc::default() } else { Arc::clone(&used.cell) };
        move || used.note(&cell, 2)
    });
    used.write();
    used.ask();
    user.join().unwrap();
    used.ask();
    used.assert_nothing_waits_for_ever();
    used.ask();
}

#[test]
fn a_use_is_not_taken_for_written_whenever_it_comes() {
    explore_all(|| a_use_while_one_is_written(false));
    explore_all(|| a_use_while_one_is_written(true));
}

fn uses_of_a_key_that_is_loaded_twice() {
    let used = Used::once();
    let cells = [Arc::clone(&used.cell), Arc::default()];
    let users = cells.map(|cell| {
        let used = Arc::clone(&used);
        thread::spawn(move || used.note(&cell, 2))
    });
    let asking = thread::spawn({
        let used = Arc::clone(&used);
        move || used.ask()
    });
    used.write();
    used.write();
    for thread in users.into_iter().chain([asking]) {
        thread.join().unwrap();
    }
    used.ask();
    used.assert_nothing_waits_for_ever();
    used.ask();
}

#[test]
fn uses_by_two_cells_lose_none() {
    explore(10_000, uses_of_a_key_that_is_loaded_twice);
}

fn a_use_of_a_key_that_goes() {
    let used = Used::once();
    let user = thread::spawn({
        let used = Arc::clone(&used);
        move || used.note(&used.cell, 2)
    });
    let end = thread::spawn({
        let used = Arc::clone(&used);
        move || used.usage.forget(&arn(1))
    });
    used.write();
    user.join().unwrap();
    end.join().unwrap();
    used.assert_nothing_waits_for_ever();
}

#[test]
fn a_key_that_goes_leaves_nothing_waiting() {
    explore(10_000, a_use_of_a_key_that_goes);
}
