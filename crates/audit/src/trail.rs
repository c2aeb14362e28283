//! From the outbox to files, each event exactly once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::{OutboxEntry, OutboxPosition, Store, StoreError};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::event_file::{Day, EventFile, FiledEvent, REMEMBERED_EVENTS, make_folder};

/// Events moved at a time. Fewer than the files remember, so that none is written twice.
const BATCH_EVENTS: usize = 256;
const _: () = assert!(BATCH_EVENTS <= REMEMBERED_EVENTS);

/// The trail: a folder of append-only files `events-YYYY-MM-DD.jsonl` (by the event's own UTC day, 0600), one JSON
/// event a line.
///
/// An event is written and durable before it leaves the outbox. After a crash between the two it is found in both
/// places and recognised by its id; a line that the crash left unfinished is cut off when its file is next opened,
/// and written whole. Whoever reads the files meanwhile may see such an unfinished last line.
pub struct Trail {
    folder: PathBuf,
    store: Arc<dyn Store>,
    /// The file that was written last. Held while draining: one drain at a time.
    last: Arc<Mutex<Option<EventFile>>>,
}

/// The hold on the file that was written last.
type LastFile = OwnedMutexGuard<Option<EventFile>>;

/// Events could not be moved. They are safe in the outbox; the next drain tries again.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The folder or a file in it cannot be written.
    #[error("the audit trail cannot be written: {path}: {source}; check space and permissions of the folder")]
    File {
        /// The folder or file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The store did not give or release its outbox.
    #[error("audit trail: {0}")]
    Store(#[from] StoreError),
    /// A record in the outbox is not an event.
    #[error(
        "the audit trail cannot go on: record {0} of the outbox is not an event; restore the store from a backup"
    )]
    NotAnEvent(OutboxPosition),
    /// The runtime is shutting down.
    #[error("the audit trail was interrupted by the end of the process")]
    Interrupted,
}

impl Trail {
    /// Opens the trail in `folder`, which is made (0700) if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path, store: Arc<dyn Store>) -> Result<Self, TrailError> {
        make_folder(folder).map_err(|source| file_error(folder, source))?;
        Ok(Self { folder: folder.to_owned(), store, last: Arc::new(Mutex::new(None)) })
    }

    /// Moves everything that is in the outbox now into the files, in order, and tells how many events that were.
    /// Call it after commits and at start; calling it twice at once is harmless.
    ///
    /// # Errors
    /// See [`TrailError`]; nothing is lost by any of them.
    pub async fn drain(&self) -> Result<usize, TrailError> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let mut moved = 0;
        loop {
            let entries = self.store.outbox(BATCH_EVENTS).await?;
            let Some(through) = entries.last().map(|entry| entry.position) else { return Ok(moved) };
            let count = entries.len();
            last = self.write(last, entries).await?;
            self.store.remove_from_outbox(through).await?;
            moved += count;
        }
    }

    /// Writes one batch, day by day; the files are durable when this returns. The hold goes with the work: if this
    /// future is dropped, the next drain still waits until the files are at rest.
    async fn write(&self, mut last: LastFile, entries: Vec<OutboxEntry>) -> Result<LastFile, TrailError> {
        let folder = self.folder.clone();
        // Waiting for the disk must not keep a worker from answering requests.
        let written = tokio::task::spawn_blocking(move || {
            let file = write(&folder, last.take(), entries)?;
            *last = Some(file);
            Ok(last)
        });
        written.await.map_err(|_| TrailError::Interrupted)?
    }
}

fn write(folder: &Path, last: Option<EventFile>, entries: Vec<OutboxEntry>) -> Result<EventFile, TrailError> {
    let events = entries.into_iter().map(|OutboxEntry { position, record }| {
        FiledEvent::read(record).ok_or(TrailError::NotAnEvent(position))
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let mut file = last;
    for of_one_day in events.chunk_by(|event, next| event.day == next.day) {
        let Some(first) = of_one_day.first() else { continue };
        let failed = |source| file_error(&first.day.path(folder), source);
        let open = reopen(folder, file.take(), &first.day).map_err(failed)?;
        file = Some(open.append(of_one_day).map_err(failed)?);
    }
    file.ok_or(TrailError::Interrupted)
}

/// The file of `day`: the one that is open, if it is the right one and nobody moved or touched it.
fn reopen(folder: &Path, last: Option<EventFile>, day: &Day) -> io::Result<EventFile> {
    match last.filter(|file| file.serves(day)) {
        Some(file) => Ok(file),
        None => EventFile::open(folder, day.clone()),
    }
}

fn file_error(path: &Path, source: io::Error) -> TrailError {
    TrailError::File { path: path.display().to_string(), source }
}
