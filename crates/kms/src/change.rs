//! Changing a key: read, authorize, check the state, edit, compare-and-swap, all over again if somebody was faster.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use base::{Call, KeyArn, Timestamp};
use store::{CommitError, Key, Record, Revision, Transaction};

use crate::Kms;
use crate::authorize::{KeyAction, Usable};
use crate::due::DueWork;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::keys::LoadedKey;
use crate::paths;
use crate::record::KeyRecord;

/// How often a change is tried against faster writers before it gives up. Within one process changes of a key queue
/// up, so this is reached only by a cluster under a storm on one key.
const ATTEMPTS_MAX: u32 = 32;

/// Counts tries of a compare-and-swap.
pub(crate) struct Attempts(u32);

impl Attempts {
    pub(crate) fn new() -> Self {
        Self(0)
    }

    /// Notes a conflict and lets the others pass for a moment; fails when there were too many.
    pub(crate) async fn again(&mut self) -> Result<(), KmsError> {
        self.0 += 1;
        if self.0 >= ATTEMPTS_MAX {
            return Err(KmsError::Contention(self.0));
        }
        // Losers of one race must not run the next one in step. A new hasher is seeded at random.
        let spread = RandomState::new().hash_one(self.0) % (2 * u64::from(self.0));
        tokio::time::sleep(Duration::from_millis(spread)).await;
        Ok(())
    }
}

/// The outcome of a compare-and-swap.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// Applied and durable.
    Yes,
    /// Something that was read has changed meanwhile; nothing was applied.
    Conflict,
}

/// A change of one key in the making: the new record and what is written with it in the same commit.
pub(crate) struct Edit {
    pub(crate) arn: KeyArn,
    pub(crate) record: KeyRecord,
    expectations: BTreeMap<Key, Option<Revision>>,
    writes: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Edit {
    /// Starts from the record as it was read; the commit fails if it is another one by then.
    pub(crate) fn of(key: &LoadedKey) -> Result<Self, KmsError> {
        Self::begin(key.arn, key.record.clone(), Some(key.revision))
    }

    /// Starts a key that must not exist yet.
    pub(crate) fn create(arn: KeyArn, record: KeyRecord) -> Result<Self, KmsError> {
        Self::begin(arn, record, None)
    }

    fn begin(arn: KeyArn, record: KeyRecord, revision: Option<Revision>) -> Result<Self, KmsError> {
        let expectations = BTreeMap::from([(paths::key(&arn)?, revision)]);
        Ok(Self { arn, record, expectations, writes: BTreeMap::new() })
    }

    /// Demands that what lies at `path` is of this revision, or absent if there is none.
    pub(crate) fn expect(&mut self, path: Key, revision: Option<Revision>) {
        self.expectations.insert(path, revision);
    }

    /// Writes a record beside the key.
    pub(crate) fn put<R: Record>(&mut self, path: Key, record: &R) -> Result<(), KmsError> {
        self.writes.insert(path, Some(store::encode_record(record)?));
        Ok(())
    }

    /// Writes at `path` what another edit writes at `of_path`, if it does.
    pub(crate) fn copy_write(&mut self, path: Key, of: &Self, of_path: &Key) {
        if let Some(value) = of.writes.get(of_path) {
            self.writes.insert(path, value.clone());
        }
    }

    /// Writes an entry whose key says everything.
    pub(crate) fn mark(&mut self, path: Key) {
        self.writes.insert(path, Some(Vec::new()));
    }

    /// Removes what lies beside the key.
    pub(crate) fn delete(&mut self, path: Key) {
        self.writes.insert(path, None);
    }

    /// Notes work that is due at `at`.
    pub(crate) fn schedule(&mut self, work: DueWork, at: Timestamp) {
        self.mark(work.path(&self.arn, at));
    }

    /// Takes back work that was due at `at`; nothing happens if it was done or taken back before.
    pub(crate) fn unschedule(&mut self, work: DueWork, at: Timestamp) {
        self.delete(work.path(&self.arn, at));
    }

    /// Adds the change of another key: both are applied or none. Where both write, this one counts.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), KmsError> {
        self.expectations.extend(other.expectations);
        self.writes.entry(paths::key(&other.arn)?).or_insert(Some(store::encode_record(&other.record)?));
        for (path, value) in other.writes {
            self.writes.entry(path).or_insert(value);
        }
        Ok(())
    }

    /// The transaction that stores the edited key with the audit record `trail`.
    pub(crate) fn into_transaction(self, trail: Vec<u8>) -> Result<Transaction, KmsError> {
        self.add_to(Transaction::new().outbox(trail))
    }

    /// Adds the edited key to a transaction.
    pub(crate) fn add_to(self, mut transaction: Transaction) -> Result<Transaction, KmsError> {
        transaction = transaction.put(paths::key(&self.arn)?, store::encode_record(&self.record)?);
        for (path, revision) in self.expectations {
            transaction = match revision {
                Some(revision) => transaction.expect_revision(path, revision),
                None => transaction.expect_absent(path),
            };
        }
        for (path, value) in self.writes {
            transaction = match value {
                Some(value) => transaction.put(path, value),
                None => transaction.delete(path),
            };
        }
        Ok(transaction)
    }
}

impl Kms {
    /// Takes action `A` on the key that `identifier` names: `edit` changes the record of a key that may be changed.
    pub(crate) async fn change<A: KeyAction, T>(
        &self,
        call: &Call,
        identifier: &str,
        facts: &Facts<'_>,
        edit: impl Fn(&mut Edit, &Usable<A>) -> Result<T, KmsError>,
    ) -> Result<T, KmsError> {
        let arn = self.keys.resolve::<A>(call, identifier).await?;
        let mut attempts = Attempts::new();
        let _turn = self.turns.take(&arn).await;
        loop {
            let key = self.changeable::<A>(call, &arn, facts).await?;
            let mut draft = Edit::of(key.key())?;
            let outcome = edit(&mut draft, &key)?;
            if self.commit_change::<A>(call, &key, draft).await? == Committed::Yes {
                return Ok(outcome);
            }
            attempts.again().await?;
        }
    }

    /// Commits an edit of a key, together with what its replicas take over from it.
    async fn commit_change<A: KeyAction>(
        &self,
        call: &Call,
        key: &Usable<A>,
        draft: Edit,
    ) -> Result<Committed, KmsError> {
        let Some(draft) = self.with_replicas(key.key(), draft).await? else {
            return Ok(Committed::Conflict);
        };
        let record = self.call_record(call, A::NAME, &[key.arn()])?;
        self.commit(draft.into_transaction(record)?).await
    }

    /// Applies a transaction. Only a lost race is an outcome, everything else an error.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<Committed, KmsError> {
        match self.store.commit(transaction).await {
            Ok(_) => Ok(Committed::Yes),
            Err(CommitError::Conflict { .. }) => Ok(Committed::Conflict),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(error @ (CommitError::TooLarge { .. } | CommitError::WrittenTwice { .. })) => {
                Err(KmsError::Commit(error))
            }
        }
    }
}
