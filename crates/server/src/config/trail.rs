//! The settings of the audit trail.

use std::time::Duration;

use audit::log::{Durability, LogSettings};
use audit::trails::TrailName;

use super::ConfigError;
use super::check::Check;
use super::settings::TrailSettings;

const NAME: &str = "keywright";
const BUCKET: &str = "keywright-trail";
const MEBIBYTE: u64 = 1_024 * 1_024;

/// How the trail is kept.
#[derive(Clone, Debug)]
pub(crate) struct TrailChoice {
    pub(crate) log: LogSettings,
    /// The name of the operator's trail.
    pub(crate) name: TrailName,
    /// The bucket that trails say they deliver to.
    pub(crate) bucket: String,
    /// How far back events can be looked up, in days.
    pub(crate) lookup_days: u32,
}

impl Check<'_> {
    pub(super) fn trail(&self, settings: &TrailSettings) -> Result<TrailChoice, ConfigError> {
        let interval = settings.sync_interval_milliseconds;
        let interval: u64 = self.fits("trail.sync_interval_milliseconds", interval, 0..=60_000)?;
        let wait: u64 = self.fits("trail.wait_max_seconds", settings.wait_max_seconds, 1..=60)?;
        let size: u64 = self.fits("trail.segment_mebibytes", settings.segment_mebibytes, 1..=1_024)?;
        let durability = match interval {
            0 => Durability::EachReply,
            interval => Durability::Interval(Duration::from_millis(interval)),
        };
        let (wait_max, segment_bytes) = (Duration::from_secs(wait), size * MEBIBYTE);
        Ok(TrailChoice {
            log: LogSettings { durability, wait_max, segment_bytes },
            name: NAME.parse().map_err(|error| self.problem("trail.name", format!("is wrong: {error}")))?,
            bucket: BUCKET.to_owned(),
            lookup_days: self.fits("trail.lookup_days", settings.lookup_days, 1..=36_500)?,
        })
    }
}
