//! The one that writes: takes what waits as a group, appends it, syncs once, and tells everybody who waits.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::line::{Entry, Head};
use super::queue::Waiting;
use super::segment_file::{Found, SegmentFile};
use super::{Durability, LogError, LogSettings, State};

/// Bytes of lines that are written as one group at most, but for the last member's.
const GROUP_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Bytes that are written and not on disk, before a group, at most: the lines that must be written again when the log is opened
/// (`segment_file.rs`) are these and one group.
const UNSYNCED_BYTES_MAX: u64 = 3 * 1_024 * 1_024;

/// How long events gather before they are written, where nobody waits for that.
const GATHERING: Duration = Duration::from_millis(2);

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Order {
    /// To log entries, one behind the other.
    Append(Vec<Entry>, Option<oneshot::Sender<Result<(), LogError>>>),
    /// To have everything before on disk. It is tried even if nothing waits, so it tells whether the log can be written.
    Sync(oneshot::Sender<Result<(), LogError>>),
    /// The same, and to leave the file as it is to stay.
    Complete(oneshot::Sender<Result<(), LogError>>),
}

impl Order {
    /// Whether somebody waits for what comes of it.
    pub(super) fn is_waited_for(&self) -> bool {
        !matches!(self, Self::Append(_, None))
    }

    fn waiting(self) -> Option<oneshot::Sender<Result<(), LogError>>> {
        match self {
            Self::Append(_, waiting) => waiting,
            Self::Sync(waiting) | Self::Complete(waiting) => Some(waiting),
        }
    }
}

pub(super) struct Writer {
    folder: PathBuf,
    settings: LogSettings,
    file: SegmentFile,
    head: Head,
    /// Where everything is on disk: the head and the segment's length behind it.
    synced: (Head, u64),
    /// Since when something waits for a sync.
    unsynced_since: Option<Instant>,
    /// Whether the last attempt failed: the file must be put right first.
    is_torn: bool,
    state: Arc<State>,
    durable: watch::Sender<u64>,
    runtime: Option<Handle>,
}

impl Writer {
    pub(super) fn new(
        folder: PathBuf,
        settings: LogSettings,
        found: Found,
        state: Arc<State>,
        durable: watch::Sender<u64>,
    ) -> Self {
        let Found { file, head } = found;
        let synced = (head, file.length());
        Self {
            folder,
            settings,
            file,
            head,
            synced,
            unsynced_since: None,
            is_torn: false,
            state,
            durable,
            runtime: None,
        }
    }

    /// Whoever waits is told in a task of this runtime: one wakes all, where this thread would have to wake each.
    pub(super) fn tell_in(&mut self, runtime: Option<Handle>) {
        self.runtime = runtime;
    }

    /// Works until nobody can order any more.
    pub(super) fn run(mut self, waiting: Waiting) {
        let mut orders = VecDeque::new();
        let mut group = Vec::new();
        let mut lines = Vec::new();
        while waiting.take(&mut orders, self.next_sync()) {
            loop {
                next_group(&mut orders, &mut group);
                let outcome = self.write(&group, &mut lines);
                self.report(&outcome);
                self.tell(&mut group, &outcome);
                if orders.is_empty() {
                    break;
                }
            }
            if matches!(self.settings.durability, Durability::Interval(_)) {
                waiting.gather(GATHERING);
            }
        }
        if let Err(error) = self.end() {
            self.report(&Err(error));
        }
    }

    /// When what is written must be on disk, if nobody asks for it before. A disk that failed is tried again when somebody
    /// asks, not all the time.
    fn next_sync(&self) -> Option<Instant> {
        match self.settings.durability {
            Durability::Interval(interval) if !self.state.is_broken.load(Ordering::Relaxed) => {
                self.unsynced_since.map(|since| since + interval)
            }
            Durability::Interval(_) | Durability::EachReply => None,
        }
    }

    /// Tells everybody who waits what came of the group.
    fn tell(&self, group: &mut Vec<Order>, outcome: &io::Result<()>) {
        let told = match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(self.error(error)),
        };
        let waiting: Vec<_> = group.drain(..).filter_map(Order::waiting).collect();
        let tell = move || {
            for waiting in waiting {
                // Whoever does not wait any more need not be told.
                let _ = waiting.send(told.clone());
            }
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { tell() })),
            None => tell(),
        }
    }

    /// Writes a group. After an error the log is as it was before the group.
    fn write(&mut self, group: &[Order], lines: &mut Vec<u8>) -> io::Result<()> {
        if self.is_torn {
            self.put_right()?;
        }
        self.keep_in_place()?;
        let done = self.append_and_sync(group, lines);
        if done.is_err() {
            self.is_torn = true;
        }
        done
    }

    fn append_and_sync(&mut self, group: &[Order], lines: &mut Vec<u8>) -> io::Result<()> {
        if self.file.length() >= self.settings.segment_bytes {
            self.sync()?;
            self.file.complete()?;
            self.begin_segment()?;
        }
        lines.clear();
        let mut head = self.head;
        for order in group {
            if let Order::Append(entries, _) = order {
                entries.iter().for_each(|entry| head.write(entry, lines));
            }
        }
        if !lines.is_empty() {
            self.file.append(lines)?;
            self.state.events.fetch_add(head.next - self.head.next, Ordering::Relaxed);
            self.state.bytes.fetch_add(u64::try_from(lines.len()).unwrap_or(0), Ordering::Relaxed);
            self.head = head;
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        let is_ordered = group.iter().any(|order| matches!(order, Order::Sync(_) | Order::Complete(_)));
        let is_time = match self.settings.durability {
            Durability::EachReply => true,
            Durability::Interval(interval) => {
                self.unsynced_for().is_some_and(|waited| waited >= interval)
                    || self.file.length().saturating_sub(self.synced.1) >= UNSYNCED_BYTES_MAX
            }
        };
        if is_ordered || (is_time && self.unsynced_since.is_some()) {
            self.sync()?;
        }
        if group.iter().any(|order| matches!(order, Order::Complete(_))) {
            self.file.complete()?;
        }
        Ok(())
    }

    fn unsynced_for(&self) -> Option<Duration> {
        self.unsynced_since.map(|since| since.elapsed())
    }

    fn sync(&mut self) -> io::Result<()> {
        let started = Instant::now();
        self.file.sync()?;
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.state.sync_nanoseconds.fetch_add(took, Ordering::Relaxed);
        self.state.syncs.fetch_add(1, Ordering::Relaxed);
        self.unsynced_since = None;
        self.synced = (self.head, self.file.length());
        self.durable.send_replace(self.head.next);
        Ok(())
    }

    /// Leaves the file as it is to stay, if the log is closed. One that somebody else has in hands is left alone.
    fn end(&mut self) -> io::Result<()> {
        let is_closing = self.state.is_closing.load(Ordering::Relaxed);
        if is_closing && !self.is_torn && self.file.is_in_place() {
            return self.file.complete();
        }
        self.file.sync()
    }

    /// Cuts off what is not certain to be on disk. Only what can be written is right: cutting succeeds on a full disk, too.
    fn put_right(&mut self) -> io::Result<()> {
        let (head, length) = self.synced;
        self.file.cut(length)?;
        self.head = head;
        self.unsynced_since = None;
        self.file.find_room()?;
        self.is_torn = false;
        Ok(())
    }

    /// If somebody took the file away or wrote to it, the log goes on in another one: what is gone shows as missing.
    fn keep_in_place(&mut self) -> io::Result<()> {
        if self.file.is_in_place() {
            return Ok(());
        }
        tracing::error!(
            file = %self.file.path().display(),
            next = self.head.next,
            "somebody moved, replaced or changed the audit log's file while it was written; it goes on in a new file, and \
             `keywright trail verify` tells what is missing"
        );
        self.state.was_touched.store(true, Ordering::Relaxed);
        self.begin_segment()
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.file = SegmentFile::begin(&self.folder, self.head)?;
        self.synced = (self.head, 0);
        Ok(())
    }

    fn report(&self, outcome: &io::Result<()>) {
        let worked = !self.state.is_broken.swap(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Err(error) if worked => tracing::error!(
                %error,
                file = %self.file.path().display(),
                "the audit log cannot be written; calls fail until it can: check space and permissions of its folder"
            ),
            Ok(()) if !worked => tracing::info!("the audit log can be written again"),
            Ok(()) | Err(_) => {}
        }
    }

    fn error(&self, error: &io::Error) -> LogError {
        LogError::File { path: self.file.path().display().to_string(), reason: error.to_string() }
    }
}

/// Moves orders into the group, up to its size.
fn next_group(orders: &mut VecDeque<Order>, group: &mut Vec<Order>) {
    let mut bytes = 0;
    while bytes < GROUP_BYTES_MAX {
        let Some(next) = orders.pop_front() else { break };
        bytes += weight(&next);
        group.push(next);
    }
}

fn weight(order: &Order) -> usize {
    match order {
        Order::Append(entries, _) => entries.iter().map(|entry| entry.event.len()).sum(),
        Order::Sync(_) | Order::Complete(_) => 0,
    }
}
