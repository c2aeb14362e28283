//! Backups: everything that matters of a data folder as it is at one moment, in one file that recipients alone can read.
//!
//! A backup is a file in the format of age (`crypto::age`) around an archive in the format of tar. First comes
//! `keywright-backup.json`, which says what the archive is; then the files of the data folder under their names there,
//! `format` last. So whoever has an identity can also unpack a backup with `age` and `tar`, and has a data folder.
//!
//! What is in it: the root, sealed as it is; a copy of the store; the audit log as far as it was written, delivered files
//! that lie in the data folder, what verifies them; the contents of objects that the copied store has, unless they lie
//! upstream. What is not: the lock, indexes (they are made anew), the first administrator's profile, certificates of
//! `--tls-development`.

mod archive;
mod contents;
mod recipients;
mod restore;
mod running;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crypto::age;
use objects::BlobName;
use store::StoreError;
use store::redb_engine::OpenError;

pub(crate) use archive::write;
pub(crate) use recipients::{RecipientsError, chosen};
pub(crate) use restore::{RestoreError, Restored, restore};
pub(crate) use running::{Parts, RunningBackups};
pub(crate) use snapshot::Snapshot;

/// A backup cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("{} cannot be {action}: {source}", path.display())]
    File { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error(
        "the contents of an object are missing in the data folder ({0}): reading that object fails, and the log tells which it \
         is; delete it, then make the backup"
    )]
    MissingContents(BlobName),
    #[error(
        "the disk has too little room for a copy of the store: {free} bytes are free in the data folder, and {needed} are needed; \
         free some space"
    )]
    NoRoom { free: u64, needed: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Copy(#[from] OpenError),
    #[error("the backup cannot be encrypted: {0}")]
    Encrypt(#[from] age::EncryptError),
    #[error("the backup cannot be written: {0}")]
    Write(std::io::Error),
    #[error("the work was interrupted by the end of the process")]
    Interrupted,
}

impl BackupError {
    fn file(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, action, source }
    }
}
