//! Looking events up without reading the log from end to end.
//!
//! Beside each complete segment of the log lies an index file (`file.rs`), which is made from the segment alone: one that is
//! missing or damaged is made anew. The open segment has its index in memory, which follows what is on disk. A look-up
//! ([`Query`]) goes through the segments whose outline, in memory, says that they could hold what is wanted, newest first
//! ([`Search`]), and reads of their index files only the blocks that it needs.
//!
//! The order of events is that of their times, newest first, and within a second that of their numbers.

mod blocks;
mod complete;
mod event;
mod fields;
mod file;
mod memory;
mod query;
mod search;
mod term;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

pub use event::{LoggedEvent, Resource};
pub use query::{Position, Query};
pub use search::Search;
pub use term::{Attribute, Category, Scope};

use crate::log::{Log, segments};
use complete::{Complete, cursors_in_memory};
use memory::MemoryIndex;

/// How often the open segment's index follows the log by itself, at most. A look-up never waits for that.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// The index of a log.
#[derive(Debug)]
pub struct Index {
    folder: PathBuf,
    /// Up to where the log may be read; all of it, if nobody says.
    durable: Option<watch::Receiver<u64>>,
    segments: Mutex<Segments>,
}

/// Some of the events that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The newest of them, newest first.
    pub events: Vec<LoggedEvent>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

#[derive(Debug, Default)]
struct Segments {
    complete: Vec<Arc<Complete>>,
    open: Option<MemoryIndex>,
    /// Whether it was just begun, or another segment was.
    has_moved_on: bool,
}

impl Index {
    /// The index of a log that this process writes. Index files are written.
    pub fn of_log(log: &Log) -> Self {
        Self { folder: log.folder().to_owned(), durable: Some(log.durable()), segments: Mutex::default() }
    }

    /// The index of a log that perhaps another process writes. Nothing is written.
    pub fn of_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), durable: None, segments: Mutex::default() }
    }

    /// Looks events up, newest first: all that are on disk now. Reads files, so it is no work for an async task.
    ///
    /// # Errors
    /// A file of the log cannot be read.
    pub fn search(&self, query: Query) -> io::Result<Search> {
        let (complete, open) = {
            let mut segments = self.segments();
            segments.follow(&self.folder, self.end())?;
            let open = segments.open.as_ref();
            let open = open.map(|open| (open.segment().clone(), cursors_in_memory(open, &query)));
            (segments.complete.clone(), open)
        };
        Search::new(query, self.writes(), &complete, open)
    }

    /// The first events that a query asks for, at most `limit`, without making an async task wait for files.
    ///
    /// # Errors
    /// A file of the log cannot be read.
    pub async fn page(self: Arc<Self>, query: Query, limit: usize) -> io::Result<Page> {
        let searched = tokio::task::spawn_blocking(move || {
            let mut search = self.search(query)?;
            let mut events = Vec::new();
            while events.len() < limit {
                let Some(event) = search.advance()? else { return Ok(Page { events, more: false }) };
                events.push(event);
            }
            let more = search.advance()?.is_some();
            Ok(Page { events, more })
        });
        searched.await.map_err(io::Error::other)?
    }

    /// Follows the log until it is closed: makes index files of segments that have none, newest first, and keeps the index
    /// of the open one near its end.
    pub async fn follow(self: Arc<Self>) {
        let Some(mut durable) = self.durable.clone() else { return };
        loop {
            let index = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || index.catch_up()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the index of the audit log cannot follow it"),
                // The process ends.
                Err(_) => return,
            }
            tokio::time::sleep(FOLLOW_EVERY).await;
            if durable.changed().await.is_err() {
                return;
            }
        }
    }

    /// Reads what is new, and makes the index files that are missing.
    ///
    /// # Errors
    /// A file of the log cannot be read.
    pub fn catch_up(&self) -> io::Result<()> {
        let (complete, has_moved_on) = {
            let mut segments = self.segments();
            segments.follow(&self.folder, self.end())?;
            (segments.complete.clone(), std::mem::take(&mut segments.has_moved_on))
        };
        if has_moved_on && self.writes() {
            self.forget_removed()?;
        }
        for one in complete.iter().rev() {
            match one.prepare(self.writes()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Segments that are too old are taken away; what was kept of them goes, too.
    fn forget_removed(&self) -> io::Result<()> {
        self.segments().complete.retain(|complete| complete.segment.path.exists());
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if file::is_left_over(&path) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn end(&self) -> u64 {
        self.durable.as_ref().map_or(u64::MAX, |durable| *durable.borrow())
    }

    /// Whoever writes the log writes its index files.
    fn writes(&self) -> bool {
        self.durable.is_some()
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segments {
    /// Reads the open segment up to a line's number, and goes on to segments that have begun since.
    fn follow(&mut self, folder: &Path, end: u64) -> io::Result<()> {
        if self.open.is_none() {
            self.begin(folder)?;
        }
        while let Some(open) = &mut self.open {
            open.read_until(end)?;
            if open.next() >= end {
                break;
            }
            // Lines are missing: the log goes on in another segment.
            let behind = open.segment().first;
            let Some(next) = segments(folder)?.into_iter().find(|segment| segment.first > behind) else {
                break;
            };
            // What was written before that one began.
            open.read_until(end)?;
            let done = std::mem::replace(open, MemoryIndex::new(next));
            self.complete.push(Arc::new(Complete::of(done)));
            self.has_moved_on = true;
        }
        Ok(())
    }

    fn begin(&mut self, folder: &Path) -> io::Result<()> {
        let mut found = segments(folder)?;
        self.open = found.pop().map(MemoryIndex::new);
        self.has_moved_on = self.open.is_some();
        self.complete = found.into_iter().map(|segment| Arc::new(Complete::new(segment))).collect();
        Ok(())
    }
}
