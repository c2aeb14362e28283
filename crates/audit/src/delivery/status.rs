//! How delivery fares.

use std::collections::BTreeSet;

use base::Timestamp;

use super::log_reader::LogBreak;

/// Places of which it is remembered that they were told; more than those are told again.
const TOLD_MAX: usize = 1_000;

/// How delivery fares, for health, metrics and GetTrailStatus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// When the last file was delivered since the start.
    pub last_delivery: Option<Timestamp>,
    /// When the last digest was made since the start.
    pub last_digest: Option<Timestamp>,
    /// Since when every turn failed.
    pub failing_since: Option<Timestamp>,
    /// Why the last one did.
    pub failure: Option<String>,
    /// The number of the first event that is not delivered.
    pub next: u64,
    /// How many places were found since the start where the log is not as it was written.
    pub breaks: u64,
    /// The last of them.
    pub last_break: Option<String>,
    told: BTreeSet<String>,
}

impl DeliveryStatus {
    pub(super) fn failed(&mut self, now: Timestamp, failure: String) {
        if self.failing_since.is_none() {
            tracing::error!(
                failure,
                "the trail's events cannot be delivered; they stay in the log until they can"
            );
        }
        self.failing_since.get_or_insert(now);
        self.failure = Some(failure);
    }

    pub(super) fn succeeded(&mut self) {
        if self.failing_since.take().is_some() {
            tracing::info!("the trail's events are delivered again");
        }
        self.failure = None;
    }

    /// Says once of each place that the log is broken there.
    pub(super) fn broken(&mut self, found: &LogBreak) {
        let text = found.to_string();
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        if self.told.insert(text.clone()) {
            tracing::error!(
                place = text,
                "the audit log is not as it was written; delivery goes on behind the place: keep the log's folder as \
                 evidence and run `keywright trail verify`"
            );
            self.breaks += 1;
            self.last_break = Some(text);
        }
    }
}
