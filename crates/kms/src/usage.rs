//! When each key was last used for cryptography, without a write for each use.
//!
//! The latest use of a key stands in a cell beside the key's cached record. The first use after a write makes the key
//! wait to be written; each later one replaces what the cell holds, and touches nothing but the cell. A key that has
//! waited for [`WRITE_AFTER_MINUTES`] is written, with others in one transaction, into a record of its own: the key
//! record stays as it is, and so do the caches. A kill therefore forgets the uses of at most that time; an end in good
//! order forgets none.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-keys-determining-usage.html>

#[cfg(test)]
mod interleavings;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};

use base::{EventId, KeyArn, RequestId, Timestamp};
use store::{TRANSACTION_EXPECTATIONS_MAX, TRANSACTION_WRITES_MAX, Transaction};
#[cfg(test)]
use testkit::interleavings::{Mutex, MutexGuard};
use wire::kms::KeyLastUsageTrackingOperation;

use crate::change::{Attempts, Committed};
use crate::error::KmsError;
use crate::keys::LoadedKey;
use crate::record::{KeyUsageRecord, UsageTrackingRecord};
use crate::{Kms, paths};

/// How long a use waits to be written at most, while the store can be written. AWS's lag is up to an hour.
const WRITE_AFTER_MINUTES: i64 = 5;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Keys that one transaction writes: it expects each of them to be there.
const BATCH: usize = if TRANSACTION_WRITES_MAX < TRANSACTION_EXPECTATIONS_MAX {
    TRANSACTION_WRITES_MAX
} else {
    TRANSACTION_EXPECTATIONS_MAX
};

/// One use of a key that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUse {
    pub(crate) operation: KeyLastUsageTrackingOperation,
    pub(crate) at: Timestamp,
    pub(crate) request_id: RequestId,
    pub(crate) event_id: EventId,
}

impl KeyUse {
    fn record(&self) -> KeyUsageRecord {
        KeyUsageRecord {
            operation: self.operation,
            at: self.at.millis(),
            request_id: self.request_id.to_string(),
            event_id: Some(self.event_id.to_string()),
        }
    }
}

/// Where the latest use of a key is noted until it is written: empty, unless the key waits.
#[derive(Debug, Default)]
pub(crate) struct UsageCell(Mutex<Option<KeyUse>>);

impl UsageCell {
    /// Replaces the use that waits here, if one does; tells whether that was so.
    fn replace(&self, latest: KeyUse) -> bool {
        match self.lock().as_mut() {
            Some(noted) => {
                if noted.at <= latest.at {
                    *noted = latest;
                }
                true
            }
            None => false,
        }
    }

    /// Held for a copy of a few bytes, so it is hardly ever waited for, on the busiest key either.
    fn lock(&self) -> MutexGuard<'_, Option<KeyUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys whose latest use is not written yet.
pub(crate) struct Usage {
    waiting: Mutex<Waiting>,
    waiting_max: usize,
    /// One writer at a time: only it takes keys from the front of the queue.
    writing: tokio::sync::Mutex<()>,
}

/// Each key in `cells` is in the queue; what is in the queue alone was forgotten. A cell holds a use exactly as long as
/// it is in `cells`. Whoever takes both locks takes this one first.
#[derive(Default)]
struct Waiting {
    cells: HashMap<KeyArn, Arc<UsageCell>>,
    queue: VecDeque<Queued>,
}

/// A place in the queue.
#[derive(Clone, Copy)]
struct Queued {
    arn: KeyArn,
    since: Timestamp,
}

/// There was no room to note a use.
#[derive(Debug)]
struct Full;

impl Usage {
    /// At most `waiting_max` keys wait at the same time.
    pub(crate) fn new(waiting_max: usize) -> Self {
        Self { waiting: Mutex::default(), waiting_max, writing: tokio::sync::Mutex::new(()) }
    }

    /// The cell for a key that is being loaded: the one in which a use waits, or a new one.
    pub(crate) fn cell(&self, arn: &KeyArn) -> Arc<UsageCell> {
        self.lock().cells.get(arn).cloned().unwrap_or_default()
    }

    /// The use of the key that is not written yet, if there is one.
    fn unwritten(&self, arn: &KeyArn) -> Option<KeyUse> {
        let cell = self.lock().cells.get(arn).cloned()?;
        *cell.lock()
    }

    /// Drops what waits for a key that is gone.
    pub(crate) fn forget(&self, arn: &KeyArn) {
        let mut waiting = self.lock();
        if let Some(cell) = waiting.cells.remove(arn) {
            *cell.lock() = None;
        }
    }

    fn note(&self, arn: &KeyArn, cell: &Arc<UsageCell>, latest: KeyUse) -> Result<(), Full> {
        if cell.replace(latest) {
            return Ok(());
        }
        let mut waiting = self.lock();
        if let Some(home) = waiting.cells.get(arn) {
            // Loaded twice at the same time, the key has two cells: the one that waits is the one that counts.
            home.replace(latest);
            return Ok(());
        }
        if waiting.queue.len() >= self.waiting_max {
            return Err(Full);
        }
        *cell.lock() = Some(latest);
        waiting.cells.insert(*arn, Arc::clone(cell));
        waiting.queue.push_back(Queued { arn: *arn, since: latest.at });
        Ok(())
    }

    /// The front of the queue, as far as it has waited since `until`, with the uses as they are now.
    fn batch(&self, until: Timestamp) -> Vec<(Queued, Option<KeyUse>)> {
        let waiting = self.lock();
        // What seems to lie ahead was noted before the clock was set back.
        let ahead = until.plus_millis((WRITE_AFTER_MINUTES + 1) * 60 * 1_000);
        let is_due = |queued: &&Queued| queued.since <= until || queued.since > ahead;
        let due = waiting.queue.iter().take(BATCH).take_while(is_due);
        let noted = |queued: &Queued| {
            let noted = waiting.cells.get(&queued.arn).and_then(|cell| *cell.lock());
            (*queued, noted)
        };
        due.map(noted).collect()
    }

    /// Takes a batch out of the queue once it is written. Whatever was used meanwhile queues up again.
    fn settle(&self, batch: &[(Queued, Option<KeyUse>)]) {
        let mut waiting = self.lock();
        for (queued, written) in batch {
            waiting.queue.pop_front();
            let Some(cell) = waiting.cells.get(&queued.arn).cloned() else { continue };
            let mut noted = cell.lock();
            match *noted {
                Some(newer) if Some(newer) != *written => {
                    waiting.queue.push_back(Queued { arn: queued.arn, since: newer.at });
                }
                Some(_) | None => {
                    *noted = None;
                    waiting.cells.remove(&queued.arn);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kms {
    /// Notes that a key was used. Never fails the call that used it: if there is neither room nor a store to write to,
    /// this use goes unrecorded.
    pub(crate) async fn note_use(&self, key: &LoadedKey, latest: KeyUse) {
        if self.usage.note(&key.arn, &key.usage, latest).is_ok() {
            return;
        }
        let written = self.write_usage_batch(Timestamp::from_millis(i64::MAX)).await;
        if written.is_err() || self.usage.note(&key.arn, &key.usage, latest).is_err() {
            tracing::debug!(key = %key.arn, "a use of a key was not recorded: too many wait to be written");
        }
    }

    /// Begins to record the uses of keys, once in the life of a store.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn begin_usage_tracking(&self, now: Timestamp) -> Result<(), KmsError> {
        let path = paths::usage_tracking()?;
        if self.store.get(&path).await?.is_some() {
            return Ok(());
        }
        let record = store::encode_record(&UsageTrackingRecord { since: now.millis() })?;
        let begin = Transaction::new().expect_absent(path.clone()).put(path, record);
        // Lost to somebody who began at the same time: it has begun.
        let _ = self.commit(begin).await?;
        Ok(())
    }

    /// Writes the uses that have waited for [`WRITE_AFTER_MINUTES`] at `now`.
    ///
    /// # Errors
    /// The store cannot be written. Nothing is lost: what was not written goes on waiting.
    pub async fn write_key_usage(&self, now: Timestamp) -> Result<(), KmsError> {
        self.write_usage_until(now.plus_millis(-WRITE_AFTER_MINUTES * 60 * 1_000)).await
    }

    /// Writes all uses, however short they have waited.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn write_all_key_usage(&self) -> Result<(), KmsError> {
        self.write_usage_until(Timestamp::from_millis(i64::MAX)).await
    }

    async fn write_usage_until(&self, until: Timestamp) -> Result<(), KmsError> {
        // A key that is used all the time queues up again behind a batch: what waits now bounds the work.
        let batches = self.usage.lock().queue.len().div_ceil(BATCH);
        for _ in 0..batches {
            if self.write_usage_batch(until).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Writes one batch and tells how many keys it took from the queue.
    async fn write_usage_batch(&self, until: Timestamp) -> Result<usize, KmsError> {
        let _writer = self.usage.writing.lock().await;
        let batch = self.usage.batch(until);
        if batch.is_empty() {
            return Ok(0);
        }
        let mut attempts = Attempts::new();
        while self.commit(self.usage_of_keys_that_exist(&batch).await?).await? == Committed::Conflict {
            attempts.again().await?;
        }
        self.usage.settle(&batch);
        Ok(batch.len())
    }

    /// Expects each key to be as it is now: a record for a key that was deleted meanwhile would stay for ever.
    async fn usage_of_keys_that_exist(
        &self,
        batch: &[(Queued, Option<KeyUse>)],
    ) -> Result<Transaction, KmsError> {
        let mut transaction = Transaction::new();
        for (Queued { arn, .. }, noted) in batch {
            let path = paths::key(arn)?;
            if let (Some(latest), Some(key)) = (noted, self.store.get(&path).await?) {
                let record = store::encode_record(&latest.record())?;
                transaction =
                    transaction.expect_revision(path, key.revision).put(paths::key_usage(arn)?, record);
            }
        }
        Ok(transaction)
    }

    /// The last use of a key, written or not.
    pub(crate) async fn last_use(&self, arn: &KeyArn) -> Result<Option<KeyUsageRecord>, KmsError> {
        // In this order: a use that is written in between is in one of the two.
        if let Some(unwritten) = self.usage.unwritten(arn) {
            return Ok(Some(unwritten.record()));
        }
        let entry = self.store.get(&paths::key_usage(arn)?).await?;
        Ok(entry.map(|entry| store::decode_record(&entry)).transpose()?)
    }

    /// Whole days since a key was last used, or, if it never was, since it could have been noticed:
    /// `kms:TrailingDaysWithoutKeyUsage`. `None` if there is no such key.
    pub(crate) async fn days_without_use(
        &self,
        arn: &KeyArn,
        now: Timestamp,
    ) -> Result<Option<i32>, KmsError> {
        let Some(key) = self.keys.cached(arn).await? else { return Ok(None) };
        let since = match self.last_use(arn).await? {
            Some(last) => last.at,
            None => {
                let created = Timestamp::from_millis(key.record.created_at);
                self.usage_tracked_since().await?.unwrap_or(created).max(created).millis()
            }
        };
        Ok(i32::try_from(now.millis().saturating_sub(since).max(0) / MILLIS_PER_DAY).ok())
    }

    /// Since when uses are recorded, if that has begun.
    pub(crate) async fn usage_tracked_since(&self) -> Result<Option<Timestamp>, KmsError> {
        let Some(entry) = self.store.get(&paths::usage_tracking()?).await? else { return Ok(None) };
        let record: UsageTrackingRecord = store::decode_record(&entry)?;
        Ok(Some(Timestamp::from_millis(record.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    pub(super) fn arn(number: u8) -> KeyArn {
        let place = crate::paths::Place {
            account: "123456789012".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        };
        place.key_arn(base::KeyId::single_region([number; 16]))
    }

    pub(super) fn key_use(at: i64) -> KeyUse {
        let operation = KeyLastUsageTrackingOperation::Sign;
        KeyUse {
            operation,
            at: Timestamp::from_millis(at),
            request_id: RequestId::new([0; 16]),
            event_id: EventId::new([0; 16]),
        }
    }

    pub(super) const ROOM: usize = 100;
    pub(super) const ALWAYS: Timestamp = Timestamp::from_millis(i64::MAX);

    #[test]
    fn a_full_record_takes_no_further_key_until_some_are_written() {
        let usage = Usage::new(2);
        let cells = [1, 2, 3].map(|number| (arn(number), usage.cell(&arn(number))));
        for (at, (arn, cell)) in (0..).zip(&cells) {
            assert_eq!(usage.note(arn, cell, key_use(at)).is_ok(), at < 2);
        }
        assert!(usage.note(&cells[0].0, &cells[0].1, key_use(9)).is_ok(), "a key that waits needs no room");
        usage.settle(&usage.batch(ALWAYS));
        assert!(usage.note(&cells[2].0, &cells[2].1, key_use(9)).is_ok());
    }

    #[test]
    fn a_use_during_a_write_is_not_taken_for_written() {
        let usage = Usage::new(ROOM);
        let cell = usage.cell(&arn(1));
        usage.note(&arn(1), &cell, key_use(1)).unwrap();
        let batch = usage.batch(ALWAYS);
        usage.note(&arn(1), &cell, key_use(2)).unwrap();
        usage.settle(&batch);
        assert_eq!(usage.unwritten(&arn(1)), Some(key_use(2)));
        usage.settle(&usage.batch(ALWAYS));
        assert_eq!(usage.unwritten(&arn(1)), None);
        assert!(usage.batch(ALWAYS).is_empty());
    }

    #[test]
    fn a_key_waits_its_time() {
        let usage = Usage::new(ROOM);
        usage.note(&arn(1), &usage.cell(&arn(1)), key_use(100)).unwrap();
        assert!(usage.batch(Timestamp::from_millis(99)).is_empty());
        assert_eq!(usage.batch(Timestamp::from_millis(100)).len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_use_waiting() {
        let usage = Usage::new(ROOM);
        let (now, minutes) = (Timestamp::from_millis(1_000_000_000), 60_000);
        let used = now.millis() + (WRITE_AFTER_MINUTES + 2) * minutes;
        usage.note(&arn(1), &usage.cell(&arn(1)), key_use(used)).unwrap();
        assert_eq!(usage.batch(now).len(), 1);
        assert!(
            usage.batch(now.plus_millis(2 * minutes)).is_empty(),
            "nor does one that is ahead by a little hurry"
        );
    }

    /// What can happen to a few keys, each of them loaded twice.
    #[derive(Clone, Debug)]
    enum Step {
        Use(u8, bool),
        Reload(u8, bool),
        Forget(u8),
        Write,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_u8, any::<bool>()).prop_map(|(key, second)| Step::Use(key, second)),
            1 => (0..4_u8, any::<bool>()).prop_map(|(key, second)| Step::Reload(key, second)),
            1 => (0..4_u8).prop_map(Step::Forget),
            1 => Just(Step::Write),
        ]
    }

    proptest! {
        #[test]
        fn memory_and_store_together_always_tell_the_last_use(steps in proptest::collection::vec(step(), 0..60)) {
            let usage = Usage::new(ROOM);
            let mut cells: Vec<[Arc<UsageCell>; 2]> = (0..4).map(|_| Default::default()).collect();
            let (mut stored, mut expected) = (BTreeMap::new(), BTreeMap::new());
            for (at, step) in (0..).zip(steps) {
                match step {
                    Step::Use(key, second) => {
                        let cell = &cells[usize::from(key)][usize::from(second)];
                        usage.note(&arn(key), cell, key_use(at)).unwrap();
                        expected.insert(arn(key), key_use(at));
                    }
                    Step::Reload(key, second) => {
                        cells[usize::from(key)][usize::from(second)] = usage.cell(&arn(key));
                    }
                    Step::Forget(key) => {
                        usage.forget(&arn(key));
                        stored.remove(&arn(key));
                        expected.remove(&arn(key));
                    }
                    Step::Write => {
                        let batch = usage.batch(ALWAYS);
                        stored.extend(batch.iter().filter_map(|(queued, noted)| Some((queued.arn, (*noted)?))));
                        usage.settle(&batch);
                        prop_assert!(usage.batch(ALWAYS).is_empty());
                    }
                }
                for key in (0..4).map(arn) {
                    let told = usage.unwritten(&key).or(stored.get(&key).copied());
                    prop_assert_eq!(told, expected.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn many_threads_lose_no_last_use() {
        const USES: i64 = 20_000;
        let usage = Usage::new(ROOM);
        let (first, second) = (usage.cell(&arn(1)), Arc::new(UsageCell::default()));
        let mut written = None;
        std::thread::scope(|scope| {
            let workers = [first, second].map(|cell| {
                let usage = &usage;
                scope.spawn(move || {
                    for at in 0..USES {
                        usage.note(&arn(1), &cell, key_use(at)).unwrap();
                    }
                })
            });
            while workers.iter().any(|worker| !worker.is_finished()) {
                let batch = usage.batch(ALWAYS);
                written = batch.iter().rev().find_map(|(_, noted)| *noted).or(written);
                usage.settle(&batch);
            }
        });
        let told = usage.unwritten(&arn(1)).or(written);
        assert_eq!(told.map(|last| last.at.millis()), Some(USES - 1));
    }
}
