//! The settings of the audit trail.

use std::time::Duration;

use audit::log::{Durability, LogSettings};

use super::ConfigError;
use super::check::Check;
use super::settings::TrailSettings;

const MEBIBYTE: u64 = 1_024 * 1_024;

/// How the trail is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrailChoice {
    pub(crate) log: LogSettings,
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
        Ok(TrailChoice { log: LogSettings { durability, wait_max, segment_bytes } })
    }
}
