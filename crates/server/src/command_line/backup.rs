//! What can be said of backups.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use crypto::age::Recipient;

use super::Connection;

/// How backups are made, as `--help` tells.
pub(super) const BACKING_UP: &str = "\
Without --data-dir and --config the running service is called, with the credentials of your AWS profile; policies decide about
it: keywright:CreateBackup. It encrypts to the recipients in its setting backup.recipients and to nobody else. With one of the
two the command opens the folder itself; then the service must be stopped.

Not in a backup: contents of objects that lie upstream, files that are delivered elsewhere than in the data folder, the first
administrator's profile, development certificates, and the passphrase of the root, without which a protected root opens
nothing.";

/// How backups are restored, as `--help` tells.
pub(super) const RESTORING: &str = "\
The restored service is as the old one was when the backup was made: keys that were disabled or deleted since, access keys and
policies that were taken back, are as they were; deletions that have become due are carried out when it starts. Two services
from one backup must not run at the same time if contents of objects lie upstream: each deletes there what it does not know.

Exit codes:
  0  everything is restored and was looked over
  2  the command line is wrong
  3  the folder is not empty, or cannot be written
  8  the backup cannot be restored: it is none, was cut off or changed, is for others, or from a newer Keywright";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backup {
    #[command(subcommand)]
    pub(crate) other: Option<BesideBackup>,
    #[command(flatten)]
    pub(crate) create: CreateBackup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BesideBackup {
    /// Make a key pair for backups: the file, which opens them, and the recipient, to which they are encrypted
    NewIdentity(NewIdentity),
}

#[derive(Args, Debug)]
pub(crate) struct CreateBackup {
    /// The file that is made; `-` is standard output
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// Folder of a service that is stopped
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML) of a service that is stopped
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Who can open the backup: an age recipient (`age1…`); for a stopped service, and only if its configuration names none
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<Recipient>,
    /// File with recipients, one in each line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

impl CreateBackup {
    /// Whether the command opens the folder itself.
    pub(crate) fn is_of_stopped_service(&self) -> bool {
        self.data_dir.is_some() || self.config.is_some()
    }
}

#[derive(Args, Debug)]
pub(crate) struct NewIdentity {
    /// The file that is made; it must not be there yet
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The backup; `-` is standard input
    pub(crate) backup: PathBuf,
    /// The folder that is made; it may be there if it is empty
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: PathBuf,
    /// File with the identity that opens the backup (`AGE-SECRET-KEY-1…`)
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: PathBuf,
    /// Contents of objects lie upstream, and the service that was backed up is gone for good
    #[arg(long)]
    pub(crate) take_over_upstream: bool,
}
