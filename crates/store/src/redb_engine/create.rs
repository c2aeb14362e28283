//! Making a new store file.
//!
//! It is made beside its place and moved there when it is whole, so that a file at the place is always a store: after a
//! crash, an empty or torn one is damage and never a beginning.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, ReadTransaction, StorageBackend};

use super::engine::Engine;
use super::failure::guarded;
use super::medium::Medium;
use super::open;
use super::open_error::{OpenCause, OpenError};
use super::tables;

/// Readable and writable by its owner alone.
const MODE: u32 = 0o600;

/// Makes an empty store at `path`, unless another process does so first.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let scratch = scratch_path(path);
    let failed = |error| OpenError::from_io(path, error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(&scratch)
        .map_err(failed)?;
    open::lock(&file).map_err(|cause| cause.at(path))?;
    if path.try_exists().map_err(failed)? {
        return Ok(());
    }
    // What a crash left behind.
    file.set_len(0).map_err(failed)?;
    let made = fill_file(file).map_err(|error| OpenCause::from(error).at(path));
    if made.is_err() {
        // It is in the way of nothing; the next attempt begins with it.
        let _ = fs::remove_file(&scratch);
    }
    made?;
    fs::rename(&scratch, path).and_then(|()| sync_directory_of(path)).map_err(failed)
}

/// Makes an empty store in `backend`, for good as long as the backend lives.
pub(super) fn on_backend(backend: impl StorageBackend) -> Result<Engine, OpenCause> {
    let (medium, database) = fill(backend)?;
    Ok(Engine::new(medium, database))
}

/// Fills an empty file with all that is in one state of a store, and brings it to its end in order.
pub(super) fn copy(state: &ReadTransaction, file: File) -> Result<(), redb::Error> {
    let (_medium, database) = fill(FileBackend::new(file)?)?;
    guarded(|| {
        let change = database.begin_write()?;
        tables::copy(state, &change)?;
        change.commit()?;
        Ok(database.close()?)
    })
}

fn fill(backend: impl StorageBackend) -> Result<(Arc<Medium>, Database), redb::Error> {
    let medium = Medium::passing(backend);
    let database = open::database(&medium)?;
    guarded(|| {
        let change = database.begin_write()?;
        tables::make(&change)?;
        Ok(change.commit()?)
    })?;
    Ok((medium, database))
}

fn fill_file(file: File) -> Result<(), redb::Error> {
    let (_medium, database) = fill(FileBackend::new(file)?)?;
    guarded(|| Ok(database.close()?))
}

fn scratch_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    PathBuf::from(name)
}

/// The entry in the directory must be as durable as what the file holds.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
