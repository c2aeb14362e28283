//! The log: every event, one line each, in the order in which they were written, in files that are only ever appended to.
//!
//! A folder of segments `<number of the first line>.jsonl` (0600). The lines make a chain, see [`Head`]; what a crash left
//! unfinished is cut off when the log is opened. Behind the last line of an open log there are zero bytes, which become
//! lines. Whoever logs an event waits until it is on disk together with those that wait at the same time: one sync serves
//! them all. Everything else that is made of events (deliveries, indexes) reads the segments afterwards and makes nobody
//! wait.

mod follower;
mod line;
mod queue;
mod reader;
mod segment_file;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

pub use follower::Follower;
pub use line::{BrokenLine, Chain, Entry, Head, InvalidChain, LogLine};
pub use reader::{Lines, Segment, segments, written};

use queue::Orders;
use segment_file::{OpenError, SegmentFile};
use writer::{Order, Writer};

/// When an event counts as logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk.
    EachReply,
    /// At once: it is on disk within about this time, and lost if the machine fails before; or if the process is killed within
    /// the few milliseconds until it is written. For development.
    Interval(Duration),
}

/// How the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// When an event counts as logged.
    pub durability: Durability,
    /// The longest that anybody waits for the disk.
    pub wait_max: Duration,
    /// The size at which a segment is complete, in bytes.
    pub segment_bytes: u64,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            durability: Durability::EachReply,
            wait_max: Duration::from_secs(5),
            segment_bytes: 64 * 1_024 * 1_024,
        }
    }
}

/// An event could not be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The folder or a file in it cannot be written.
    #[error("the audit log cannot be written: {path}: {reason}; check space and permissions of the folder")]
    File {
        /// The folder or file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The last line of a segment is not one that was written.
    #[error(
        "the audit log is damaged: the end of {path} is no line of it; find out who wrote to the file, then move the log's \
         folder away as evidence, and a new log begins"
    )]
    Damaged {
        /// The segment.
        path: String,
    },
    /// The disk did not answer in time.
    #[error("the audit log was not written within {0:?}")]
    Slow(Duration),
    /// The writer has ended.
    #[error("the audit log is closed")]
    Closed,
}

/// What the log has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogFigures {
    /// Events that were written.
    pub events: u64,
    /// Their lines, in bytes.
    pub bytes: u64,
    /// Syncs, each for all who waited for it.
    pub syncs: u64,
    /// The time that those took.
    pub sync_time: Duration,
}

/// How the log fares.
#[derive(Debug, Default)]
struct State {
    is_broken: AtomicBool,
    is_closing: AtomicBool,
    was_touched: AtomicBool,
    events: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
    sync_nanoseconds: AtomicU64,
}

/// The log, open for writing. One process writes to it.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    settings: LogSettings,
    orders: Orders,
    state: Arc<State>,
    durable: watch::Receiver<u64>,
    writer: JoinHandle<()>,
}

impl Log {
    /// Opens the log in `folder`, which is made (0700) if it is not there.
    ///
    /// # Errors
    /// The folder cannot be used, or the end of the log is not as it was written.
    pub fn open(folder: &Path, settings: LogSettings) -> Result<Self, LogError> {
        let found = SegmentFile::open_last(folder).map_err(|error| match error {
            OpenError::Io(error) => file_error(folder, &error),
            OpenError::Damaged(segment) => LogError::Damaged { path: segment.path.display().to_string() },
        })?;
        let (orders, waiting) = queue::queue();
        let (durable_sender, durable) = watch::channel(found.head.next);
        let state = Arc::new(State::default());
        let mut writer = Writer::new(folder.to_owned(), settings, found, Arc::clone(&state), durable_sender);
        writer.tell_in(Handle::try_current().ok());
        let thread = std::thread::Builder::new().name("audit-log".to_owned());
        let writer = thread.spawn(move || writer.run(waiting)).map_err(|error| file_error(folder, &error))?;
        Ok(Self { folder: folder.to_owned(), settings, orders, state, durable, writer })
    }

    /// Logs entries, one behind the other; when this returns, they are as durable as the settings say.
    ///
    /// # Errors
    /// They are not logged, or may not be: the disk fails or does not answer in time.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), LogError> {
        match self.settings.durability {
            Durability::EachReply => {
                let (done, outcome) = oneshot::channel();
                self.ordered(Order::Append(entries, Some(done)), outcome).await
            }
            // Whether it can be written shows after the first that cannot.
            Durability::Interval(_) if self.works() => self.send(Order::Append(entries, None)).await,
            Durability::Interval(_) => {
                self.sync().await?;
                self.send(Order::Append(entries, None)).await
            }
        }
    }

    /// Waits until everything before is on disk. Tells, too, whether the log can be written now.
    ///
    /// # Errors
    /// The disk fails or does not answer in time.
    pub async fn sync(&self) -> Result<(), LogError> {
        let (done, outcome) = oneshot::channel();
        self.ordered(Order::Sync(done), outcome).await
    }

    /// Whether the last attempt to write went well.
    pub fn works(&self) -> bool {
        !self.state.is_broken.load(Ordering::Relaxed)
    }

    /// What it has done since it was opened.
    pub fn figures(&self) -> LogFigures {
        let State { events, bytes, syncs, sync_nanoseconds, .. } = &*self.state;
        LogFigures {
            events: events.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
            syncs: syncs.load(Ordering::Relaxed),
            sync_time: Duration::from_nanos(sync_nanoseconds.load(Ordering::Relaxed)),
        }
    }

    /// Whether, since it was opened, somebody moved, replaced or changed its file.
    pub fn was_touched(&self) -> bool {
        self.state.was_touched.load(Ordering::Relaxed)
    }

    /// The number of the line that comes behind those on disk; whoever reads the log learns here of new ones.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// The folder of the segments.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Brings everything before to disk and leaves the log as it is to stay, with no room behind its lines, until somebody
    /// logs more. For the end of the process.
    ///
    /// # Errors
    /// The disk fails or does not answer in time.
    pub async fn complete(&self) -> Result<(), LogError> {
        let (done, outcome) = oneshot::channel();
        self.ordered(Order::Complete(done), outcome).await
    }

    /// Writes what waits, completes the log, and ends.
    pub fn close(self) {
        self.state.is_closing.store(true, Ordering::Relaxed);
        drop(self.orders);
        // A writer that panicked has nothing more to tell.
        let _ = self.writer.join();
    }

    async fn ordered(
        &self,
        order: Order,
        outcome: oneshot::Receiver<Result<(), LogError>>,
    ) -> Result<(), LogError> {
        let wait_max = self.settings.wait_max;
        let answered = async {
            self.orders.give(order).await?;
            outcome.await.map_err(|_| LogError::Closed)?
        };
        tokio::time::timeout(wait_max, answered).await.unwrap_or_else(|_| Err(self.slow()))
    }

    /// A disk that does not answer is one that cannot be written, until the writer finds that it can.
    fn slow(&self) -> LogError {
        let Self { settings: LogSettings { wait_max, .. }, state, folder, .. } = self;
        if !state.is_broken.swap(true, Ordering::Relaxed) {
            tracing::error!(
                folder = %folder.display(),
                waited = ?wait_max,
                "the disk of the audit log does not answer; calls fail until it does"
            );
        }
        LogError::Slow(*wait_max)
    }

    async fn send(&self, order: Order) -> Result<(), LogError> {
        let given = tokio::time::timeout(self.settings.wait_max, self.orders.give(order)).await;
        given.unwrap_or_else(|_| Err(self.slow()))
    }
}

fn file_error(path: &Path, error: &io::Error) -> LogError {
    LogError::File { path: path.display().to_string(), reason: error.to_string() }
}
