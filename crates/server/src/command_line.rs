//! The command line: what can be said, and what each word means.

mod backup;

use std::path::PathBuf;

use base::{AccountId, KeyArn, Region};
use clap::{Args, Parser, Subcommand, ValueEnum};
use policy::PolicyKind;

use crate::config::Flags;
use crate::start_error::EXIT_CODES;

pub(crate) use backup::{Backup, BesideBackup, CreateBackup, NewIdentity, Restore};

/// Keywright: a key management service that speaks the AWS KMS API.
#[derive(Debug, Parser)]
#[command(name = "keywright", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the service
    #[command(after_help = EXIT_CODES)]
    Serve(Box<Serve>),
    /// Work with the root that protects all keys; the service must be stopped
    #[command(subcommand)]
    Root(Root),
    /// Work with the domain keys, which seal the key material of a Region; the service must be stopped
    #[command(subcommand)]
    DomainKey(DomainKey),
    /// Work with the policy of a key; the service must be stopped
    #[command(subcommand)]
    KeyPolicy(KeyPolicy),
    /// Work with the clock of a service that runs with --dev
    #[command(subcommand)]
    Clock(Clock),
    /// Tell why a running service decided as it did about a request
    #[command(after_help = CREDENTIALS)]
    Explain(Explain),
    /// Tell who can do what with a key of a running service, computed from all layers of policies
    #[command(after_help = CREDENTIALS)]
    Access(Access),
    /// Tell what depends on a key of a running service: buckets, objects, uploads under way
    #[command(after_help = CREDENTIALS)]
    Usage(Usage),
    /// Work with the objects of a running service
    #[command(subcommand)]
    Objects(Objects),
    /// Read the audit trail: who did what
    #[command(subcommand)]
    Trail(Trail),
    /// Make a backup: everything that matters, in one file that recipients alone can read
    #[command(after_help = backup::BACKING_UP)]
    Backup(Box<Backup>),
    /// Make a data folder out of a backup
    #[command(after_help = backup::RESTORING)]
    Restore(Restore),
    /// Work with seed files
    #[command(subcommand)]
    Seed(Seed),
    /// Work with policy documents
    #[command(subcommand)]
    Policy(Policy),
    /// Print the version
    Version,
}

/// Flags stand over the environment (KEYWRIGHT_*), which stands over the configuration file.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Configuration file (TOML); keywright.example.toml explains every setting
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds everything [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address and port of the listener [default: 127.0.0.1:4599]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// Seed file (TOML) with accounts, users and keys that should exist
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// For tests only: access key test/test, settable clock, given key material
    #[arg(long)]
    pub(crate) dev: bool,
    /// Region of the profile that the first start writes [default: us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) default_region: Option<String>,
    /// File with the passphrase of the root
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Ask for the passphrase of the root
    #[arg(long)]
    pub(crate) passphrase_prompt: bool,
    /// Certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Make a certificate for localhost and keep it in the data folder
    #[arg(long)]
    pub(crate) tls_development: bool,
    /// error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Protect the root with a new passphrase; keys and ciphertexts stay as they are
    ChangePassphrase(ChangePassphrase),
}

/// The new passphrase comes from a file, from KEYWRIGHT_NEW_PASSPHRASE or from the terminal.
#[derive(Args, Debug)]
pub(crate) struct ChangePassphrase {
    #[command(flatten)]
    pub(crate) place: Place,
    /// File with the new passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DomainKey {
    /// Seal new key material of a Region under a new domain key
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The Region
    #[arg(long)]
    pub(crate) region: Region,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyPolicy {
    /// Put the default policy on a key whose own policy locks everybody out
    Reset(Reset),
}

#[derive(Args, Debug)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The key's ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) key: KeyArn,
}

/// Where the data is and how its root is opened.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds everything [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// File with the passphrase of the root
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Ask for the passphrase of the root
    #[arg(long)]
    pub(crate) passphrase_prompt: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clock {
    /// Move the clock forward and do the work that becomes due: rotations, deletions
    Advance(Advance),
}

#[derive(Args, Debug)]
pub(crate) struct Advance {
    /// A whole number and a unit: 90s, 15m, 12h or 30d
    pub(crate) duration: String,
    /// Where the service is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4599")]
    pub(crate) endpoint: String,
}

/// Who calls a running service, as `--help` tells.
const CREDENTIALS: &str = "\
The call is signed with the credentials of your AWS profile: AWS_PROFILE and AWS_CONFIG_FILE, or AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. Policies decide about it: keywright:ExplainRequest, keywright:ListKeyAccess, keywright:ListKeyUsage.";

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The id of the request: x-amzn-RequestId, which SDKs tell with an error, and the AWS CLI with --debug
    pub(crate) request_id: String,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Access {
    /// The key's id or ARN, or an alias
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Usage {
    /// The key's id or ARN, or an alias
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// How objects are rewrapped, as `--help` tells.
const REWRAPPING: &str = "\
The contents stay as they are; only their keys are sealed anew, each under the KMS key, of earlier versions as well. It takes
s3:ListBucketVersions, s3:GetObjectVersion, s3:PutObject and s3:UpdateObjectEncryption, kms:Decrypt with the old key and
kms:GenerateDataKey with the new one. A run that was cut off is run again: what is under the key is left alone. Point the bucket's default encryption at the new key first, or
new objects go on coming under the old one.

Exit codes:
  0  all objects are under the key, but for those of other keys (--from-key) and of customers (SSE-C)
  1  some are not, or something unexpected
  2  the command line or the profile is wrong";

#[derive(Debug, Subcommand)]
pub(crate) enum Objects {
    /// Bring the objects of a bucket, with all their versions, under another KMS key
    #[command(after_help = REWRAPPING)]
    Rewrap(Rewrap),
}

#[derive(Args, Debug)]
pub(crate) struct Rewrap {
    /// The bucket
    #[arg(long)]
    pub(crate) bucket: String,
    /// Only objects whose keys begin so
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// The KMS key that they are to be under: its id or ARN, or an alias
    #[arg(long, value_name = "KEY")]
    pub(crate) kms_key_id: String,
    /// Only objects that are under this KMS key: its id or ARN, or an alias
    #[arg(long, value_name = "KEY")]
    pub(crate) from_key: Option<String>,
    /// Use S3 Bucket Keys, also for objects that had none
    #[arg(long)]
    pub(crate) bucket_key: bool,
    /// How many objects at once
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) concurrency: u8,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Who calls a running service, and where it is.
#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// Where the service is [default: that of the profile, or http://127.0.0.1:4599]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The Region [default: that of the profile, or us-east-1]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// The profile whose credentials sign [default: AWS_PROFILE, or default]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

/// How moments can be said, as `--help` tells.
const MOMENTS: &str = "\
A moment is a time such as 2026-01-31T12:00:00Z, a day such as 2026-01-31, or how long ago it was: 90s, 15m, 12h, 30d.
The files of the data folder are read; it does not matter whether the service runs.";

#[derive(Debug, Subcommand)]
pub(crate) enum Trail {
    /// Show events as they happen, those of before first
    #[command(
        after_help = "The files of the data folder are read; it does not matter whether the service runs."
    )]
    Tail(Tail),
    /// Find events, newest first
    #[command(after_help = MOMENTS)]
    Search(Search),
    /// Find what was changed or taken away in the audit log and in delivered files
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyTrail),
}

#[derive(Args, Debug)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) log: LogPlace,
    #[command(flatten)]
    pub(crate) filter: EventFilter,
    /// How many earlier events come first
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 10)]
    pub(crate) lines: usize,
    /// For people, or for programs: a JSON object on each line
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) log: LogPlace,
    #[command(flatten)]
    pub(crate) filter: EventFilter,
    /// Not before this moment
    #[arg(long, value_name = "MOMENT")]
    pub(crate) from: Option<String>,
    /// Not after this moment
    #[arg(long, value_name = "MOMENT")]
    pub(crate) to: Option<String>,
    /// How many events at most; 0: all
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    pub(crate) limit: usize,
    /// For people, or for programs: a JSON object on each line
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

/// Where the audit log is.
#[derive(Args, Debug)]
pub(crate) struct LogPlace {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds everything [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Which events are wanted: those that meet all that is said.
#[derive(Args, Debug)]
pub(crate) struct EventFilter {
    /// Of this account
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// Of this Region
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// Of this operation, such as Decrypt
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
    /// By this user, role session or root (its name), or by whoever has this ARN
    #[arg(long, value_name = "NAME or ARN")]
    pub(crate) user: Option<String>,
    /// About this key (its id or ARN), or whatever else has this ARN
    #[arg(long, value_name = "ID or ARN")]
    pub(crate) key: Option<String>,
    /// That were refused or failed
    #[arg(long)]
    pub(crate) errors: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Seed {
    /// Convert a seed file of local-kms (YAML) and print it
    Convert(Convert),
}

#[derive(Args, Debug)]
pub(crate) struct Convert {
    /// The file to convert
    pub(crate) file: PathBuf,
    /// Account that owns the keys
    #[arg(long, default_value = "000000000000")]
    pub(crate) account: AccountId,
    /// Region of the keys
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: Region,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Look for what is probably wrong with a policy: whom it locks out or lets in, what never applies
    #[command(after_help = EXIT_CODES)]
    Lint(Lint),
}

#[derive(Args, Debug)]
pub(crate) struct Lint {
    /// The policy (JSON); - for standard input
    pub(crate) file: PathBuf,
    /// What the policy is for [default: what the document looks like]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<LintKind>,
    /// Account that owns the key or role
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// The key's ARN, of a key policy
    #[arg(long, value_name = "ARN")]
    pub(crate) key: Option<KeyArn>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

/// Without --public-keys, the keys of the store are believed, or, while the service runs, those of the file
/// trail/public-keys.json in the data folder.
#[derive(Args, Debug)]
pub(crate) struct VerifyTrail {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds everything [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Folder with delivered files [default: the destination of the configuration]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) delivered: Option<PathBuf>,
    /// File with the public keys, as `aws cloudtrail list-public-keys` prints them
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: Option<PathBuf>,
    /// File that says what was removed because it was old [default: trail/retention.json in the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) retention_mark: Option<PathBuf>,
}

impl VerifyTrail {
    pub(crate) fn flags(&self) -> Flags {
        Flags::default().path("data_dir", self.data_dir.as_deref())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintKind {
    Key,
    Identity,
    Trust,
    ServiceControl,
    ResourceControl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}

impl LintKind {
    pub(crate) fn of_policy(self) -> PolicyKind {
        match self {
            Self::Key => PolicyKind::Key,
            Self::Identity => PolicyKind::Identity,
            Self::Trust => PolicyKind::Trust,
            Self::ServiceControl => PolicyKind::ServiceControl,
            Self::ResourceControl => PolicyKind::ResourceControl,
        }
    }

    /// A kind as the command line calls it.
    pub(crate) fn name_of(kind: PolicyKind) -> &'static str {
        match kind {
            PolicyKind::Key => "key",
            PolicyKind::Bucket => "bucket",
            PolicyKind::Identity => "identity",
            PolicyKind::Trust => "trust",
            PolicyKind::ServiceControl => "service-control",
            PolicyKind::ResourceControl => "resource-control",
        }
    }
}

impl Serve {
    pub(crate) fn flags(&self) -> Flags {
        Flags::default()
            .path("data_dir", self.data_dir.as_deref())
            .text("listen", self.listen.as_deref())
            .path("seed", self.seed.as_deref())
            .switch("dev", self.dev)
            .text("default_region", self.default_region.as_deref())
            .path("root.passphrase_file", self.passphrase_file.as_deref())
            .switch("root.passphrase_prompt", self.passphrase_prompt)
            .path("tls.certificate", self.tls_certificate.as_deref())
            .path("tls.key", self.tls_key.as_deref())
            .switch("tls.development", self.tls_development)
            .text("log.level", self.log_level.as_deref())
            .text("log.format", self.log_format.as_deref())
    }
}

impl LogPlace {
    pub(crate) fn flags(&self) -> Flags {
        Flags::default().path("data_dir", self.data_dir.as_deref())
    }
}

impl Place {
    pub(crate) fn flags(&self) -> Flags {
        Flags::default()
            .path("data_dir", self.data_dir.as_deref())
            .path("root.passphrase_file", self.passphrase_file.as_deref())
            .switch("root.passphrase_prompt", self.passphrase_prompt)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_documented_commands_are_understood() {
        for line in [
            "serve",
            "serve --data-dir D --listen 127.0.0.1:1 --config F --seed S --dev",
            "serve --tls-certificate F --tls-key F",
            "serve --tls-development",
            "root change-passphrase --data-dir D",
            "domain-key rotate --data-dir D --region eu-central-1",
            "clock advance 30d",
            "clock advance 12h --endpoint http://localhost:1",
            "seed convert FILE",
            "explain 1b4e28ba-2fa1-4d2c-883f-0016d3cca427",
            "explain ID --endpoint-url http://localhost:1 --region eu-central-1 --profile p --format json",
            "access alias/app",
            "trail tail --data-dir D",
            "trail tail -n 0 --account 111122223333 --region eu-central-1 --errors --format json",
            "trail search --event Decrypt --user alice --key KEY --from 12h --to 2026-01-31 --limit 5",
            "policy lint FILE",
            "policy lint - --kind resource-control --format json",
            "policy lint FILE --account 111122223333 --key \
             arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "trail verify --data-dir D --delivered F --public-keys K --retention-mark M",
            "version",
        ] {
            let words = std::iter::once("keywright").chain(line.split(' '));
            assert!(CommandLine::try_parse_from(words).is_ok(), "{line}");
        }
    }

    #[test]
    fn kinds_are_called_alike_both_ways() {
        for kind in LintKind::value_variants() {
            let name = kind.to_possible_value().unwrap();
            assert_eq!(name.get_name(), LintKind::name_of(kind.of_policy()));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "server",
            "serve now",
            "domain-key rotate --data-dir D",
            "clock advance",
            "seed convert",
            "explain",
            "access",
            "access KEY --format yaml",
            "trail",
            "trail search alice",
            "trail tail --from 1h",
            "policy",
            "policy lint",
            "policy lint FILE --kind bucket",
            "policy lint FILE --account 1",
            "trail",
            "trail verify FOLDER",
        ] {
            let words = std::iter::once("keywright").chain(line.split(' ').filter(|word| !word.is_empty()));
            assert!(CommandLine::try_parse_from(words).is_err(), "{line}");
        }
    }
}
