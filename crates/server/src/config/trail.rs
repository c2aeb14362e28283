//! The trail: how its log is kept, for how long, where it is delivered and where events are sent on.

use std::path::PathBuf;
use std::time::Duration;

use audit::log::{Durability, LogSettings};

use super::check::{Check, path};
use super::settings::{BucketSettings, Settings, TrailSettings};
use super::{BucketChoice, ConfigError, DestinationChoice, TrailChoice};

const MEBIBYTE: u64 = 1_024 * 1_024;
const DESTINATION: &str = "trail.delivery.destination";
/// The folder inside the data folder, if nothing is said.
const FOLDER: &str = "trail/delivered";
const SCHEME: &str = "s3://";
const DAYS_MAX: u64 = 36_500;
/// By the rules of CreateTrail.
const PREFIX_MAX: usize = 200;

impl Check<'_> {
    pub(super) fn trail(&self, settings: &Settings) -> Result<TrailChoice, ConfigError> {
        let (trail, delivery) = (&settings.trail, &settings.trail.delivery);
        let (destination, bucket, key_prefix) = self.destination(settings)?;
        let delivered =
            self.fits("trail.delivered_retention_days", trail.delivered_retention_days, 0..=DAYS_MAX)?;
        if delivered > 0 && matches!(destination, DestinationChoice::Bucket(_)) {
            let problem =
                "is set, but files in a bucket are removed by a lifecycle rule of the bucket".to_owned();
            return Err(self.problem("trail.delivered_retention_days", problem));
        }
        let seconds = |key, value, most| self.fits::<u32>(key, value, 1..=most);
        let interval = seconds("trail.delivery.interval_seconds", delivery.interval_seconds, 3_600)?;
        Ok(TrailChoice {
            log: self.audit_log(trail)?,
            free_bytes_min: MEBIBYTE
                * self.fits::<u64>("trail.free_min_mebibytes", trail.free_min_mebibytes, 0..=1_048_576)?,
            lookup_days: self.fits("trail.lookup_days", trail.lookup_days, 1..=DAYS_MAX)?,
            export: self.export(&trail.export)?,
            name: trail
                .name
                .parse()
                .map_err(|error| self.problem("trail.name", format!("is wrong: {error}")))?,
            retention_days: self.fits("trail.retention_days", trail.retention_days, 1..=DAYS_MAX)?,
            delivered_retention_days: (delivered > 0).then_some(delivered),
            destination,
            bucket,
            key_prefix,
            interval: Duration::from_secs(interval.into()),
            digest_interval_seconds: seconds(
                "trail.delivery.digest_interval_seconds",
                delivery.digest_interval_seconds,
                86_400,
            )?,
        })
    }

    fn audit_log(&self, trail: &TrailSettings) -> Result<LogSettings, ConfigError> {
        let interval = trail.sync_interval_milliseconds;
        let interval: u64 = self.fits("trail.sync_interval_milliseconds", interval, 0..=60_000)?;
        let wait: u64 = self.fits("trail.wait_max_seconds", trail.wait_max_seconds, 1..=60)?;
        let size: u64 = self.fits("trail.segment_mebibytes", trail.segment_mebibytes, 1..=1_024)?;
        let durability = match interval {
            0 => Durability::EachReply,
            interval => Durability::Interval(Duration::from_millis(interval)),
        };
        Ok(LogSettings { durability, wait_max: Duration::from_secs(wait), segment_bytes: size * MEBIBYTE })
    }

    /// Where files go, the name of the bucket, and the prefix of names in it.
    fn destination(
        &self,
        settings: &Settings,
    ) -> Result<(DestinationChoice, String, Option<String>), ConfigError> {
        let delivery = &settings.trail.delivery;
        let Some(place) = delivery.destination.strip_prefix(SCHEME) else {
            self.is_bucket("trail.delivery.bucket", &delivery.bucket)?;
            let default = || PathBuf::from(&settings.data_dir).join(FOLDER);
            let folder = path(&delivery.destination).unwrap_or_else(default);
            return Ok((DestinationChoice::Folder(folder), delivery.bucket.clone(), None));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        self.is_bucket(DESTINATION, bucket)?;
        let prefix = self.prefix(DESTINATION, prefix)?;
        let choice = self.bucket("trail.delivery.s3", &delivery.s3)?;
        Ok((DestinationChoice::Bucket(choice), bucket.to_owned(), prefix))
    }

    /// A prefix of names in a bucket, if there is one.
    pub(super) fn prefix(&self, key: &str, prefix: &str) -> Result<Option<String>, ConfigError> {
        let is_plain = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!'()".contains(&byte);
            part.bytes().all(allowed) && !part.is_empty() && part != "." && part != ".."
        };
        if !prefix.is_empty() && (prefix.len() > PREFIX_MAX || !prefix.split('/').all(is_plain)) {
            let problem = format!(
                "has the prefix `{prefix}`, but a prefix has at most {PREFIX_MAX} letters, digits and -_.!'() between \
                 single slashes, and no slash at its end"
            );
            return Err(self.problem(key, problem));
        }
        Ok((!prefix.is_empty()).then(|| prefix.to_owned()))
    }

    pub(super) fn is_bucket(&self, key: &str, name: &str) -> Result<(), ConfigError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if (3..=63).contains(&name.len()) && name.bytes().all(allowed) {
            return Ok(());
        }
        let problem = format!(
            "names the bucket `{name}`, but a bucket's name has 3 to 63 lower-case letters, digits, dashes and periods"
        );
        Err(self.problem(key, problem))
    }

    /// How a bucket is reached; `table` is where in the configuration it is said.
    pub(super) fn bucket(&self, table: &str, settings: &BucketSettings) -> Result<BucketChoice, ConfigError> {
        let is_url = settings.endpoint.starts_with("https://") || settings.endpoint.starts_with("http://");
        if !settings.endpoint.is_empty() && !is_url {
            let problem = format!("is `{}`, but must begin with https:// or http://", settings.endpoint);
            return Err(self.problem(&format!("{table}.endpoint"), problem));
        }
        let credentials = match (settings.access_key_id.as_str(), path(&settings.secret_access_key_file)) {
            ("", None) => None,
            (id, Some(file)) if !id.is_empty() => Some((id.to_owned(), file)),
            _ => {
                let problem = format!("and `{table}.secret_access_key_file` must both be set, or none");
                return Err(self.problem(&format!("{table}.access_key_id"), problem));
            }
        };
        let region = match settings.region.as_str() {
            "" => None,
            name => Some(self.region(&format!("{table}.region"), name)?),
        };
        Ok(BucketChoice {
            endpoint: Some(settings.endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
            region,
            path_style: settings.path_style,
            credentials,
            certificate_authority: path(&settings.certificate_authority_file),
        })
    }
}
