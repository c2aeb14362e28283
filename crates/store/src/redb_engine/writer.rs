//! The writer thread: it groups whatever waits, so that many commits share one wait for the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::apply::{Change, Outcome};
use super::engine::Engine;
use crate::{CommitError, OutboxPosition, Revision, StoreError, Transaction};

/// How many changes can wait; further ones wait for a place.
const QUEUE_CHANGES_MAX: usize = 1_024;

/// The most changes in a group.
const GROUP_CHANGES_MAX: usize = 256;

/// A group is closed once its keys and values reach this many bytes: 8 MiB.
const GROUP_BYTES_MAX: usize = 8 * 1_024 * 1_024;

type Answer = Result<Outcome, StoreError>;

struct Job {
    change: Change,
    answer: oneshot::Sender<Answer>,
}

/// The queue to the thread. Dropping it lets the thread finish what is queued, and waits for that.
pub(super) struct Writer {
    // `None` only while dropping.
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(engine: Arc<Engine>) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_CHANGES_MAX);
        let thread =
            thread::Builder::new().name("store-writer".to_owned()).spawn(move || run(&engine, jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        match self.submit(Change::Commit(transaction)).await? {
            Outcome::Applied(revision) => Ok(revision),
            Outcome::Conflict(key) => Err(CommitError::Conflict { key }),
        }
    }

    pub(super) async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.submit(Change::RemoveFromOutbox(through)).await.map(drop)
    }

    async fn submit(&self, change: Change) -> Answer {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        let (answer, answered) = oneshot::channel();
        queue.send(Job { change, answer }).await.map_err(|_| stopped())?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::OutcomeUnknown("its writer has stopped".to_owned())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        // An observer could let go of the last reference to the store: the thread cannot wait for itself.
        let thread = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            // A panic of the thread has been reported to those who waited.
            let _ = thread.join();
        }
    }
}

fn run(engine: &Engine, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let group = gather(first, &mut jobs);
        let result = engine.write(|| group.iter().map(|job| &job.change));
        // Observers of the whole group first, then its callers.
        let told = catch_unwind(AssertUnwindSafe(|| tell_observers(engine, &group, &result)));
        if told.is_err() {
            return stop(group, jobs);
        }
        answer(group, result);
    }
}

fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.change.bytes();
    let mut group = vec![first];
    while group.len() < GROUP_CHANGES_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(job) = jobs.try_recv() else { break };
        bytes += job.change.bytes();
        group.push(job);
    }
    group
}

fn tell_observers(engine: &Engine, group: &[Job], result: &Result<Vec<Outcome>, StoreError>) {
    match result {
        Ok(outcomes) => {
            for (job, outcome) in group.iter().zip(outcomes) {
                if let (Some(keys), Outcome::Applied(revision)) = (job.change.observed_keys(), outcome) {
                    engine.tell_observers(&keys, *revision);
                }
            }
        }
        Err(StoreError::OutcomeUnknown(_)) => {
            group
                .iter()
                .filter_map(|job| job.change.observed_keys())
                .for_each(|keys| engine.warn_observers(&keys));
        }
        Err(_) => {}
    }
}

/// Those who no longer wait need no answer; here and below.
fn answer(group: Vec<Job>, result: Result<Vec<Outcome>, StoreError>) {
    match result {
        Ok(outcomes) => {
            for (job, outcome) in group.into_iter().zip(outcomes) {
                drop(job.answer.send(Ok(outcome)));
            }
        }
        Err(error) => group.into_iter().for_each(|job| drop(job.answer.send(Err(error.clone())))),
    }
}

/// After a panic of an observer: nothing more is taken, so that no cache goes on that missed a commit.
fn stop(group: Vec<Job>, mut jobs: mpsc::Receiver<Job>) {
    jobs.close();
    while let Some(job) = jobs.blocking_recv() {
        drop(job.answer.send(Err(stopped())));
    }
    let unknown = || StoreError::OutcomeUnknown("an observer of the commit failed".to_owned());
    group.into_iter().for_each(|job| drop(job.answer.send(Err(unknown()))));
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped, restart the program".to_owned())
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Commit(transaction) => transaction.bytes(),
            Self::RemoveFromOutbox(_) => 0,
        }
    }
}
