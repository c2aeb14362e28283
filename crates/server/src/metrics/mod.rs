//! What the service tells of itself in figures, for Prometheus. No label names a key, an account or a caller.

mod exposition;
mod store;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ::store::cache::CacheFigures;
use audit::log::Log;
use kms::KeyCensus;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use wire::Fault;

pub(crate) use exposition::MetricsListener;
pub(crate) use store::TimedStore;

/// The bounds of latencies: from 50 microseconds on, each twice the one before, up to more than three seconds.
fn latencies() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 2.0, 17))
}

type Latencies<L> = Family<L, Histogram, fn() -> Histogram>;

/// All figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Latencies<OperationLabels>,
    store: Latencies<StoreLabels>,
    cache_hits: Family<CacheLabels, Counter>,
    cache_misses: Family<CacheLabels, Counter>,
    log: LogMetrics,
    keys: KeyMetrics,
    is_healthy: Gauge,
    upstream_works: Family<NoLabels, Gauge>,
}

#[derive(Default)]
struct LogMetrics {
    events: Counter,
    bytes: Counter,
    syncs: Counter,
    sync_seconds: Counter<f64, AtomicU64>,
    works: Gauge,
    free_bytes: Gauge,
}

#[derive(Default)]
struct KeyMetrics {
    states: Family<StateLabels, Gauge>,
    days_until_deletion: Family<NoLabels, Gauge<f64, AtomicU64>>,
    days_until_expiry: Family<NoLabels, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    service: &'static str,
    operation: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    service: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StoreLabels {
    call: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Of a figure that is not always there.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NoLabels {}

/// How a request ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Outcome {
    Success,
    Denied,
    Throttled,
    ClientError,
    ServerError,
}

impl Outcome {
    fn of(fault: Option<&Fault>) -> Self {
        match fault {
            None => Self::Success,
            Some(fault) if fault.status >= 500 => Self::ServerError,
            Some(fault) if fault.code.starts_with("AccessDenied") => Self::Denied,
            Some(fault) if fault.code.starts_with("Throttling") => Self::Throttled,
            Some(_) => Self::ClientError,
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("keywright"),
            requests: Family::default(),
            durations: Family::new_with_constructor(latencies),
            store: Family::new_with_constructor(latencies),
            cache_hits: Family::default(),
            cache_misses: Family::default(),
            log: LogMetrics::default(),
            keys: KeyMetrics::default(),
            is_healthy: Gauge::default(),
            upstream_works: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let Self { registry, log, keys, .. } = self;
        registry.register("requests", "Requests, by operation and how they ended", self.requests.clone());
        let help = "Time from a whole request to its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, self.durations.clone());
        let help = "Time of calls of the store";
        registry.register_with_unit("store_duration", help, Unit::Seconds, self.store.clone());
        registry.register("cache_hits", "Look-ups that found something held", self.cache_hits.clone());
        registry.register("cache_misses", "Look-ups that found nothing held", self.cache_misses.clone());
        registry.register("audit_log_events", "Events that were logged", log.events.clone());
        registry.register("audit_log_bytes", "Bytes that were logged", log.bytes.clone());
        registry.register("audit_log_syncs", "Syncs of the audit log", log.syncs.clone());
        let help = "Time that syncs of the audit log took";
        registry.register("audit_log_sync_seconds", help, log.sync_seconds.clone());
        registry.register("audit_log_works", "1 if the audit log can be written", log.works.clone());
        let help = "Free bytes on the file system of the audit log";
        registry.register("audit_log_free_bytes", help, log.free_bytes.clone());
        registry.register("keys", "Keys, by state", keys.states.clone());
        let help = "Days until the next key is deleted; absent if none is";
        registry.register("key_deletion_days", help, keys.days_until_deletion.clone());
        let help = "Days until the next imported key material expires; absent if none does";
        registry.register("key_material_expiry_days", help, keys.days_until_expiry.clone());
        registry.register("healthy", "1 if /healthz says ok", self.is_healthy.clone());
        let help = "1 if what keeps objects upstream answered last; absent if nothing does";
        registry.register("objects_upstream_works", help, self.upstream_works.clone());
    }

    /// Counts a request.
    pub(crate) fn observe_request(
        &self,
        service: &'static str,
        operation: &'static str,
        fault: Option<&Fault>,
        took: Duration,
    ) {
        let outcome = Outcome::of(fault);
        self.requests.get_or_create(&RequestLabels { service, operation, outcome }).inc();
        self.durations.get_or_create(&OperationLabels { service, operation }).observe(took.as_secs_f64());
    }

    fn observe_store(&self, call: &'static str, took: Duration) {
        self.store.get_or_create(&StoreLabels { call }).observe(took.as_secs_f64());
    }

    /// Takes over what a cache has counted.
    pub(crate) fn set_cache(&self, cache: &'static str, figures: CacheFigures) {
        let set = |family: &Family<CacheLabels, Counter>, value| {
            let counter = family.get_or_create(&CacheLabels { cache }).clone();
            counter.inner().store(value, std::sync::atomic::Ordering::Relaxed);
        };
        set(&self.cache_hits, figures.hits);
        set(&self.cache_misses, figures.misses);
    }

    /// Takes over what the audit log has counted, and how much room it has.
    pub(crate) fn set_log(&self, log: &Log, free_bytes: Option<u64>) {
        let (figures, set) = (log.figures(), std::sync::atomic::Ordering::Relaxed);
        self.log.events.inner().store(figures.events, set);
        self.log.bytes.inner().store(figures.bytes, set);
        self.log.syncs.inner().store(figures.syncs, set);
        self.log.sync_seconds.inner().store(figures.sync_time.as_secs_f64().to_bits(), set);
        self.log.works.set(log.works().into());
        if let Some(free) = free_bytes {
            self.log.free_bytes.set(i64::try_from(free).unwrap_or(i64::MAX));
        }
    }

    /// Takes over how many keys there are, and in how many days something runs out.
    pub(crate) fn set_keys(&self, census: &KeyCensus, now: base::Timestamp) {
        for (state, number) in &census.states {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            self.keys.states.get_or_create(&StateLabels { state }).set(number);
        }
        // A state that no key is in any more must not keep its last number.
        for state in ["Enabled", "Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport"] {
            if !census.states.contains_key(state) {
                self.keys.states.get_or_create(&StateLabels { state }).set(0);
            }
        }
        set_days(&self.keys.days_until_deletion, census.next_deletion, now);
        set_days(&self.keys.days_until_expiry, census.next_expiry, now);
    }

    /// Whether the service calls itself healthy.
    pub(crate) fn set_health(&self, is_healthy: bool) {
        self.is_healthy.set(is_healthy.into());
    }

    /// Whether what keeps objects upstream answers.
    pub(crate) fn set_upstream(&self, works: bool) {
        self.upstream_works.get_or_create(&NoLabels {}).set(works.into());
    }

    /// Everything in the OpenMetrics text format, which Prometheus reads.
    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn set_days(
    gauge: &Family<NoLabels, Gauge<f64, AtomicU64>>,
    moment: Option<base::Timestamp>,
    now: base::Timestamp,
) {
    const SECONDS_PER_DAY: f64 = 86_400.0;
    let Some(moment) = moment else {
        gauge.clear();
        return;
    };
    let seconds = i32::try_from(moment.seconds().saturating_sub(now.seconds())).unwrap_or(i32::MAX);
    gauge.get_or_create(&NoLabels {}).set(f64::from(seconds) / SECONDS_PER_DAY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_how_they_ended() {
        let metrics = Metrics::new();
        let took = Duration::from_micros(300);
        let denied = Fault::bad_request("AccessDeniedException", "no");
        let failed = Fault::bad_request("KMSInternalException", "no").with_status(500);
        for fault in [None, None, Some(&denied), Some(&failed)] {
            metrics.observe_request("kms", "Encrypt", fault, took);
        }
        let text = metrics.text().unwrap();
        for line in [
            r#"keywright_requests_total{service="kms",operation="Encrypt",outcome="Success"} 2"#,
            r#"keywright_requests_total{service="kms",operation="Encrypt",outcome="Denied"} 1"#,
            r#"keywright_requests_total{service="kms",operation="Encrypt",outcome="ServerError"} 1"#,
            r#"keywright_request_duration_seconds_count{service="kms",operation="Encrypt"} 4"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn states_without_keys_are_told_and_dates_that_are_none_are_not() {
        let metrics = Metrics::new();
        let now = base::Timestamp::from_seconds(1_700_000_000);
        let census = KeyCensus {
            states: [("Enabled", 3), ("PendingDeletion", 1)].into(),
            next_deletion: Some(now.plus_days(7)),
            next_expiry: None,
        };
        metrics.set_keys(&census, now);
        let text = metrics.text().unwrap();
        assert!(
            text.contains("keywright_keys{state=\"Enabled\"} 3")
                && text.contains("keywright_key_deletion_days 7.0")
        );
        assert!(!text.contains("keywright_key_material_expiry_days "));
        metrics.set_keys(&KeyCensus::default(), now);
        let text = metrics.text().unwrap();
        assert!(
            text.contains("keywright_keys{state=\"Enabled\"} 0")
                && !text.contains("keywright_key_deletion_days ")
        );
    }
}
