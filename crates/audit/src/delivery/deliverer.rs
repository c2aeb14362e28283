//! One turn of delivery.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::{AccountId, Region, Timestamp};
use keyring::DomainKeys;
use store::{Store, StoreError, Transaction, decode_record, encode_record};
use tokio::sync::{MutexGuard, watch};

use super::chains::Chains;
use super::keys::DigestKeys;
use super::log_reader::{self, Batch, Bounds, LoggedEvent, Position};
use super::object::{Object, Place, compress, records, unique};
use super::records::{
    ChainId, ChainRecord, CursorRecord, FileRecord, PlanRecord, cursor_path, plan_path, sha256_text, trail_id,
};
use super::{DeliveryError, DeliveryStatus, Destination, Retention};
use crate::trails::{TrailSettings, Trails};

/// What is read and delivered at a time.
const BOUNDS: Bounds = Bounds { events: 20_000, bytes: 16 * 1_024 * 1_024 };

/// How long nothing is looked for again that is old.
const SECONDS_OF_A_DAY: i64 = 86_400;

/// Files that are noted in one transaction; each is two writes.
const FILES_NOTED: usize = 50;

/// What delivery is made of.
pub struct DeliveryParts {
    /// Keeps cursor, chains and keys.
    pub store: Arc<dyn Store>,
    /// Seal the keys that sign digests.
    pub domain_keys: Arc<DomainKeys>,
    /// Who wants which events.
    pub trails: Arc<dyn Trails>,
    /// Where files go.
    pub destination: Arc<dyn Destination>,
    /// The folder of the log.
    pub log_folder: PathBuf,
    /// The number behind the lines of the log that are on disk; nothing beyond is delivered.
    pub durable: watch::Receiver<u64>,
    /// Seconds from one digest to the next.
    pub digest_interval_seconds: u32,
    /// How long things are kept.
    pub retention: Retention,
}

/// Delivers what the log holds, and makes digests of it.
pub struct Deliverer {
    store: Arc<dyn Store>,
    trails: Arc<dyn Trails>,
    destination: Arc<dyn Destination>,
    log_folder: PathBuf,
    durable: watch::Receiver<u64>,
    chains: Chains,
    status: Mutex<DeliveryStatus>,
    /// One turn at a time.
    turn: tokio::sync::Mutex<()>,
    pub(super) bounds: Bounds,
    retention: Retention,
    /// When it was looked for what is old, in seconds.
    looked_for_old: AtomicI64,
    /// How many want what is old to stay.
    keeping_old: Arc<AtomicUsize>,
}

/// No turn is taken until this is dropped: files that were delivered are those that the store knows of.
pub struct Pause<'d> {
    _turn: MutexGuard<'d, ()>,
}

/// Nothing is removed because it is old until this is dropped.
#[derive(Debug)]
pub struct KeptOld(Arc<AtomicUsize>);

impl Drop for KeptOld {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The files of one turn, for a trail.
type Groups<'a> = BTreeMap<(AccountId, Region), Vec<&'a LoggedEvent>>;

/// A file that was put, and the chain that it belongs to.
struct Delivered<'a> {
    trail: &'a TrailSettings,
    account: AccountId,
    region: Region,
    file: FileRecord,
}

impl Deliverer {
    /// Delivers nothing yet.
    pub fn new(parts: DeliveryParts) -> Self {
        let keys = Arc::new(DigestKeys::new(Arc::clone(&parts.store), parts.domain_keys));
        let chains = Chains {
            store: Arc::clone(&parts.store),
            keys,
            destination: Arc::clone(&parts.destination),
            interval_seconds: parts.digest_interval_seconds.into(),
        };
        Self {
            store: parts.store,
            trails: parts.trails,
            destination: parts.destination,
            log_folder: parts.log_folder,
            durable: parts.durable,
            chains,
            status: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
            bounds: BOUNDS,
            retention: parts.retention,
            looked_for_old: AtomicI64::new(i64::MIN),
            keeping_old: Arc::default(),
        }
    }

    /// The keys that sign digests.
    pub fn keys(&self) -> Arc<DigestKeys> {
        Arc::clone(&self.chains.keys)
    }

    /// How delivery fares.
    pub fn status(&self) -> DeliveryStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the turn that is being taken, and lets none begin as long as what is returned is there.
    pub async fn pause(&self) -> Pause<'_> {
        Pause { _turn: self.turn.lock().await }
    }

    /// Lets no later turn remove what is old, as long as what is returned is there; the first turn behind that does.
    pub fn keep_old(&self) -> KeptOld {
        self.keeping_old.fetch_add(1, Ordering::AcqRel);
        KeptOld(Arc::clone(&self.keeping_old))
    }

    /// Delivers what there is, and makes the digests that are due. Call it again and again; calling it twice at once is
    /// harmless.
    ///
    /// # Errors
    /// See [`DeliveryError`]. The status tells, too.
    pub async fn deliver(&self, now: Timestamp) -> Result<(), DeliveryError> {
        let _turn = self.turn.lock().await;
        let outcome = self.take_turn(now).await;
        self.note(|status| match &outcome {
            Ok(()) => status.succeeded(),
            Err(error) => status.failed(now, error.to_string()),
        });
        outcome
    }

    async fn take_turn(&self, now: Timestamp) -> Result<(), DeliveryError> {
        let trails = self.trails.all().await?;
        self.finish_plan(&trails).await?;
        self.chains.put_waiting().await?;
        // Before new files: those belong to the next digest.
        let digests = self.chains.make_due(&trails, now).await;
        if digests.as_ref().is_ok_and(|made| *made > 0) {
            self.note(|status| status.last_digest = Some(now));
        }
        // What comes meanwhile is for the next turn: where something always comes, this one would have no end.
        let until = *self.durable.borrow();
        while self.deliver_next(&trails, now, until).await? {}
        digests?;
        self.remove_old(now).await
    }

    /// Once a day, and when the clock was set back.
    async fn remove_old(&self, now: Timestamp) -> Result<(), DeliveryError> {
        let is_kept = self.keeping_old.load(Ordering::Acquire) > 0;
        let looked = self.looked_for_old.load(Ordering::Relaxed);
        if is_kept || (looked..looked.saturating_add(SECONDS_OF_A_DAY)).contains(&now.seconds()) {
            return Ok(());
        }
        let (delivered, _) = self.cursor().await?;
        self.retention.apply(&self.chains.keys, &self.log_folder, delivered, now).await?;
        self.looked_for_old.store(now.seconds(), Ordering::Relaxed);
        Ok(())
    }

    /// Carries out what was planned before a crash or a failure.
    async fn finish_plan(&self, trails: &[TrailSettings]) -> Result<(), DeliveryError> {
        let Some(entry) = self.store.get(&plan_path().map_err(StoreError::from)?).await? else {
            return Ok(());
        };
        let plan: PlanRecord = decode_record(&entry)?;
        let (start, _) = self.cursor().await?;
        // As many as were planned, whatever bounds this release has.
        let all = Bounds { events: usize::MAX, bytes: usize::MAX };
        let batch = self.read(start, plan.until, all).await?;
        self.carry_out(trails, batch, &plan).await
    }

    /// Plans and delivers the next piece of what lies before this line; false if there is none.
    async fn deliver_next(
        &self,
        trails: &[TrailSettings],
        now: Timestamp,
        until: u64,
    ) -> Result<bool, DeliveryError> {
        let (start, plans) = self.cursor().await?;
        let batch = self.read(start, until, self.bounds).await?;
        if batch.end.head == start.head {
            return Ok(false);
        }
        let plan = PlanRecord { number: plans + 1, until: batch.end.head.next, seconds: now.seconds() };
        let path = plan_path().map_err(StoreError::from)?;
        let planned = Transaction::new().expect_absent(path.clone()).put(path, encode_record(&plan)?);
        self.store.commit(planned).await?;
        self.carry_out(trails, batch, &plan).await?;
        self.note(|status| status.last_delivery = Some(now));
        Ok(true)
    }

    async fn carry_out(
        &self,
        trails: &[TrailSettings],
        batch: Batch,
        plan: &PlanRecord,
    ) -> Result<(), DeliveryError> {
        let mut delivered = Vec::new();
        for trail in trails {
            let mut groups = Groups::new();
            for event in batch.events.iter().filter(|event| event.is_wanted_by(trail)) {
                groups.entry((event.account, event.region)).or_default().push(event);
            }
            for ((account, region), events) in groups {
                let time = self.time_in_chain(&ChainId::new(trail, account, region), plan).await?;
                let place = Place { key_prefix: trail.key_prefix.as_deref(), account, region, time };
                delivered.extend(self.put(trail, &place, &events).await?);
            }
        }
        for files in delivered.chunks(FILES_NOTED) {
            self.note_files(files, plan).await?;
        }
        self.move_cursor(&batch.end, plan.number).await
    }

    /// The time of a file: never before the digests that are made already, or it would seem to have been put among what they
    /// name. A clock that was set back makes this another time than that of its delivery.
    async fn time_in_chain(&self, id: &ChainId, plan: &PlanRecord) -> Result<Timestamp, DeliveryError> {
        let begins = match self.store.get(&id.path().map_err(StoreError::from)?).await? {
            Some(entry) => decode_record::<ChainRecord>(&entry)?.begins,
            None => plan.seconds,
        };
        Ok(Timestamp::from_seconds(plan.seconds.max(begins)))
    }

    /// Puts one file.
    async fn put<'a>(
        &self,
        trail: &'a TrailSettings,
        place: &Place<'_>,
        events: &[&LoggedEvent],
    ) -> Result<Option<Delivered<'a>>, DeliveryError> {
        let (Some(first), Some(oldest), Some(newest)) = (
            events.first().map(|event| event.sequence),
            events.iter().map(|event| event.time).min(),
            events.iter().map(|event| event.time).max(),
        ) else {
            return Ok(None);
        };
        let content = records(events);
        let (hash, compressed) =
            tokio::task::spawn_blocking(move || (sha256_text(&content), compress(&content)))
                .await
                .map_err(|_| DeliveryError::Interrupted)?;
        let name = place.log_file(&unique(trail, first, &hash));
        let content = compressed.map_err(DeliveryError::Log)?;
        let object = Object { name: name.clone(), content, metadata: Vec::new() };
        self.destination.put(&object).await?;
        let (oldest, newest) = (oldest.iso_extended(), newest.iso_extended());
        let file = FileRecord { bucket: trail.bucket.clone(), object: name, hash, oldest, newest };
        Ok(Some(Delivered { trail, account: place.account, region: place.region, file }))
    }

    /// Keeps what was put for the next digests, and begins chains. Doing it twice changes nothing.
    async fn note_files(&self, files: &[Delivered<'_>], plan: &PlanRecord) -> Result<(), DeliveryError> {
        let mut transaction = Transaction::new();
        for delivered in files.iter().filter(|delivered| delivered.trail.validates_log_files) {
            let Delivered { trail, account, region, file } = delivered;
            let id = ChainId::new(trail, *account, *region);
            let chain = id.path().map_err(StoreError::from)?;
            if self.store.get(&chain).await?.is_none() {
                let record = ChainRecord {
                    trail: trail.name.to_string(),
                    trail_id: trail_id(trail),
                    home_region: trail.home_region.to_string(),
                    bucket: trail.bucket.clone(),
                    key_prefix: trail.key_prefix.clone(),
                    account: account.to_string(),
                    region: region.to_string(),
                    begins: plan.seconds,
                    covered: 0,
                    previous: None,
                };
                transaction = transaction.put(chain, encode_record(&record)?);
            }
            transaction =
                transaction.put(id.file_path(plan.number).map_err(StoreError::from)?, encode_record(file)?);
        }
        self.store.commit(transaction).await?;
        Ok(())
    }

    async fn move_cursor(&self, end: &Position, plans: u64) -> Result<(), DeliveryError> {
        let record = CursorRecord::new(end, plans);
        let transaction = Transaction::new()
            .put(cursor_path().map_err(StoreError::from)?, encode_record(&record)?)
            .delete(plan_path().map_err(StoreError::from)?);
        self.store.commit(transaction).await?;
        self.note(|status| status.next = end.head.next);
        Ok(())
    }

    /// Where delivery has come to, and how many plans were carried out.
    async fn cursor(&self) -> Result<(Position, u64), DeliveryError> {
        let path = cursor_path().map_err(StoreError::from)?;
        let Some(entry) = self.store.get(&path).await? else { return Ok((Position::BEGINNING, 0)) };
        let record: CursorRecord = decode_record(&entry)?;
        let position = record.position();
        let position = position.ok_or_else(|| StoreError::damaged(path.as_str(), "its chain is none"))?;
        Ok((position, record.plans))
    }

    async fn read(&self, start: Position, until: u64, bounds: Bounds) -> Result<Batch, DeliveryError> {
        let folder = self.log_folder.clone();
        let batch = blocking(move || log_reader::read(&folder, start, until, bounds)).await?;
        for found in &batch.breaks {
            self.note(|status| status.broken(found));
        }
        Ok(batch)
    }

    fn note(&self, change: impl FnOnce(&mut DeliveryStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Waits for the disk without keeping a worker from answering requests.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, DeliveryError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| DeliveryError::Interrupted)?.map_err(DeliveryError::Log)
}
