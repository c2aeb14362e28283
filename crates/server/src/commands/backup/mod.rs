//! `keywright backup` and `keywright restore`.

mod create;
mod identity;
mod output;
mod restore;

use std::path::PathBuf;

pub(super) use create::create;
pub(super) use identity::new_identity;
pub(super) use restore::restore;

/// A command about backups cannot do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupCommandError {
    #[error(
        "--recipient and --recipients-file are for a stopped service, with --data-dir or --config: the running one encrypts \
             to the recipients in its setting backup.recipients and to nobody else"
    )]
    RecipientsOfRunning,
    #[error("{} is there already; name another file", .0.display())]
    Exists(PathBuf),
    #[error("{} cannot be {action}: {source}", path.display())]
    File { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{} cannot be written: {source}; nothing of it was kept", path.display())]
    Written { path: PathBuf, source: std::io::Error },
    #[error("line {line} of {} is no age identity of the kind X25519; one that is protected with a passphrase is opened with `age -d` before", path.display())]
    NoIdentity { path: PathBuf, line: usize },
    #[error("{} holds no identity; it is the file that `keywright backup new-identity` or age-keygen made", .0.display())]
    NoIdentities(PathBuf),
    #[error("the backup was cut off by the service, whose log says why; nothing of it was kept: {0}")]
    CutOff(String),
    #[error("the data folder {} was not closed in order; start the service once, stop it, and make the backup then", .0.display())]
    NoRoot(PathBuf),
    #[error("there are no random bytes: {0}")]
    Randomness(#[from] base::RandomnessUnavailable),
}

impl BackupCommandError {
    fn file(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, action, source }
    }

    fn written(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Written { path, source }
    }
}
