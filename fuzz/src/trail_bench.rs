//! A trail on the disk: a log of several segments with their indexes, and what was delivered of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::delivery::{
    Deliverer, DeliveryParts, FolderDestination, PublicDigestKey, Retention, all_public_keys,
};
use audit::index::Index;
use audit::log::{Entry, Log, LogSettings};
use audit::trails::BuiltInTrail;
use audit::verification::{Known, known};
use base::Timestamp;
use crypto::SystemRandomness;
use crypto::root::{Protection, RootFile};
use keyring::DomainKeys;
use store::Store;
use store::redb_engine::RedbStore;
use tempfile::TempDir;

use crate::scratch::folder;

/// Small, so that a few events fill some.
const SEGMENT_BYTES: u64 = 8_000;
const EVENTS_EACH: usize = 25;
const HOUR: i64 = 3_600;

pub(crate) struct TrailBench {
    place: TempDir,
    pub(crate) public_keys: Vec<PublicDigestKey>,
    pub(crate) known: Known,
}

/// 2026-11-27T19:00:00Z, when the first event happens.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::from_seconds(1_795_806_000)
}

/// When everything was delivered.
pub(crate) fn end() -> Timestamp {
    beginning().plus_seconds(4 * HOUR)
}

impl TrailBench {
    pub(crate) fn new() -> Self {
        let place = folder();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory().unwrap());
        let (public_keys, known) = runtime.block_on(async {
            fill(place.path(), &store).await;
            (all_public_keys(&*store).await.unwrap(), known(&*store).await.unwrap())
        });
        Self { place, public_keys, known }
    }

    /// The folder of the log.
    pub(crate) fn log(&self) -> PathBuf {
        log_in(self.place.path())
    }

    /// The folder of delivered files.
    pub(crate) fn delivered(&self) -> PathBuf {
        delivered_in(self.place.path())
    }
}

fn log_in(place: &Path) -> PathBuf {
    place.join("log")
}

fn delivered_in(place: &Path) -> PathBuf {
    place.join("delivered")
}

/// Logs for three hours, and delivers after each, so that every file has its digest.
async fn fill(place: &Path, store: &Arc<dyn Store>) {
    let settings = LogSettings { segment_bytes: SEGMENT_BYTES, ..LogSettings::default() };
    let log = Log::open(&log_in(place), settings).unwrap();
    let deliverer = deliverer(place, store, &log);
    for hour in 0..3 {
        for number in 0..EVENTS_EACH {
            let event = event(hour * EVENTS_EACH + number);
            log.append(vec![Entry { event: event.into_bytes(), decisions: None }]).await.unwrap();
        }
        deliverer.deliver(beginning().plus_seconds(HOUR * i64::try_from(hour).unwrap() + 60)).await.unwrap();
    }
    deliverer.deliver(end()).await.unwrap();
    Index::of_log(&log).catch_up().unwrap();
    log.close();
}

fn deliverer(place: &Path, store: &Arc<dyn Store>, log: &Log) -> Deliverer {
    let randomness = Arc::new(SystemRandomness::new());
    let root = RootFile::create(&place.join("root"), Protection::Plain, &*randomness).ok().unwrap();
    let domain_keys = DomainKeys::new(Arc::clone(store), root.unlock(None).ok().unwrap(), randomness);
    let trail = BuiltInTrail {
        name: "keywright".parse().unwrap(),
        home_region: "us-east-1".parse().unwrap(),
        bucket: "trail".to_owned(),
        key_prefix: None,
    };
    Deliverer::new(DeliveryParts {
        store: Arc::clone(store),
        domain_keys: Arc::new(domain_keys),
        trails: Arc::new(trail),
        destination: Arc::new(FolderDestination::new(delivered_in(place))),
        log_folder: log_in(place),
        durable: log.durable(),
        digest_interval_seconds: 3_600,
        retention: Retention {
            log_days: 36_500,
            delivered: None,
            region: "us-east-1".parse().unwrap(),
            mark: place.join("mark"),
        },
    })
}

/// One event of two accounts and two Regions.
fn event(number: usize) -> String {
    let account = ["111122223333", "444455556666"][number % 2];
    let region = ["eu-central-1", "us-east-1"][number / 2 % 2];
    let time = beginning().plus_seconds(i64::try_from(number * 40).unwrap()).iso_extended();
    let (name, user) = (number % 3, number % 5);
    serde_json::json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": format!("u{user}"), "accessKeyId": format!("AKIA{user}")},
        "eventTime": time,
        "eventSource": "kms.amazonaws.com",
        "eventName": format!("N{name}"),
        "awsRegion": region,
        "eventID": format!("id-{number}"),
        "readOnly": name == 0,
        "resources": [{"type": "AWS::KMS::Key", "ARN": format!("arn:aws:kms:{region}:{account}:key/k{user}")}],
        "recipientAccountId": account,
        "eventCategory": "Management",
        "managementEvent": true,
        "eventType": "AwsApiCall",
    })
    .to_string()
}
