//! Opening a store file: nothing of it is changed before it is known to be sound.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, ReadableDatabase, RepairSession, StorageBackend};

use super::disk_file::DiskFile;
use super::engine::Engine;
use super::failure::guarded;
use super::medium::Medium;
use super::open_error::{OpenCause, OpenError};
use super::tables::{self, FORMAT_VERSION};

/// Memory that redb may use for pages of the file: 64 MiB.
const CACHE_BYTES: usize = 64 * 1_024 * 1_024;

/// A file up to this size, 256 MiB, is verified page by page each time it is opened, which takes up to a second. A larger
/// one is verified after a crash only.
const VERIFIED_BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// The file at `path`, locked against other processes.
pub(super) fn locked_file(path: &Path) -> Result<DiskFile, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| OpenError::from_io(path, error))?;
    lock(&file).map_err(|cause| cause.at(path))?;
    DiskFile::open(file).map_err(|error| OpenCause::from(error).at(path))
}

/// The lock goes with the file's last handle.
pub(super) fn lock(file: &File) -> Result<(), OpenCause> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenCause::InUse,
        TryLockError::Error(error) => OpenCause::Io(error),
    })
}

/// Opens what is in `backend`, brings it to its last commit, and checks it.
pub(super) fn existing(backend: impl StorageBackend) -> Result<Engine, OpenCause> {
    if backend.len().map_err(OpenCause::from_io)? == 0 {
        return Err(OpenCause::Damaged("it is empty".to_owned()));
    }
    let medium = Medium::holding(backend).map_err(OpenCause::from_io)?;
    let database = database(&medium)?;
    check_format(guarded(|| tables::format(&database.begin_read()?))?)?;
    medium.release().map_err(OpenCause::from_io)?;
    Ok(Engine::new(medium, database))
}

/// Opens the database in `medium`; a new one if it is empty. After a crash, redb verifies all of it and, if the last
/// state is not whole, goes back to the one before, for which alone a commit was acknowledged. After a shutdown in order
/// it does not go back, and [`VERIFIED_BYTES_MAX`] decides whether all is verified.
pub(super) fn database(medium: &Arc<Medium>) -> Result<Database, redb::Error> {
    guarded(|| {
        let handle = medium.handle();
        let verify = handle.len()? <= VERIFIED_BYTES_MAX;
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(verify);
        if !verify {
            builder.set_repair_callback(tell_repair);
        }
        Ok(builder.create_with_backend(handle)?)
    })
}

/// Says why the start takes longer: redb calls this several times while it verifies what a crash has left of a large file.
fn tell_repair(session: &mut RepairSession) {
    let percent = format!("{:.0}", session.progress() * 100.0);
    tracing::info!(percent, "the store was not closed in order, as after a crash: all of it is verified");
}

fn check_format(found: Option<u64>) -> Result<(), OpenCause> {
    match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) if found > FORMAT_VERSION => Err(OpenCause::Newer { found, supported: FORMAT_VERSION }),
        Some(_) | None => Err(OpenCause::Damaged("it has no known format version".to_owned())),
    }
}
