//! The embedded engine: one file, one writer thread, any number of readers.
//!
//! All transactions that wait are written as one group: one redb transaction, one wait for the disk. A transaction is
//! checked against the state that the earlier ones of its group leave, and is answered on its own.
//!
//! * `medium`: the file below redb, which can undo a failed commit and hold writes back.
//! * `create`, `open`: making a file, and opening one without changing it before it is known to be sound.
//! * `engine`: the open database; what happens when it fails.
//! * `tables`: the layout of the file; `apply`: one group of transactions; `read`: the reads.
//! * `writer`: the thread.

mod apply;
mod create;
mod disk_file;
mod engine;
mod failure;
mod medium;
mod open;
mod open_error;
mod read;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use redb::backends::FileBackend;

use crate::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};
use engine::Engine;
use open_error::OpenCause;
pub use open_error::OpenError;
use writer::Writer;

/// The embedded store. Dropping it applies what is queued, then closes the file; both are waited for.
pub struct RedbStore {
    // Declared first, dropped first: the thread ends before the file is closed.
    writer: Writer,
    engine: Arc<Engine>,
}

impl RedbStore {
    /// Opens the store in the file at `path`, or makes a new one there (mode 0600) if there is no file.
    ///
    /// The file is locked against other processes while it is open. After a crash it is brought to the state of the
    /// last acknowledged commit. A damaged file is refused and left as it is. Blocks while the file is read.
    ///
    /// # Errors
    /// See [`OpenError`]: each says what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.try_exists().map_err(|error| OpenError::from_io(path, error))? {
            create::create(path)?;
        }
        let medium = open::locked_file(path)?;
        Self::start(open::existing(medium).map_err(|cause| cause.at(path))?, path)
    }

    /// A store in memory, for tests: nothing of it outlives it.
    ///
    /// # Errors
    /// None in practice.
    pub fn in_memory() -> Result<Self, OpenError> {
        let path = Path::new("memory");
        let medium =
            create::on_backend(redb::backends::InMemoryBackend::new()).map_err(|cause| cause.at(path))?;
        Self::start(medium, path)
    }

    /// Opens the store in a file that may have no name, as [`Self::copy_to`] fills one. `path` is for messages.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_file(file: File, path: &Path) -> Result<Self, OpenError> {
        let backend =
            FileBackend::new(file).map_err(|error| OpenCause::from(redb::Error::from(error)).at(path))?;
        Self::start(open::existing(backend).map_err(|cause| cause.at(path))?, path)
    }

    /// Copies everything as it is at one moment into `file`, which is empty, as a store of its own: its entries with their
    /// revisions, and its outbox. `at_the_moment` runs once that moment is fixed; commits that are acknowledged before this
    /// is called are in the copy, and those that begin after `at_the_moment` has begun are not. Others read and write
    /// meanwhile. Blocks until the copy is complete; it need not be on disk then.
    ///
    /// # Errors
    /// The store cannot be read or the file not be written; this store is as before.
    pub fn copy_to<T>(&self, file: File, at_the_moment: impl FnOnce() -> T) -> Result<T, StoreError> {
        self.engine.read_once(|state| {
            let told = at_the_moment();
            create::copy(state, file)?;
            Ok(told)
        })
    }

    fn start(engine: Engine, path: &Path) -> Result<Self, OpenError> {
        let engine = Arc::new(engine);
        let writer = Writer::start(Arc::clone(&engine)).map_err(|error| OpenError::from_io(path, error))?;
        Ok(Self { writer, engine })
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.engine.read(|state| read::get(state, key))
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        self.engine.read(|state| read::range(state, &range))
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        transaction.check()?;
        self.writer.commit(transaction).await
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.engine.read(|state| read::outbox(state, limit))
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.writer.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.engine.observe(observer);
    }
}
