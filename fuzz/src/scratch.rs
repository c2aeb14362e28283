//! Folders for inputs that are read from a disk.

use std::path::Path;

use tempfile::TempDir;

/// A new folder: in memory, where that is possible, for what reads it waits for the disk several times.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}
