//! Work that becomes due by itself: deletions, automatic rotations, and the removal of what a deleted key leaves.
//!
//! The store keeps an index by due time. Running an entry twice, late, or after it was taken back changes nothing:
//! each one looks at the key first and acts only if the key still asks for it.

use base::{KeyArn, Timestamp};
use store::{Key, Range, StoreError, Transaction, due};

use crate::change::{Attempts, Committed, Edit};
use crate::error::KmsError;
use crate::keys::LoadedKey;
use crate::record::{KeyState, RotationKind};
use crate::{Kms, paths};

/// Entries of the index that are read at once.
const BATCH: usize = 100;

/// Records of a deleted key that are removed in one transaction.
const PURGE_BATCH: usize = 100;

/// Entries that one turn of due work takes, so that a long backlog keeps no other chore waiting.
const TURN_MAX: usize = 1_000;

/// How a turn of due work went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueTurn {
    /// Entries that were done.
    pub done: usize,
    /// Entries that failed and stay due.
    pub failed: usize,
}

/// What can become due on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DueWork {
    /// The deletion window has ended.
    Delete,
    /// The rotation period has ended.
    Rotate,
    /// Imported material has expired.
    Expire,
    /// There are more versions of material than are kept.
    Retire,
    /// A deleted key's materials and history are still there.
    Purge,
}

impl DueWork {
    const ALL: [Self; 5] = [Self::Delete, Self::Rotate, Self::Expire, Self::Retire, Self::Purge];

    fn kind(self) -> &'static str {
        match self {
            Self::Delete => "kms-delete",
            Self::Rotate => "kms-rotate",
            Self::Expire => "kms-expire",
            Self::Retire => "kms-retire",
            Self::Purge => "kms-purge",
        }
    }

    /// The index entry for this work on `arn` at `at`.
    pub(crate) fn path(self, arn: &KeyArn, at: Timestamp) -> Key {
        due::key(at, self.kind(), &paths::reference(arn))
    }
}

impl Kms {
    /// Does what is due at `now`, at most [`TURN_MAX`] entries, and tells how it went. An entry that fails stays due and
    /// keeps no other one waiting.
    ///
    /// # Errors
    /// The index itself cannot be read.
    pub async fn run_due(&self, now: Timestamp) -> Result<DueTurn, KmsError> {
        let mut turn = DueTurn::default();
        loop {
            let before = turn.done;
            self.run_due_once(now, &mut turn).await?;
            // Work can make more work due at once (a deletion leaves a purge), hence another pass after progress.
            if turn.done == before || turn.done + turn.failed >= TURN_MAX {
                return Ok(turn);
            }
        }
    }

    async fn run_due_once(&self, now: Timestamp, turn: &mut DueTurn) -> Result<(), KmsError> {
        turn.failed = 0;
        let mut range = due::range_until(now).limit(BATCH);
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                match self.run_entry(&entry.key, now).await {
                    Ok(()) => turn.done += 1,
                    Err(error) => {
                        turn.failed += 1;
                        tracing::warn!(entry = %entry.key, %error, "due work failed; it stays due");
                    }
                }
            }
            match page.entries.last() {
                Some(last) if page.more && turn.done + turn.failed < TURN_MAX => {
                    range = range.after(&last.key)
                }
                _ => return Ok(()),
            }
        }
    }

    async fn run_entry(&self, path: &Key, now: Timestamp) -> Result<(), KmsError> {
        let item = due::parse(path);
        let work =
            item.as_ref().and_then(|item| DueWork::ALL.into_iter().find(|work| work.kind() == item.kind));
        let arn = item.as_ref().and_then(|item| paths::key_reference(&item.reference));
        match (work, arn) {
            (Some(DueWork::Delete), Some(arn)) => self.delete_due(&arn, path, now).await,
            (Some(DueWork::Rotate), Some(arn)) => self.rotate_due(&arn, path, now).await,
            (Some(DueWork::Expire), Some(arn)) => self.expire_due(&arn, path, now).await,
            (Some(DueWork::Retire), Some(arn)) => self.retire_due(&arn, path, now).await,
            (Some(DueWork::Purge), Some(arn)) => self.purge(&arn, path).await,
            _ => Err(StoreError::damaged(path.to_string(), "due work of an unknown kind".to_owned()).into()),
        }
    }

    /// Deletes the key if its window has ended: the key, its aliases and the count in one commit. From then on the
    /// key is gone; materials and history, unreachable now, go in further commits.
    async fn delete_due(&self, arn: &KeyArn, path: &Key, now: Timestamp) -> Result<(), KmsError> {
        let mut attempts = Attempts::new();
        loop {
            let (transaction, _turn) = match self.keys.load(arn).await? {
                Some(key) if is_deletable(&key, now) => {
                    let deletion = self.deletion(&key, path, now).await?;
                    self.count_shards.count_deleted_key(arn, deletion).await?
                }
                other => (not_due(arn, other.as_ref(), path)?, None),
            };
            match self.commit(transaction).await? {
                Committed::Yes => return Ok(()),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// The transaction that deletes a key. Keys related to it learn that it is gone; a primary key that has waited for
    /// the last of its replicas begins its own window.
    async fn deletion(&self, key: &LoadedKey, path: &Key, now: Timestamp) -> Result<Transaction, KmsError> {
        let arn = key.arn;
        let mut transaction = Transaction::new()
            .expect_revision(paths::key(&arn)?, key.revision)
            .delete(paths::key(&arn)?)
            .delete(path.clone())
            .put(DueWork::Purge.path(&arn, now), Vec::new())
            .outbox(self.service_record("DeleteKey", &arn, now)?);
        for at in due_dates(key) {
            transaction = transaction.delete(at);
        }
        for name in self.alias_names(&arn).await? {
            transaction = transaction.delete(paths::alias(&arn.into(), &name)?);
        }
        // One that is gone already makes the commit a conflict: this key has then changed too.
        for mut edit in self.related_edits(key).await?.unwrap_or_default() {
            edit.lose_replica(arn.region, now);
            transaction = edit.add_to(transaction)?;
        }
        Ok(transaction)
    }

    /// All aliases of a key; the quota on aliases bounds them.
    async fn alias_names(&self, arn: &KeyArn) -> Result<Vec<String>, KmsError> {
        let prefix = paths::key_aliases(arn);
        let page = self.store.range(Range::prefix(&prefix).limit(BATCH)).await?;
        let name = |entry: store::Entry| entry.key.as_str().strip_prefix(prefix.as_str()).map(str::to_owned);
        Ok(page.entries.into_iter().filter_map(name).collect())
    }

    /// Rotates the key if its rotation is owed and the key is enabled. A key that is disabled or pending deletion
    /// keeps owing the rotation until it is enabled.
    pub(crate) async fn rotate_due(&self, arn: &KeyArn, path: &Key, now: Timestamp) -> Result<(), KmsError> {
        let mut attempts = Attempts::new();
        loop {
            let committed = match self.keys.load(arn).await? {
                Some(key) if owes_rotation(&key, now) => {
                    match self.rotation(&key, RotationKind::Automatic, now).await? {
                        Some(mut edit) => {
                            edit.delete(path.clone());
                            let record = self.rotation_event(arn, &key, &edit, now)?;
                            self.commit(edit.into_transaction(record)?).await?
                        }
                        None => Committed::Conflict,
                    }
                }
                other => self.commit(not_due(arn, other.as_ref(), path)?).await?,
            };
            match committed {
                Committed::Yes => return Ok(()),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// The event of an automatic rotation.
    fn rotation_event(
        &self,
        arn: &KeyArn,
        before: &LoadedKey,
        after: &Edit,
        now: Timestamp,
    ) -> Result<Vec<u8>, KmsError> {
        let event = self.service_event("RotateKey", arn, now)?;
        let event = event.with_detail("keyId", arn.id).with_detail("rotationType", "AUTOMATIC");
        let event = event.with_detail("keyOrigin", before.record.origin);
        let materials = [
            ("previousKeyMaterialId", &before.record.current_material),
            ("currentKeyMaterialId", &after.record.current_material),
        ];
        let told = materials.into_iter().filter_map(|(name, id)| Some((name, id.as_ref()?)));
        let event = told.fold(event, |event, (name, id)| event.with_detail(name, id));
        Ok(event.encode())
    }

    /// Takes away imported material that has expired, in whatever state the key is.
    async fn expire_due(&self, arn: &KeyArn, path: &Key, now: Timestamp) -> Result<(), KmsError> {
        let mut attempts = Attempts::new();
        loop {
            let key = self.keys.load(arn).await?;
            let committed = match self.expiry(key.as_ref(), path, now).await? {
                Some(transaction) => self.commit(transaction).await?,
                None => self.commit(not_due(arn, key.as_ref(), path)?).await?,
            };
            match committed {
                Committed::Yes => return Ok(()),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// The transaction that takes expired material away; `None` if there is none, or if a replica that must learn of it
    /// has gone meanwhile, with which the key has changed too.
    async fn expiry(
        &self,
        key: Option<&LoadedKey>,
        path: &Key,
        now: Timestamp,
    ) -> Result<Option<Transaction>, KmsError> {
        let Some(key) = key else { return Ok(None) };
        let mut edit = Edit::of(key)?;
        edit.delete(path.clone());
        if !edit.expire_imported(now)? {
            return Ok(None);
        }
        let Some(edit) = self.with_replicas(key, edit).await? else { return Ok(None) };
        let event = self.service_event("DeleteExpiredKeyMaterial", &key.arn, now)?;
        let event = event.with_detail("keyId", key.arn.id);
        let event = match &key.record.current_material {
            Some(material) => event.with_detail("keyMaterialId", material),
            None => event,
        };
        let record = event.encode();
        edit.into_transaction(record).map(Some)
    }

    async fn purge(&self, arn: &KeyArn, path: &Key) -> Result<(), KmsError> {
        self.remove_remains(arn).await?;
        // Whether it is gone already makes no difference.
        let _ = self.commit(Transaction::new().delete(path.clone())).await?;
        Ok(())
    }

    /// Removes what a deleted key left, a bounded piece at a time, for as long as there is no key of this name: one that
    /// was seeded again keeps what it has.
    pub(crate) async fn remove_remains(&self, arn: &KeyArn) -> Result<(), KmsError> {
        self.remove_grants(arn).await?;
        self.usage.forget(arn);
        let usage = paths::key_usage(arn)?.to_string();
        let prefixes = [
            paths::materials(arn),
            paths::rotations(arn),
            paths::key_aliases(arn),
            paths::granted_on(arn),
            usage,
        ];
        for prefix in prefixes {
            loop {
                let page = self.store.range(Range::prefix(&prefix).limit(PURGE_BATCH)).await?;
                if page.entries.is_empty() {
                    break;
                }
                let absent = Transaction::new().expect_absent(paths::key(arn)?);
                let delete = |transaction: Transaction, entry: store::Entry| transaction.delete(entry.key);
                let transaction = page.entries.into_iter().fold(absent, delete);
                if self.commit(transaction).await? == Committed::Conflict {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Drops an entry whose work is not wanted, if the key is still what was looked at.
pub(crate) fn not_due(arn: &KeyArn, key: Option<&LoadedKey>, path: &Key) -> Result<Transaction, KmsError> {
    let drop = Transaction::new().delete(path.clone());
    Ok(match key {
        Some(key) => drop.expect_revision(paths::key(arn)?, key.revision),
        None => drop.expect_absent(paths::key(arn)?),
    })
}

/// The entries of a key in the index of due work, but for its deletion.
fn due_dates(key: &LoadedKey) -> Vec<Key> {
    let expiries = key.record.imported.iter().filter_map(|material| material.valid_to);
    let mut dates: Vec<i64> = expiries.collect();
    dates.sort_unstable();
    dates.dedup();
    let entry = |work: DueWork, at: i64| work.path(&key.arn, Timestamp::from_millis(at));
    let rotation = key.record.rotation.map(|rotation| entry(DueWork::Rotate, rotation.next_at));
    dates.into_iter().map(|at| entry(DueWork::Expire, at)).chain(rotation).collect()
}

/// True for a key that is pending deletion and whose window has ended.
fn is_deletable(key: &LoadedKey, now: Timestamp) -> bool {
    let ended = key.record.deletion.is_some_and(|deletion| deletion.at <= now.millis());
    key.record.state == KeyState::PendingDeletion && ended
}

/// True for an enabled key whose automatic rotation is due. Replicas rotate with their primary key.
pub(crate) fn owes_rotation(key: &LoadedKey, now: Timestamp) -> bool {
    let due = key.record.rotation.is_some_and(|rotation| rotation.next_at <= now.millis());
    key.record.state == KeyState::Enabled && key.record.leads_in(key.arn.region) && due
}
