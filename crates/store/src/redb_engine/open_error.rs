//! Why a store file cannot be opened, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A store file cannot be opened. Each message is for the operator and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {} is in use by another process: stop that one first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is not what was written. The file was not changed.
    #[error("the store {} is damaged ({reason}): restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The system does not let this user open or make it.
    #[error("the store {} may not be read and written by this user: change its owner or its mode", path.display())]
    Permission {
        /// The file.
        path: PathBuf,
    },
    /// There is no space to make or recover it.
    #[error("the store {} cannot be written because the disk is full: free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote it.
    #[error(
        "the store {} has format version {found}, this release reads up to {supported}: run the newer Keywright \
         that wrote it", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that was found.
        found: u64,
        /// The newest version that this program reads.
        supported: u64,
    },
    /// Anything else that the system reports.
    #[error("the store {} cannot be opened, check the path and the disk: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        OpenCause::from_io(source).at(path)
    }
}

/// An [`OpenError`] that does not know its file yet.
#[derive(Debug)]
pub(super) enum OpenCause {
    InUse,
    Damaged(String),
    Full,
    Newer { found: u64, supported: u64 },
    Io(io::Error),
}

impl OpenCause {
    pub(super) fn from_io(error: io::Error) -> Self {
        if super::failure::is_full(&error) {
            Self::Full
        } else if super::failure::is_damage(&error) {
            Self::Damaged(error.to_string())
        } else {
            Self::Io(error)
        }
    }

    pub(super) fn at(self, path: &Path) -> OpenError {
        let path = path.to_path_buf();
        match self {
            Self::InUse => OpenError::InUse { path },
            Self::Damaged(reason) => OpenError::Damaged { path, reason },
            Self::Full => OpenError::Full { path },
            Self::Newer { found, supported } => OpenError::Newer { path, found, supported },
            Self::Io(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                OpenError::Permission { path }
            }
            Self::Io(source) => OpenError::Io { path, source },
        }
    }
}

impl From<redb::Error> for OpenCause {
    fn from(error: redb::Error) -> Self {
        if let redb::Error::Io(error) = error {
            return Self::from_io(error);
        }
        if matches!(error, redb::Error::DatabaseAlreadyOpen) {
            return Self::InUse;
        }
        // Whatever else redb finds on the way is something that no file of ours has.
        Self::Damaged(error.to_string())
    }
}
