//! The settings of the audit trail.

use std::time::Duration;

use audit::log::{Durability, LogSettings};

use super::check::Check;
use super::settings::Settings;
use super::{ConfigError, DeliveryChoice};
use crate::export::ExportChoice;

const MEBIBYTE: u64 = 1_024 * 1_024;

/// How the trail is kept, and where its events are sent on.
#[derive(Clone, Debug)]
pub(crate) struct TrailChoice {
    pub(crate) log: LogSettings,
    pub(crate) export: ExportChoice,
    pub(crate) delivery: DeliveryChoice,
}

impl Check<'_> {
    pub(super) fn trail(&self, all: &Settings) -> Result<TrailChoice, ConfigError> {
        let settings = &all.trail;
        let interval = settings.sync_interval_milliseconds;
        let interval: u64 = self.fits("trail.sync_interval_milliseconds", interval, 0..=60_000)?;
        let wait: u64 = self.fits("trail.wait_max_seconds", settings.wait_max_seconds, 1..=60)?;
        let size: u64 = self.fits("trail.segment_mebibytes", settings.segment_mebibytes, 1..=1_024)?;
        let durability = match interval {
            0 => Durability::EachReply,
            interval => Durability::Interval(Duration::from_millis(interval)),
        };
        let (wait_max, segment_bytes) = (Duration::from_secs(wait), size * MEBIBYTE);
        let log = LogSettings { durability, wait_max, segment_bytes };
        Ok(TrailChoice { log, export: self.export(&settings.export)?, delivery: self.delivery(all)? })
    }
}
