//! Why the program ended, as one sentence and one exit code.

use audit::TrailError;
use crypto::root::RootError;
use identity::IdentityError;
use keyring::KeyringError;
use kms::KmsError;
use objects::{FolderError, HomeError};
use store::redb_engine::OpenError;

use crate::attestation_roots::AttestationRootsError;
use crate::backup::{BackupError, RecipientsError, RestoreError};
use crate::bucket_client::BucketError;
use crate::client::ClientError;
use crate::commands::{
    BackupCommandError, ClockError, NoSuchKey, PolicyLintError, RewrapError, SeedConversionError,
    TrailReadError, VerifyTrailError,
};
use crate::config::ConfigError;
use crate::data_folder::DataFolderError;
use crate::export::SendError;
use crate::http::ListenError;
use crate::key_sets::KeySetsError;
use crate::organization::OrganizationError;
use crate::passphrase::PassphraseError;
use crate::seed::{ApplyError, SeedError};
use crate::tls::TlsError;
use crate::upstream::UpstreamError;

/// The exit codes, as `--help` tells them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  ended in good order
  1  something unexpected
  2  the command line or the configuration is wrong
  3  the data folder cannot be used: damaged, in use, not permitted, or the disk is full
  4  the root cannot be opened: the passphrase is missing or wrong
  5  the listener cannot be set up: the address is in use, or the TLS files are wrong
  6  a policy was looked over and has errors or warnings
  7  the trail was verified and is not as it was written
  8  a backup cannot be restored: it is none, was cut off or changed, is for others, or from a newer Keywright";

/// Any failure of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    AttestationRoots(#[from] AttestationRootsError),
    #[error("no backup was made: {0}")]
    Backup(#[from] BackupError),
    #[error(transparent)]
    BackupCommand(#[from] BackupCommandError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error("the task that does due work and writes the trail has failed; see the log")]
    Chores,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error("events cannot be sent on: {0}")]
    Export(#[from] SendError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    KeySets(#[from] KeySetsError),
    #[error(transparent)]
    Kms(#[from] KmsError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("metrics cannot be read at {address}: {source}; choose another address in [metrics] listen")]
    Metrics { address: std::net::SocketAddr, source: std::io::Error },
    #[error(
        "this build is for measuring alone and does not encrypt the contents of objects; it serves only with --dev"
    )]
    MeasuringBuild,
    #[error(
        "memory cannot be locked: {0}; permit it (LimitMEMLOCK=infinity for systemd, `ulimit -l unlimited`, \
         CAP_IPC_LOCK for a container), or set [process] lock_memory to false"
    )]
    MemoryLock(std::io::Error),
    #[error(transparent)]
    NoSuchKey(#[from] NoSuchKey),
    #[error(transparent)]
    Objects(#[from] FolderError),
    #[error(transparent)]
    HomeOfObjects(#[from] HomeError),
    #[error(transparent)]
    Organization(#[from] OrganizationError),
    #[error(transparent)]
    PolicyLint(#[from] PolicyLintError),
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    #[error("{0}; nothing was restored")]
    Restore(RestoreError),
    #[error(transparent)]
    Rewrap(RewrapError),
    #[error(transparent)]
    Root(PassphraseError),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error(transparent)]
    SeedApply(#[from] ApplyError),
    #[error(transparent)]
    SeedConversion(#[from] SeedConversionError),
    #[error("stopped at once by a second signal; requests that were running may have been cut off")]
    SecondSignal,
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("the system does not give what the program needs to run: {0}")]
    System(#[source] std::io::Error),
    #[error(transparent)]
    Tls(TlsError),
    #[error(transparent)]
    Trail(#[from] TrailError),
    #[error(transparent)]
    VerifyTrail(#[from] VerifyTrailError),
    #[error(transparent)]
    TrailRead(#[from] TrailReadError),
}

impl StartError {
    /// The code of [`EXIT_CODES`].
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(
                ClientError::Profile(_) | ClientError::Endpoint(_) | ClientError::Certificate { .. },
            ) => 2,
            Self::Chores
            | Self::Backup(_)
            | Self::BackupCommand(
                BackupCommandError::CutOff(_)
                | BackupCommandError::Randomness(_)
                | BackupCommandError::Written { .. },
            )
            | Self::Client(_)
            | Self::Clock(_)
            | Self::Rewrap(_)
            | Self::SecondSignal
            | Self::System(_) => 1,
            Self::PolicyLint(PolicyLintError::Found { .. }) => 6,
            Self::VerifyTrail(VerifyTrailError::Found(_)) => 7,
            Self::BackupCommand(BackupCommandError::NoRoot(_)) => 3,
            Self::Restore(RestoreError::Upstream) => 2,
            Self::Restore(_) => 8,
            Self::AttestationRoots(_)
            | Self::BackupCommand(_)
            | Self::Bucket(_)
            | Self::Config(_)
            | Self::Export(_)
            | Self::HomeOfObjects(HomeError::Elsewhere(_))
            | Self::KeySets(_)
            | Self::MeasuringBuild
            | Self::MemoryLock(_)
            | Self::NoSuchKey(_)
            | Self::Organization(_)
            | Self::PolicyLint(_)
            | Self::Recipients(_)
            | Self::Seed(_)
            | Self::SeedConversion(_)
            | Self::VerifyTrail(_)
            | Self::TrailRead(TrailReadError::Moment(_)) => 2,
            Self::DataFolder(_)
            | Self::HomeOfObjects(_)
            | Self::Identity(_)
            | Self::Kms(_)
            | Self::Objects(_)
            | Self::SeedApply(_)
            | Self::Store(_)
            | Self::Trail(_)
            | Self::TrailRead(_) => 3,
            Self::Keyring(KeyringError::WrongRoot) | Self::Root(_) => 4,
            Self::Keyring(_) => 3,
            Self::Listen(_) | Self::Metrics { .. } | Self::Tls(_) => 5,
        }
    }
}

impl From<UpstreamError> for StartError {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Bucket(error) => Self::Bucket(error),
            UpstreamError::Folder(error) => Self::Objects(error),
        }
    }
}

impl From<RestoreError> for StartError {
    /// That the folder cannot be used is no fault of the backup.
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Folder(error) => Self::DataFolder(error),
            other @ (RestoreError::Open(_)
            | RestoreError::Read(_)
            | RestoreError::Foreign(_)
            | RestoreError::Newer(_)
            | RestoreError::Upstream
            | RestoreError::Misplaced(_)
            | RestoreError::Twice(_)
            | RestoreError::Missing(_)
            | RestoreError::MissingContents(_)
            | RestoreError::Store(_)
            | RestoreError::Records(_)
            | RestoreError::Root(_)) => Self::Restore(other),
        }
    }
}

impl From<RewrapError> for StartError {
    fn from(error: RewrapError) -> Self {
        match error {
            RewrapError::Client(error) => Self::Client(error),
            other @ (RewrapError::Left(_) | RewrapError::Stopped(_) | RewrapError::Task(_)) => {
                Self::Rewrap(other)
            }
        }
    }
}

impl From<PassphraseError> for StartError {
    /// That the root's file cannot be read or written is trouble with the folder, not with the passphrase.
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Root(RootError::Io { what: "write", path, source }) => {
                Self::DataFolder(DataFolderError::of_file(&path, "written", source))
            }
            PassphraseError::Root(RootError::Io { path, source, .. }) => {
                Self::DataFolder(DataFolderError::of_file(&path, "read", source))
            }
            other @ (PassphraseError::Unreadable { .. }
            | PassphraseError::Empty
            | PassphraseError::Differ
            | PassphraseError::NoTerminal
            | PassphraseError::Needed
            | PassphraseError::Root(_)) => Self::Root(other),
        }
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::DataFolder(error) => Self::DataFolder(error),
            other @ (TlsError::Unreadable { .. } | TlsError::Unusable { .. } | TlsError::NotMade(_)) => {
                Self::Tls(other)
            }
        }
    }
}
