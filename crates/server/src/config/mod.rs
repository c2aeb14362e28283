//! The configuration: a TOML file, the environment over it, the command line over both.

mod check;
mod export;
mod kms;
mod organization;
mod settings;
mod sources;
mod trail;
mod upstream;
mod web_identity;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::log::LogSettings;
use audit::trails::TrailName;
use base::{AccountId, Region, SecretString};
use crypto::age::Recipient;
use figment::Figment;
use figment::providers::Serialized;
use objects::HostNames;

use crate::export::ExportChoice;

use settings::Settings;

pub(crate) use sources::{Environment, Flags};

/// A checked configuration. It has no `Debug`: it may hold a passphrase.
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) seed: Option<PathBuf>,
    pub(crate) dev: bool,
    pub(crate) default_region: Region,
    /// The Regions that are served; empty means any well-formed name.
    pub(crate) regions: Vec<Region>,
    pub(crate) signature_window: Duration,
    /// PEM files with the roots of trust of attestation documents; empty means that none is trusted.
    pub(crate) attestation_roots: Vec<PathBuf>,
    pub(crate) passphrase: Option<PassphraseSource>,
    /// Whether no page of the memory may be swapped out.
    pub(crate) locks_memory: bool,
    pub(crate) limits: Limits,
    pub(crate) kms: ::kms::Settings,
    pub(crate) objects: ObjectChoice,
    pub(crate) tls: Option<TlsChoice>,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) web_identity: WebIdentity,
    pub(crate) organization: Option<OrganizationChoice>,
    pub(crate) explanations: Explanations,
    /// Whom backups are encrypted to, whoever makes them; none: the running service makes none.
    pub(crate) backup_recipients: Vec<Recipient>,
    pub(crate) trail: TrailChoice,
    /// Where figures are read; `None`: nowhere.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) log: LogChoice,
}

/// Where the root's passphrase comes from. At most one source is configured.
pub(crate) enum PassphraseSource {
    /// A file that holds nothing else; one line break at its end does not count.
    File(PathBuf),
    /// The variable `KEYWRIGHT_PASSPHRASE`.
    Environment(SecretString),
    /// The person at the terminal.
    Prompt,
}

/// The bounds of connections and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of one request's body.
    pub(crate) body_max: usize,
    /// Bytes of all bodies in work at the same time.
    pub(crate) body_memory_max: usize,
    /// Bytes of one request's head.
    pub(crate) header_max: usize,
    /// Header lines of one request.
    pub(crate) header_count_max: usize,
    /// Connections open at the same time.
    pub(crate) connections_max: usize,
    /// From the first byte of a head to its last; also the TLS handshake, and the wait for a first request.
    pub(crate) header_read_timeout: Duration,
    /// From the head's end to the body's.
    pub(crate) body_read_timeout: Duration,
    /// From the body's end to the answer.
    pub(crate) request_deadline: Duration,
    /// Silence between two requests.
    pub(crate) idle_timeout: Duration,
    /// From the signal to the end of the last running request.
    pub(crate) shutdown_timeout: Duration,
}

/// How S3 treats buckets and their objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectChoice {
    /// Whether new buckets refuse objects under keys that callers bring, until somebody lets them in.
    pub(crate) blocks_customer_keys: bool,
    /// How long a bucket key stays in memory.
    pub(crate) bucket_key_seconds: u32,
    /// Names below which every name is a bucket's.
    pub(crate) host_names: HostNames,
    /// Where contents are kept; in the data folder if none.
    pub(crate) upstream: Option<UpstreamChoice>,
}

/// The bucket that keeps the contents of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamChoice {
    pub(crate) bucket: String,
    /// What all names in it begin with, before a slash.
    pub(crate) prefix: Option<String>,
    pub(crate) place: BucketChoice,
}

/// How connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsChoice {
    pub(crate) certificate: CertificateChoice,
    pub(crate) min_version: TlsVersion,
}

/// Whose certificate is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateChoice {
    /// The operator's own PEM files.
    Files { certificate: PathBuf, key: PathBuf },
    /// One for localhost, made and kept in the data folder.
    Development,
}

/// The lowest TLS version that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsVersion {
    Tls12,
    Tls13,
}

/// Where the keys of identity providers come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WebIdentity {
    pub(crate) providers: Vec<KeySetChoice>,
    /// Whether the keys of other providers, whom any account can name, are fetched from where the providers say.
    pub(crate) discovery: bool,
}

/// One provider's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySetChoice {
    /// `https://…`, as in the provider's tokens.
    pub(crate) issuer: String,
    pub(crate) place: KeySetPlace,
    /// A PEM file with the authorities whose certificates are believed instead of the machine's.
    pub(crate) certificate_authority: Option<PathBuf>,
    /// A file with a token to be shown when keys are fetched.
    pub(crate) bearer_token: Option<PathBuf>,
}

/// Where the keys of a provider are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySetPlace {
    /// In a file.
    File(PathBuf),
    /// At this URL.
    Url(String),
    /// Where the provider's discovery document says.
    Discovery,
}

/// The organisation that the accounts are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrganizationChoice {
    /// `o-…`.
    pub(crate) id: String,
    /// No policy of the organisation concerns it.
    pub(crate) management_account: Option<AccountId>,
    /// What all accounts are below.
    pub(crate) root: LevelChoice,
    /// Accounts with the levels above them, from below the root down, and their own. All other accounts are below the root.
    pub(crate) members: BTreeMap<AccountId, Vec<LevelChoice>>,
}

/// The root, a unit or an account, with the files of the policies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LevelChoice {
    /// `r-…`, `ou-…` or the account's id.
    pub(crate) name: String,
    /// Whether AWS's FullAWSAccess is among the service control policies.
    pub(crate) full_aws_access: bool,
    pub(crate) service_control: Vec<PathBuf>,
    pub(crate) resource_control: Vec<PathBuf>,
}

/// Which decisions are kept with their reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Explanations {
    /// Bytes of memory for them; 0: none are kept.
    pub(crate) bytes_max: usize,
    /// Whether those that allow are kept, too.
    pub(crate) allowed: bool,
    /// Whether a denial's text carries an encoded message with its reasons.
    pub(crate) in_answers: bool,
}

/// The operator's trail: how its log is kept and for how long, and where its events are delivered and sent on.
#[derive(Clone, Debug)]
pub(crate) struct TrailChoice {
    pub(crate) log: LogSettings,
    /// Free bytes below which the service calls itself ill.
    pub(crate) free_bytes_min: u64,
    /// How far back events can be looked up, in days.
    pub(crate) lookup_days: u32,
    pub(crate) export: ExportChoice,
    pub(crate) name: TrailName,
    /// Days for which the log is kept.
    pub(crate) retention_days: u32,
    /// Days for which delivered files are kept in a folder; for ever if none.
    pub(crate) delivered_retention_days: Option<u32>,
    pub(crate) destination: DestinationChoice,
    /// The bucket that trails say they deliver to.
    pub(crate) bucket: String,
    /// What comes before `AWSLogs/`.
    pub(crate) key_prefix: Option<String>,
    pub(crate) interval: Duration,
    pub(crate) digest_interval_seconds: u32,
}

/// Where delivered files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DestinationChoice {
    Folder(PathBuf),
    Bucket(BucketChoice),
}

/// How a bucket is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketChoice {
    /// AWS's own if none.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<Region>,
    /// Whether the bucket's name is in the path, not in the host's name.
    pub(crate) path_style: bool,
    /// An access key and the file with its secret; what the machine has for AWS if none.
    pub(crate) credentials: Option<(String, PathBuf)>,
    /// A PEM file with the authorities whose certificates are believed, too.
    pub(crate) certificate_authority: Option<PathBuf>,
}

/// What is logged and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogChoice {
    pub(crate) level: tracing::level_filters::LevelFilter,
    pub(crate) json: bool,
}

/// The configuration cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("the configuration file {path} is not valid TOML{place}: {reason}")]
    NotToml { path: String, place: String, reason: String },
    #[error("{origin}: setting `{key}` {problem}")]
    Setting { origin: String, key: String, problem: String },
    #[error("the environment variable {name} {problem}")]
    Variable { name: String, problem: String },
}

impl Config {
    /// Reads all three layers and checks the result.
    ///
    /// # Errors
    /// The first problem found, with the name of the setting and of the place where it was set.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let named = environment.config_file();
        let file = file.or(named.as_deref()).map(sources::file).transpose()?;
        Self::of_layers(file, environment, flags)
    }

    /// The configuration that a file with this text would give.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub(crate) fn of_text(text: &str, environment: Environment) -> Result<Self, ConfigError> {
        Self::of_layers(Some(sources::text("text", text)?), environment, &Flags::default())
    }

    fn of_layers(
        file: Option<sources::Layer>,
        environment: Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Settings::default()));
        if let Some(layer) = file {
            figment = figment.merge(layer);
        }
        figment = figment.merge(environment.layer(&Settings::default())?).merge(flags.layer());
        let settings: Settings = figment.extract().map_err(sources::explain)?;
        check::check(&settings, &figment, environment.passphrase)
    }
}

#[cfg(test)]
mod tests;
