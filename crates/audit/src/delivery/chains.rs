//! Digest chains: one per trail, account and Region.
//!
//! A digest becomes part of its chain in one commit, together with the finished file, which waits in the store until the
//! destination has it. So no crash and no failing destination can make two digests follow one.

use std::sync::Arc;

use base::Timestamp;
use base64_simd::STANDARD;
use store::{Entry, Range, Store, StoreError, Transaction, decode_record, encode_record};

use super::digest::{Digest, SIGNATURE_ALGORITHM};
use super::keys::DigestKeys;
use super::object::{Object, Place, SIGNATURE, SIGNATURE_ALGORITHM as ALGORITHM_NAME, compress};
use super::records::{
    CHAINS, ChainId, ChainRecord, FileRecord, PreviousDigest, WAITING, WaitingDigest, sha256_text, trail_id,
};
use super::{DeliveryError, Destination};
use crate::trails::TrailSettings;

/// The most files that one digest names; more go into another one at once. So a digest fits into a transaction.
const FILES_MAX: usize = 1_000;

/// Entries that are deleted in one transaction.
const DELETED_MAX: usize = 100;

pub(super) struct Chains {
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Arc<DigestKeys>,
    pub(super) destination: Arc<dyn Destination>,
    /// Seconds from one digest to the next.
    pub(super) interval_seconds: i64,
}

/// A chain as it lies in the store.
struct Chain {
    id: ChainId,
    entry: Entry,
    record: ChainRecord,
}

/// The files of a chain that no digest names yet, oldest first.
struct Files {
    records: Vec<FileRecord>,
    /// The number of the newest one's plan.
    newest: u64,
    /// There are more.
    more: bool,
}

impl Chains {
    /// Brings every digest that is made to the destination.
    pub(super) async fn put_waiting(&self) -> Result<(), DeliveryError> {
        loop {
            let page = self.store.range(Range::prefix(WAITING)).await?;
            for entry in &page.entries {
                self.put(entry).await?;
            }
            if page.entries.is_empty() {
                return Ok(());
            }
        }
    }

    async fn put(&self, entry: &Entry) -> Result<(), DeliveryError> {
        let waiting: WaitingDigest = decode_record(entry)?;
        let damaged = |_| StoreError::damaged(entry.key.as_str(), "its content is not base64");
        let object = Object {
            name: waiting.object,
            content: STANDARD.decode_to_vec(&waiting.content).map_err(damaged)?,
            metadata: vec![(SIGNATURE, waiting.signature), (ALGORITHM_NAME, SIGNATURE_ALGORITHM.to_owned())],
        };
        self.destination.put(&object).await?;
        self.store.commit(Transaction::new().delete(entry.key.clone())).await?;
        Ok(())
    }

    /// Makes the digests that are due, and tells how many. What fails for one chain does not hold up the others.
    pub(super) async fn make_due(
        &self,
        trails: &[TrailSettings],
        now: Timestamp,
    ) -> Result<u64, DeliveryError> {
        let mut made = 0;
        let mut failed = None;
        let mut range = Range::prefix(CHAINS);
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                match self.serve(entry, trails, now).await {
                    Ok(count) => made += count,
                    // If the destination fails, it fails for all.
                    Err(error @ DeliveryError::Destination(_)) => return Err(error),
                    Err(error) => failed = Some(error),
                }
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                Some(_) | None => return failed.map_or(Ok(made), Err),
            }
        }
    }

    /// Makes the digests of one chain up to the last full interval.
    async fn serve(
        &self,
        entry: &Entry,
        trails: &[TrailSettings],
        now: Timestamp,
    ) -> Result<u64, DeliveryError> {
        let id = ChainId::of(&entry.key)
            .ok_or_else(|| StoreError::damaged(entry.key.as_str(), "not the place of a chain of digests"))?;
        let mut chain = Chain { id, entry: entry.clone(), record: decode_record(entry)? };
        let interval = self.interval_seconds.max(1);
        let boundary = now.seconds().div_euclid(interval) * interval;
        // The clock was set back behind the last digest. Times of a chain never do, and files do not wait for so long.
        let is_ahead = chain.record.begins > now.plus_seconds(interval).seconds();
        let mut made = 0;
        while chain.record.begins < boundary || is_ahead || made > 0 {
            let files = self.files(&chain).await?;
            if is_ahead && files.records.is_empty() && made == 0 {
                break;
            }
            let trail = trails.iter().find(|trail| trail_id(trail) == chain.record.trail_id);
            let goes_on = trail.is_some_and(|trail| trail.validates_log_files && trail.is_logging);
            if !goes_on && files.records.is_empty() {
                self.end(chain).await?;
                return Ok(made);
            }
            let more = files.more;
            let end = boundary.max(chain.record.begins + 1);
            chain = self.make(chain, trail, files, Timestamp::from_seconds(end), now).await?;
            made += 1;
            if goes_on && !more {
                break;
            }
        }
        Ok(made)
    }

    /// The chain's files beyond what its digests name; removes those that they do name.
    async fn files(&self, chain: &Chain) -> Result<Files, DeliveryError> {
        let mut files = Files { records: Vec::new(), newest: chain.record.covered, more: false };
        let mut covered = Vec::new();
        let mut range = Range::prefix(chain.id.files());
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                let plan = chain.id.plan_of(&entry.key)?;
                if plan <= chain.record.covered {
                    covered.push(entry.key.clone());
                } else if files.records.len() < FILES_MAX {
                    files.records.push(decode_record(entry)?);
                    files.newest = plan;
                } else {
                    files.more = true;
                }
            }
            match page.entries.last() {
                Some(last) if page.more && !files.more => range = range.after(&last.key),
                Some(_) | None => break,
            }
        }
        for keys in covered.chunks(DELETED_MAX) {
            let deleted = keys.iter().cloned().fold(Transaction::new(), Transaction::delete);
            self.store.commit(deleted).await?;
        }
        Ok(files)
    }

    async fn make(
        &self,
        chain: Chain,
        trail: Option<&TrailSettings>,
        files: Files,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<Chain, DeliveryError> {
        let Chain { id, entry, mut record } = chain;
        if let Some(trail) = trail {
            record.bucket.clone_from(&trail.bucket);
            record.key_prefix.clone_from(&trail.key_prefix);
        }
        let damaged = |_| StoreError::damaged(entry.key.as_str(), "its account or Region is none");
        let place = Place {
            key_prefix: record.key_prefix.as_deref(),
            account: record.account.parse().map_err(|_| damaged(()))?,
            region: record.region.parse().map_err(|_| damaged(()))?,
            time: end,
        };
        let key = self.keys.signing(place.region, Timestamp::from_seconds(record.begins), now).await?;
        let digest = Digest {
            aws_account_id: record.account.clone(),
            digest_start_time: Timestamp::from_seconds(record.begins).iso_extended(),
            digest_end_time: end.iso_extended(),
            bucket: record.bucket.clone(),
            object: place.digest(&record.trail, &record.home_region),
            fingerprint: key.fingerprint.clone(),
            digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
            newest_event_time: None,
            oldest_event_time: None,
            previous_bucket: None,
            previous_object: None,
            previous_hash: None,
            previous_digest_hash_algorithm: None,
            previous_digest_signature: None,
            log_files: Vec::new(),
        };
        let digest = digest.holding(record.previous.take(), files.records);
        let content = serde_json::to_vec(&digest).map_err(|error| encoding(&error))?;
        let signature = key.sign(digest.to_sign(&content)).await?;
        let compressed = compress(&content).map_err(DeliveryError::Log)?;
        let content_text = STANDARD.encode_to_string(compressed);
        record.previous = Some(PreviousDigest {
            bucket: digest.bucket,
            object: digest.object.clone(),
            hash: sha256_text(&content),
            signature: signature.clone(),
        });
        record.begins = end.seconds();
        record.covered = files.newest;
        let waiting = WaitingDigest { object: digest.object, content: content_text, signature };
        let entry = self.commit(&id, &entry, &record, &waiting).await?;
        Ok(Chain { id, entry, record })
    }

    /// The digest and its place in the chain, in one commit; then the file goes to the destination.
    async fn commit(
        &self,
        id: &ChainId,
        entry: &Entry,
        record: &ChainRecord,
        waiting: &WaitingDigest,
    ) -> Result<Entry, DeliveryError> {
        let value = encode_record(record)?;
        let place = id.waiting_path().map_err(StoreError::from)?;
        let transaction = Transaction::new()
            .expect_revision(entry.key.clone(), entry.revision)
            .expect_absent(place.clone())
            .put(entry.key.clone(), value.clone())
            .put(place.clone(), encode_record(waiting)?);
        let revision = self.store.commit(transaction).await?;
        if let Some(waiting) = self.store.get(&place).await? {
            self.put(&waiting).await?;
        }
        Ok(Entry { key: entry.key.clone(), revision, value })
    }

    /// The trail is gone, stopped, or makes no digests any more: if it does again, another chain begins, as on AWS.
    async fn end(&self, chain: Chain) -> Result<(), DeliveryError> {
        let Entry { key, revision, .. } = chain.entry;
        self.store.commit(Transaction::new().expect_revision(key.clone(), revision).delete(key)).await?;
        Ok(())
    }
}

fn encoding(error: &serde_json::Error) -> StoreError {
    StoreError::Encoding { kind: "a digest", reason: error.to_string() }
}
