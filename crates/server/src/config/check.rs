//! From texts and numbers to types: after this, nothing about the configuration can be wrong.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use base::{Region, SecretString};
use crypto::age::Recipient;
use figment::Figment;
use objects::HostNames;
use tracing::level_filters::LevelFilter;

use super::settings::{LimitSettings, ObjectSettings, Settings};
use super::{
    CertificateChoice, Config, ConfigError, Explanations, Limits, LogChoice, ObjectChoice, PassphraseSource,
    TlsChoice, TlsVersion, sources,
};

/// Checks each setting; `figment` knows where it came from.
pub(super) fn check(
    settings: &Settings,
    figment: &Figment,
    passphrase: Option<SecretString>,
) -> Result<Config, ConfigError> {
    let check = Check { figment };
    let default_region = check.region("default_region", &settings.default_region)?;
    let regions = settings.regions.iter().map(|name| check.region("regions", name));
    let regions = regions.collect::<Result<Vec<_>, _>>()?;
    if !regions.is_empty() && !regions.contains(&default_region) {
        let problem = format!("is {default_region}, which is not among the `regions` that are served");
        return Err(check.problem("default_region", problem));
    }
    Ok(Config {
        listen: check.address("listen", &settings.listen)?,
        data_dir: path(&settings.data_dir)
            .ok_or_else(|| check.problem("data_dir", "must name a folder".to_owned()))?,
        seed: path(&settings.seed),
        dev: settings.dev,
        default_region,
        signature_window: check.seconds("signature_window_seconds", settings.signature_window_seconds)?,
        attestation_roots: check.files("attestation_roots", &settings.attestation_roots)?,
        passphrase: check.passphrase(settings, passphrase)?,
        locks_memory: settings.process.lock_memory,
        limits: check.limits(&settings.limits)?,
        kms: check.kms(settings, &regions)?,
        objects: check.objects(&settings.objects)?,
        regions,
        tls: check.tls(settings)?,
        cors_origins: check.origins(&settings.cors.origins)?,
        organization: check.organization(&settings.organization)?,
        web_identity: check.web_identity(&settings.web_identity)?,
        explanations: check.explanations(settings)?,
        backup_recipients: check.recipients(&settings.backup.recipients)?,
        trail: check.trail(settings)?,
        metrics: match settings.metrics.listen.as_str() {
            "" => None,
            address => Some(check.address("metrics.listen", address)?),
        },
        log: check.log(settings)?,
    })
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// Turns a problem into an error that says where the setting came from.
pub(super) struct Check<'a> {
    figment: &'a Figment,
}

impl Check<'_> {
    pub(super) fn problem(&self, key: &str, problem: String) -> ConfigError {
        let origin = sources::origin(self.figment.find_metadata(key));
        ConfigError::Setting { origin, key: key.to_owned(), problem }
    }

    pub(super) fn region(&self, key: &str, name: &str) -> Result<Region, ConfigError> {
        name.parse().map_err(|error| self.problem(key, format!("holds `{name}`, but {error}")))
    }

    fn files(&self, key: &str, names: &[String]) -> Result<Vec<PathBuf>, ConfigError> {
        let file = |name: &String| {
            path(name).ok_or_else(|| self.problem(key, "holds an empty text, but must name files".to_owned()))
        };
        names.iter().map(file).collect()
    }

    fn recipients(&self, texts: &[String]) -> Result<Vec<Recipient>, ConfigError> {
        let read = |text: &String| {
            text.parse()
                .map_err(|error| self.problem("backup.recipients", format!("holds `{text}`: {error}")))
        };
        texts.iter().map(read).collect()
    }

    fn within(&self, key: &str, value: u64, min: u64, max: u64) -> Result<usize, ConfigError> {
        self.fits(key, value, min..=max)
    }

    /// A number within bounds, as the program has it.
    pub(super) fn fits<T: TryFrom<u64>>(
        &self,
        key: &str,
        value: u64,
        bounds: RangeInclusive<u64>,
    ) -> Result<T, ConfigError> {
        let (min, max) = (bounds.start(), bounds.end());
        let outside = || self.problem(key, format!("is {value}, but must be from {min} to {max}"));
        let fitting = T::try_from(value).ok().filter(|_| bounds.contains(&value));
        fitting.ok_or_else(outside)
    }

    fn seconds(&self, key: &str, value: u64) -> Result<Duration, ConfigError> {
        self.within(key, value, 1, 3_600).map(|_| Duration::from_secs(value))
    }

    fn passphrase(
        &self,
        settings: &Settings,
        environment: Option<SecretString>,
    ) -> Result<Option<PassphraseSource>, ConfigError> {
        let file = path(&settings.root.passphrase_file);
        match (file, environment, settings.root.passphrase_prompt) {
            (None, None, false) => Ok(None),
            (Some(file), None, false) => Ok(Some(PassphraseSource::File(file))),
            (None, Some(text), false) => Ok(Some(PassphraseSource::Environment(text))),
            (None, None, true) => Ok(Some(PassphraseSource::Prompt)),
            _ => {
                let problem = "is given besides another source: choose one of `root.passphrase_file`, \
                     `root.passphrase_prompt` and KEYWRIGHT_PASSPHRASE";
                let prompt = settings.root.passphrase_prompt;
                let key = if prompt { "root.passphrase_prompt" } else { "root.passphrase_file" };
                Err(self.problem(key, problem.to_owned()))
            }
        }
    }

    fn limits(&self, limits: &LimitSettings) -> Result<Limits, ConfigError> {
        let body_max = self.within("limits.body_max_bytes", limits.body_max_bytes, 1_024, 16_777_216)?;
        Ok(Limits {
            body_max,
            body_memory_max: self.within(
                "limits.body_memory_max_bytes",
                limits.body_memory_max_bytes,
                limits.body_max_bytes,
                1 << 40,
            )?,
            header_max: self.within("limits.header_max_bytes", limits.header_max_bytes, 8_192, 1_048_576)?,
            header_count_max: self.within("limits.header_max_count", limits.header_max_count, 20, 1_000)?,
            connections_max: self.within("limits.connections_max", limits.connections_max, 1, 100_000)?,
            header_read_timeout: self
                .seconds("limits.header_read_timeout_seconds", limits.header_read_timeout_seconds)?,
            body_read_timeout: self
                .seconds("limits.body_read_timeout_seconds", limits.body_read_timeout_seconds)?,
            request_deadline: self
                .seconds("limits.request_deadline_seconds", limits.request_deadline_seconds)?,
            idle_timeout: self.seconds("limits.idle_timeout_seconds", limits.idle_timeout_seconds)?,
            shutdown_timeout: self
                .seconds("limits.shutdown_timeout_seconds", limits.shutdown_timeout_seconds)?,
        })
    }

    fn objects(&self, objects: &ObjectSettings) -> Result<ObjectChoice, ConfigError> {
        let names = objects.host_names.iter().map(String::as_str);
        let host_names = HostNames::new(names).map_err(|invalid| {
            let problem = format!("holds {:?}, but {invalid}", objects.host_names);
            self.problem("objects.host_names", problem)
        })?;
        let seconds = objects.bucket_key_seconds;
        Ok(ObjectChoice {
            blocks_customer_keys: objects.block_customer_keys,
            bucket_key_seconds: self.fits("objects.bucket_key_seconds", seconds, 1..=3_600)?,
            host_names,
            upstream: self.upstream(&objects.upstream)?,
        })
    }

    fn tls(&self, settings: &Settings) -> Result<Option<TlsChoice>, ConfigError> {
        let tls = &settings.tls;
        let min_version = match tls.min_version.as_str() {
            "1.2" => TlsVersion::Tls12,
            "1.3" => TlsVersion::Tls13,
            other => {
                return Err(self.problem("tls.min_version", format!("is `{other}`, but must be 1.2 or 1.3")));
            }
        };
        let certificate = match (path(&tls.certificate), path(&tls.key), tls.development) {
            (None, None, false) => return Ok(None),
            (None, None, true) => CertificateChoice::Development,
            (Some(certificate), Some(key), false) => CertificateChoice::Files { certificate, key },
            (_, _, true) => {
                let problem = "is set besides certificate files: choose one of the two";
                return Err(self.problem("tls.development", problem.to_owned()));
            }
            (Some(_), None, false) => {
                return Err(self.problem("tls.certificate", "is set, but `tls.key` is not".to_owned()));
            }
            (None, Some(_), false) => {
                return Err(self.problem("tls.key", "is set, but `tls.certificate` is not".to_owned()));
            }
        };
        Ok(Some(TlsChoice { certificate, min_version }))
    }

    fn origins(&self, origins: &[String]) -> Result<Vec<String>, ConfigError> {
        for origin in origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let plain = host.is_some_and(|host| {
                !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
            });
            if !plain {
                let problem = format!(
                    "holds `{origin}`, but an origin is a scheme, a host and a port, such as https://console.example.com"
                );
                return Err(self.problem("cors.origins", problem));
            }
        }
        Ok(origins.to_vec())
    }

    fn address(&self, key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
        text.parse().map_err(|_| {
            let problem = format!("is `{text}`, but must be an IP address and a port");
            self.problem(key, format!("{problem}, for example 127.0.0.1:4599 or [::1]:4599"))
        })
    }

    fn explanations(&self, settings: &Settings) -> Result<Explanations, ConfigError> {
        const MEBIBYTE: usize = 1_024 * 1_024;
        let mebibytes = settings.explanations.memory_max_mebibytes;
        let mebibytes = self.within("explanations.memory_max_mebibytes", mebibytes, 0, 65_536)?;
        // Whoever develops policies wants to know why something was allowed, too.
        let allowed = settings.explanations.allowed || settings.dev;
        let in_answers = settings.explanations.in_answers;
        Ok(Explanations { bytes_max: mebibytes.saturating_mul(MEBIBYTE), allowed, in_answers })
    }

    fn log(&self, settings: &Settings) -> Result<LogChoice, ConfigError> {
        let level = match settings.log.level.as_str() {
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            other => {
                let problem = format!("is `{other}`, but must be error, warn, info or debug");
                return Err(self.problem("log.level", problem));
            }
        };
        match settings.log.format.as_str() {
            "text" => Ok(LogChoice { level, json: false }),
            "json" => Ok(LogChoice { level, json: true }),
            other => Err(self.problem("log.format", format!("is `{other}`, but must be text or json"))),
        }
    }
}
