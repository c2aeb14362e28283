//! What can be wrong with a root file.

use std::io;
use std::path::{Path, PathBuf};

use base::RandomnessUnavailable;

use super::passphrase::DerivationError;

/// Why there is no root key, or no changed file. Every text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// There is no such file.
    #[error("there is no root file at {}", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// A root file is never overwritten by a new root.
    #[error("there is already a root file at {}; a new one never replaces it", path.display())]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// Group or others have a permission on the file.
    #[error("the root file is open to others (mode {mode:04o}); run: chmod 600 '{}'", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A later release wrote the file.
    #[error("the root file {} has version {version}, which this release cannot read; use a newer release", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The file is not what was once written.
    #[error("the root file {} is damaged; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file needs a passphrase and none was given.
    #[error("the root file {} is protected by a passphrase, and none was given", path.display())]
    PassphraseNeeded {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase was given for a file that has none: whoever gave it believes the file to be protected.
    #[error(
        "a passphrase was given, but the root file {} is not protected by one; leave the passphrase out or protect the file with it",
        path.display()
    )]
    PassphraseUnused {
        /// The file.
        path: PathBuf,
    },
    /// The file is whole, but this passphrase does not open it.
    #[error("the passphrase does not open the root file {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// Deriving a key from a passphrase needs memory on purpose.
    #[error(
        "turning the passphrase into a key needs {memory_kib} KiB of memory, which the system did not give"
    )]
    OutOfMemory {
        /// How much was needed.
        memory_kib: u32,
    },
    /// The file system's fault.
    #[error("cannot {what} the root file {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The cryptography library refused, which it never does for input within the limits.
    #[error("the cryptography library refused to seal the root key")]
    Library,
}

impl RootError {
    pub(super) fn reading(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if source.kind() == io::ErrorKind::NotFound {
            Self::Missing { path }
        } else {
            Self::Io { what: "read", path, source }
        }
    }

    pub(super) fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if source.kind() == io::ErrorKind::AlreadyExists {
            Self::Exists { path }
        } else {
            Self::Io { what: "write", path, source }
        }
    }
}

impl From<DerivationError> for RootError {
    fn from(error: DerivationError) -> Self {
        match error {
            DerivationError::EmptyPassphrase => Self::EmptyPassphrase,
            DerivationError::OutOfMemory { memory_kib } => Self::OutOfMemory { memory_kib },
            DerivationError::Refused => Self::Library,
        }
    }
}
