//! A log, a store and a bucket, which fail when they are told to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use base::{Region, Timestamp};
use crypto::root::{Protection, RootFile};
use crypto::{RsaVerifyingKey, SystemRandomness};
use keyring::DomainKeys;
use store::redb_engine::RedbStore;
use store::{CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store};
use store::{StoreError, Transaction};
use tokio::sync::watch;

use super::super::digest::Digest;
use super::super::log_reader::Bounds;
use super::super::object::decompress;
use super::super::*;
use crate::log;
use crate::trails::{BuiltInTrail, TrailSettings, Trails};

pub(crate) const HOUR: i64 = 3_600;
/// 2026-11-27T19:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_795_806_000);

/// Tells when the time has come to fail: at the n-th call from now, and from then on.
#[derive(Default)]
pub(crate) struct Fuse {
    left: AtomicI64,
    is_set: AtomicBool,
}

impl Fuse {
    pub(crate) fn set(&self, calls: i64) {
        self.left.store(calls, Ordering::SeqCst);
        self.is_set.store(true, Ordering::SeqCst);
    }

    pub(crate) fn remove(&self) {
        self.is_set.store(false, Ordering::SeqCst);
    }

    /// Whether it was taken out.
    pub(crate) fn was_removed(&self) -> bool {
        !self.is_set.load(Ordering::SeqCst)
    }

    /// Whether it has blown.
    pub(crate) fn has_blown(&self) -> bool {
        self.is_set.load(Ordering::SeqCst) && self.left.load(Ordering::SeqCst) < 0
    }

    fn blows(&self) -> bool {
        self.is_set.load(Ordering::SeqCst) && self.left.fetch_sub(1, Ordering::SeqCst) <= 0
    }
}

/// A bucket in memory. It keeps what it is given even in the call that fails, as when an answer is lost.
#[derive(Default)]
pub(crate) struct Bucket {
    pub(crate) objects: Mutex<BTreeMap<String, Object>>,
    pub(crate) fuse: Arc<Fuse>,
    fails: AtomicBool,
    /// Up to which line the log is on disk, if that grows with each file.
    growing: Mutex<Option<watch::Sender<u64>>>,
}

impl Bucket {
    /// From now on one more event comes to the disk while a file is put.
    pub(crate) fn let_grow(&self, durable: &watch::Sender<u64>) {
        *self.growing.lock().unwrap() = Some(durable.clone());
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn content(&self, kind: &str) -> BTreeMap<String, String> {
        let objects = self.objects.lock().unwrap();
        let of_kind = objects.values().filter(|object| object.name.contains(kind));
        of_kind
            .map(|object| {
                let content = decompress(&*object.content, 1 << 30).unwrap();
                (object.name.clone(), String::from_utf8(content).unwrap())
            })
            .collect()
    }

    pub(crate) fn log_files(&self) -> BTreeMap<String, String> {
        self.content("/CloudTrail/")
    }

    pub(crate) fn digests(&self) -> BTreeMap<String, String> {
        self.content("/CloudTrail-Digest/")
    }

    pub(crate) fn digest(&self, time: &str) -> Digest {
        let found: Vec<_> = self.digests().into_iter().filter(|(name, _)| name.contains(time)).collect();
        assert_eq!(found.len(), 1, "{time}: {:?}", self.digests().keys());
        serde_json::from_str(&found[0].1).unwrap()
    }

    /// The numbers of all delivered events, in order.
    pub(crate) fn event_numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = Vec::new();
        for content in self.log_files().values() {
            let file: serde_json::Value = serde_json::from_str(content).unwrap();
            let records = file["Records"].as_array().unwrap();
            numbers.extend(
                records.iter().map(|record| record["eventID"].as_str().unwrap().parse::<u32>().unwrap()),
            );
        }
        numbers.sort_unstable();
        numbers
    }
}

#[async_trait]
impl Destination for Bucket {
    async fn put(&self, object: &Object) -> Result<(), DestinationError> {
        let failed = DestinationError {
            object: object.name.clone(),
            destination: "the bucket".to_owned(),
            reason: "told to fail".to_owned(),
        };
        if self.fails.load(Ordering::SeqCst) || self.fuse.has_blown() {
            return Err(failed);
        }
        let blows = self.fuse.blows();
        if let Some(durable) = &*self.growing.lock().unwrap() {
            durable.send_modify(|next| *next += 1);
        }
        self.objects.lock().unwrap().insert(object.name.clone(), object.clone());
        if blows { Err(failed) } else { Ok(()) }
    }
}

/// A store whose commits fail from the n-th on; the n-th itself is applied, as if the process had ended behind it.
pub(crate) struct Brittle {
    inner: RedbStore,
    fuse: Arc<Fuse>,
}

#[async_trait]
impl Store for Brittle {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        self.inner.range(range).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        let failed = || StoreError::OutcomeUnknown("told to fail".to_owned());
        if self.fuse.has_blown() {
            return Err(failed().into());
        }
        let blows = self.fuse.blows();
        let revision = self.inner.commit(transaction).await?;
        if blows { Err(failed().into()) } else { Ok(revision) }
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.inner.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.inner.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.inner.observe(observer);
    }
}

/// Trails that can be changed.
pub(crate) struct GivenTrails(pub(crate) Mutex<Vec<TrailSettings>>);

#[async_trait]
impl Trails for GivenTrails {
    async fn all(&self) -> Result<Vec<TrailSettings>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

/// Everything that delivery needs.
pub(crate) struct Bench {
    pub(crate) place: tempfile::TempDir,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) trails: Arc<GivenTrails>,
    pub(crate) store: Arc<dyn Store>,
    domain_keys: Arc<DomainKeys>,
    pub(crate) durable: watch::Sender<u64>,
    piece: usize,
    pub(crate) deliverer: Mutex<Arc<Deliverer>>,
}

pub(crate) fn event(account: u64, region: &str, number: u32) -> String {
    format!(
        "{{\"eventVersion\": \"1.11\",\"eventTime\":\"2026-11-27T18:59:{:02}Z\",\"eventSource\":\"kms.amazonaws.com\",\
         \"awsRegion\":\"{region}\",\"eventID\":\"{number}\",\"text\":\"ä\\u00e4\",\
         \"recipientAccountId\":\"{account:012}\"}}",
        number % 60
    )
}

pub(crate) fn built_in() -> TrailSettings {
    let trail = BuiltInTrail {
        name: "keywright".parse().unwrap(),
        home_region: "us-east-1".parse().unwrap(),
        bucket: "trail".to_owned(),
        key_prefix: None,
    };
    trail.settings()
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_trails(vec![built_in()])
    }

    pub(crate) fn with_pieces_of(piece: usize) -> Self {
        let bench = Self { piece, ..Self::new() };
        bench.restart();
        bench
    }

    pub(crate) fn with_trails(trails: Vec<TrailSettings>) -> Self {
        let place = tempfile::tempdir().unwrap();
        let fuse = Arc::new(Fuse::default());
        let inner = RedbStore::open(&place.path().join("store")).unwrap();
        let store: Arc<dyn Store> = Arc::new(Brittle { inner, fuse: Arc::clone(&fuse) });
        let randomness = Arc::new(SystemRandomness::new());
        let root = RootFile::create(&place.path().join("root"), Protection::Plain, &*randomness).unwrap();
        let domain_keys = DomainKeys::new(Arc::clone(&store), root.unlock(None).unwrap(), randomness);
        let bucket = Arc::new(Bucket { fuse: Arc::clone(&fuse), ..Bucket::default() });
        let parts = (Arc::new(GivenTrails(Mutex::new(trails))), Arc::new(domain_keys), watch::Sender::new(1));
        let piece = 1_000;
        let deliverer = deliverer(place.path(), &store, &parts, &bucket, piece);
        let (trails, domain_keys, durable) = parts;
        let deliverer = Mutex::new(deliverer);
        Self { place, bucket, fuse, trails, store, domain_keys, durable, piece, deliverer }
    }

    /// As after a crash: nothing in memory is left.
    pub(crate) fn restart(&self) {
        let parts = (Arc::clone(&self.trails), Arc::clone(&self.domain_keys), self.durable.clone());
        let anew = deliverer(self.place.path(), &self.store, &parts, &self.bucket, self.piece);
        *self.deliverer.lock().unwrap() = anew;
    }

    pub(crate) fn log_folder(&self) -> std::path::PathBuf {
        self.place.path().join("log")
    }

    /// Writes events to the log.
    pub(crate) async fn log(&self, events: &[String]) {
        let next = self.append(events).await;
        self.durable.send_replace(next);
    }

    /// Writes events to the log that are not known to be on disk.
    pub(crate) async fn log_behind_the_disk(&self, events: &[String]) {
        self.append(events).await;
    }

    async fn append(&self, events: &[String]) -> u64 {
        let settings = log::LogSettings { segment_bytes: 1_000, ..log::LogSettings::default() };
        let log = log::Log::open(&self.log_folder(), settings).unwrap();
        for event in events {
            log.append(vec![log::Entry { event: event.clone().into_bytes(), decisions: None }])
                .await
                .unwrap();
        }
        let next = *log.durable().borrow();
        log.close();
        next
    }

    pub(crate) async fn deliver(&self, now: Timestamp) -> Result<(), DeliveryError> {
        let deliverer = Arc::clone(&self.deliverer.lock().unwrap());
        deliverer.deliver(now).await
    }

    pub(crate) fn status(&self) -> DeliveryStatus {
        self.deliverer.lock().unwrap().status()
    }

    pub(crate) async fn public_keys(
        &self,
        region: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Vec<PublicDigestKey> {
        let keys = self.deliverer.lock().unwrap().keys();
        keys.public_keys(region.parse::<Region>().unwrap(), start, end).await.unwrap()
    }

    /// What was delivered, as a folder.
    pub(crate) async fn folder(&self) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let folder = FolderDestination::new(place.path().to_owned());
        let objects: Vec<Object> = self.bucket.objects.lock().unwrap().values().cloned().collect();
        for object in objects {
            folder.put(&object).await.unwrap();
        }
        place
    }

    /// Follows every digest chain from its newest digest to its first, holds signatures, hashes and files against each
    /// other, and gives the names of all log files that the digests name, each as often as it is named.
    pub(crate) async fn check_chains(&self) -> Vec<String> {
        let keys = all_public_keys(self.store.as_ref()).await.unwrap();
        let digests: BTreeMap<String, Digest> = self
            .bucket
            .digests()
            .into_iter()
            .map(|(name, content)| (name, serde_json::from_str(&content).unwrap()))
            .collect();
        let mut named = Vec::new();
        let mut followed: BTreeMap<String, String> = BTreeMap::new();
        for (name, digest) in &digests {
            assert_eq!(&digest.object, name);
            let content = self.bucket.digests()[name].clone();
            let object = self.bucket.objects.lock().unwrap()[name].clone();
            let signature = records::unhex(&object.metadata[0].1).unwrap();
            assert_eq!(object.metadata[1], (SIGNATURE_ALGORITHM, "SHA256withRSA".to_owned()));
            let key = keys.iter().find(|key| key.fingerprint == digest.fingerprint).unwrap();
            let key = RsaVerifyingKey::from_pkcs1_der(&key.value).unwrap();
            assert!(key.verifies(digest.to_sign(content.as_bytes()).as_bytes(), &signature), "{name}");
            if let Some(previous) = &digest.previous_object {
                let before = &digests[previous];
                assert_eq!(before.digest_end_time, digest.digest_start_time, "{name}");
                let hash = records::sha256_text(self.bucket.digests()[previous].as_bytes());
                assert_eq!(digest.previous_hash.as_ref(), Some(&hash));
                let other = followed.insert(previous.clone(), name.clone());
                assert_eq!(other, None, "two digests follow {previous}");
            }
            for file in &digest.log_files {
                let content = &self.bucket.log_files()[&file.object];
                assert_eq!(records::sha256_text(content.as_bytes()), file.hash_value);
                named.push(file.object.clone());
            }
        }
        named
    }
}

type Shared = (Arc<GivenTrails>, Arc<DomainKeys>, watch::Sender<u64>);

fn deliverer(
    place: &Path,
    store: &Arc<dyn Store>,
    shared: &Shared,
    bucket: &Arc<Bucket>,
    piece: usize,
) -> Arc<Deliverer> {
    let mut deliverer = Deliverer::new(DeliveryParts {
        store: Arc::clone(store),
        domain_keys: Arc::clone(&shared.1),
        trails: Arc::<GivenTrails>::clone(&shared.0),
        destination: Arc::<Bucket>::clone(bucket),
        log_folder: place.join("log"),
        durable: shared.2.subscribe(),
        digest_interval_seconds: 3_600,
        retention: Retention {
            log_days: 90,
            delivered: Some((place.join("delivered"), 30)),
            region: "us-east-1".parse().unwrap(),
            mark: place.join("retention.json"),
        },
    });
    deliverer.bounds = Bounds { events: piece, bytes: 1 << 20 };
    Arc::new(deliverer)
}
