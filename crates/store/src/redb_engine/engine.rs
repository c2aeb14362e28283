//! The open database, and what happens when it fails.
//!
//! redb gives up a database after the first failed input or output. The engine then takes the file back from it, undoes
//! what the disk did not confirm, and opens it again with all writes held in memory. So reads go on while the disk is
//! full; the next write first releases what is held, which fails until there is space.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::apply::{Change, Outcome, Prepared, apply};
use super::failure::{calls_for_reopening, guarded, io_error, store_error};
use super::medium::Medium;
use super::{open, tables};
use crate::{Key, Observer, Revision, StoreError};

/// One store: its file, its database, its observers.
pub(super) struct Engine {
    opened: RwLock<Opened>,
    medium: Arc<Medium>,
    observers: RwLock<Vec<Weak<dyn Observer>>>,
}

struct Opened {
    database: Result<Database, StoreError>,
    /// How often the database was opened again.
    epoch: u64,
}

/// Something could not be done on the database of this epoch.
struct Failed {
    error: StoreError,
    epoch: u64,
    calls_for_reopening: bool,
}

impl Engine {
    pub(super) fn new(medium: Arc<Medium>, database: Database) -> Self {
        Self {
            opened: RwLock::new(Opened { database: Ok(database), epoch: 0 }),
            medium,
            observers: RwLock::default(),
        }
    }

    pub(super) fn observe(&self, observer: Weak<dyn Observer>) {
        self.observers.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    pub(super) fn tell_observers(&self, keys: &[Key], revision: Revision) {
        for observer in self.living_observers() {
            observer.committed(keys, revision);
        }
    }

    pub(super) fn warn_observers(&self, keys: &[Key]) {
        for observer in self.living_observers() {
            observer.uncertain(keys);
        }
    }

    fn living_observers(&self) -> Vec<Arc<dyn Observer>> {
        let observers = self.observers.read().unwrap_or_else(PoisonError::into_inner);
        observers.iter().filter_map(Weak::upgrade).collect()
    }

    /// Runs `read` on the last committed state; once more if the database had to be opened again.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let read = |database: &Database| read(&database.begin_read()?);
        let failed = match self.run(read) {
            Err(failed) if failed.calls_for_reopening => failed,
            answer => return answer.map_err(|failed| failed.error),
        };
        self.reopen(failed.epoch);
        self.run(read).map_err(|failed| failed.error)
    }

    /// Runs `read` on the last committed state, once. While it runs, a database that fails is not opened again.
    pub(super) fn read_once<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.run(|database| read(&database.begin_read()?)).map_err(|failed| failed.error)
    }

    /// Applies a group of changes as one. Runs on the writer thread alone.
    pub(super) fn write<'a, C: Iterator<Item = &'a Change>>(
        &self,
        changes: impl Fn() -> C,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.open_if_closed()?;
        let mut prepared = Prepared::default();
        // Released under the same hold of the database as the changes: reopening must not come between.
        let result = self.run(|database| match self.release() {
            Ok(()) => apply(database, changes(), &mut prepared).map(Ok),
            Err(error) => Ok(Err(error)),
        });
        match result {
            Ok(released) => released.map(|()| prepared.outcomes),
            Err(failed) => self.settle(failed, prepared),
        }
    }

    /// After a failure in a group: nothing of it has taken effect, all of it has, or nobody can tell.
    fn settle(&self, failed: Failed, prepared: Prepared) -> Result<Vec<Outcome>, StoreError> {
        // Whatever failed, also a panic in the middle of a change: the database is not to be trusted with more.
        self.reopen(failed.epoch);
        let Some(revision) = prepared.revision else { return Err(failed.error) };
        if self.medium.in_doubt() {
            return Err(StoreError::OutcomeUnknown(failed.error.to_string()));
        }
        // The disk had confirmed the group, or the group was undone; the state that is left tells.
        match self.read(tables::revision) {
            Ok(found) if found == revision => Ok(prepared.outcomes),
            Ok(_) => Err(failed.error),
            Err(error) => Err(StoreError::OutcomeUnknown(error.to_string())),
        }
    }

    fn run<T>(&self, run: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, Failed> {
        let opened = self.opened();
        let epoch = opened.epoch;
        let database = match &opened.database {
            Ok(database) => database,
            Err(error) => {
                let calls_for_reopening = !matches!(error, StoreError::Damaged { .. });
                return Err(Failed { error: error.clone(), epoch, calls_for_reopening });
            }
        };
        guarded(|| run(database)).map_err(|error| {
            let calls_for_reopening = calls_for_reopening(&error);
            Failed { error: store_error(&error), epoch, calls_for_reopening }
        })
    }

    /// Opens the database if opening it again failed earlier.
    fn open_if_closed(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(()))
    }

    /// Lets writes through to the file again.
    fn release(&self) -> Result<(), StoreError> {
        if self.medium.is_holding() {
            self.medium.release().map_err(|error| io_error(&error))
        } else {
            Ok(())
        }
    }

    /// Opens the database again, unless that was done since `epoch`. Everything else waits meanwhile.
    fn reopen(&self, epoch: u64) {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.epoch != epoch {
            return;
        }
        opened.epoch += 1;
        self.medium.take_back();
        // The old database goes first: what it still writes on its way out is void.
        opened.database = Err(StoreError::Unavailable("it is being opened again".to_owned()));
        opened.database = open::database(&self.medium).map_err(|error| store_error(&error));
    }

    fn opened(&self) -> RwLockReadGuard<'_, Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }
}
