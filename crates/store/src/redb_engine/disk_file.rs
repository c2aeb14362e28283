//! The store's file on disk, of which nothing is believed that only the system's memory has.
//!
//! A sync that fails may have lost what it was to write, while the system goes on showing it (fsync(2), BUGS). Whoever opens the
//! file then would verify that, build on it and vouch for it, and a power cut would take it away. So the system is told to
//! forget what it keeps of the file: as soon as a sync fails, and when a file is opened that was not closed in order, for
//! whoever had it may have died in between. It is advice: where the system does not take it, all is as it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use redb::StorageBackend;
use redb::backends::FileBackend;

/// Where redb's header says, behind nine bytes of magic, that the file was not closed in order.
const FLAGS_OFFSET: u64 = 9;
const NOT_CLOSED: u8 = 2;

/// A file that is locked and open.
#[derive(Debug)]
pub(super) struct DiskFile {
    backend: FileBackend,
    /// The same file, for the advice.
    file: File,
}

impl DiskFile {
    /// Takes it as it is on the disk.
    pub(super) fn open(file: File) -> Result<Self, redb::Error> {
        if !was_closed_in_order(&file) {
            forget_cached(&file);
        }
        let backend = FileBackend::new(file.try_clone()?)?;
        Ok(Self { backend, file })
    }
}

impl StorageBackend for DiskFile {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.backend.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.backend.sync_data().inspect_err(|_| forget_cached(&self.file))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.backend.write(offset, data)
    }
}

fn was_closed_in_order(file: &File) -> bool {
    let mut flags = [0];
    file.read_exact_at(&mut flags, FLAGS_OFFSET).is_ok() && flags[0] & NOT_CLOSED == 0
}

fn forget_cached(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redb_engine::RedbStore;

    #[test]
    fn whether_a_file_was_closed_in_order_stands_in_its_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let is_closed = || was_closed_in_order(&File::open(&path).unwrap());
        let store = RedbStore::open(&path).unwrap();
        assert!(!is_closed());
        drop(store);
        assert!(is_closed());
        std::fs::write(&path, b"short").unwrap();
        assert!(!is_closed());
    }
}
