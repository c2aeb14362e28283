//! Copying the materials and the history of a primary key to a Region where its replica is about to be made.
//!
//! A key can have more materials than one commit holds, so they are staged: written where the replica will find them,
//! in as many commits as it takes, and then the replica is made in one. Nobody can use what is staged, since there is
//! no key. What is left behind by a copy that did not end is removed later.

use base::{KeyArn, Timestamp};
use store::{Key, Range, Revision, Transaction};
use wire::kms::{OriginType, ReplicateKey};

use crate::Kms;
use crate::authorize::Usable;
use crate::change::{Committed, Edit};
use crate::due::DueWork;
use crate::error::KmsError;
use crate::paths;
use crate::record::RotationRecord;

/// Entries of the history that are copied in one commit, each with its material.
const BATCH: usize = 50;

/// When what a copy left behind is removed. No copy takes that long.
const LEFT_BEHIND_DAYS: i64 = 1;

/// Materials and history of a replica that is not there yet.
pub(crate) struct Staged {
    mark: Key,
    revision: Revision,
}

impl Kms {
    /// Copies what a replica at `to` needs; `None` if somebody else made or removed something there meanwhile.
    pub(crate) async fn stage_replica(
        &self,
        key: &Usable<ReplicateKey>,
        to: &KeyArn,
        now: Timestamp,
    ) -> Result<Option<Staged>, KmsError> {
        // A replica that was here before may have been deleted without its remains being gone yet.
        self.remove_remains(to).await?;
        let mark = paths::staging(to)?;
        let cleaning = DueWork::Purge.path(to, now.plus_days(LEFT_BEHIND_DAYS));
        let begin = Transaction::new().put(mark.clone(), Vec::new()).put(cleaning, Vec::new());
        if self.commit(begin.expect_absent(paths::key(to)?)).await? == Committed::Conflict {
            return Ok(None);
        }
        let Some(begun) = self.store.get(&mark).await? else { return Ok(None) };
        let mut range = Range::prefix(paths::rotations(&key.arn())).limit(BATCH);
        loop {
            let page = self.store.range(range.clone()).await?;
            let mut batch = Transaction::new().expect_revision(mark.clone(), begun.revision);
            for (entry, number) in page.entries.iter().zip(numbers(&page.entries)) {
                batch = self.copy_rotation(key, to, store::decode_record(entry)?, number?, batch).await?;
            }
            if self.commit(batch).await? == Committed::Conflict {
                return Ok(None);
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(Some(Staged { mark, revision: begun.revision })),
            }
        }
    }

    async fn copy_rotation(
        &self,
        key: &Usable<ReplicateKey>,
        to: &KeyArn,
        rotation: RotationRecord,
        number: u32,
        mut batch: Transaction,
    ) -> Result<Transaction, KmsError> {
        // Imported material is imported into each Region by its owner; retired material is nowhere.
        if key.record().origin != OriginType::External && number >= key.record().retired {
            let id = rotation.material.parse().map_err(|_| KmsError::Bug("a material without an id"))?;
            let material = self.materials.copy(key, id, to).await?;
            batch = batch.put(paths::material(to, id)?, store::encode_record(&material.record)?);
        }
        Ok(batch.put(paths::rotation(to, number)?, store::encode_record(&rotation)?))
    }
}

/// The numbers of entries of a history, read from their paths.
fn numbers(entries: &[store::Entry]) -> impl Iterator<Item = Result<u32, KmsError>> {
    entries.iter().map(|entry| {
        let number = entry.key.as_str().rsplit('/').next().and_then(|number| number.parse().ok());
        number.ok_or(KmsError::Bug("a rotation without a number"))
    })
}

impl Edit {
    /// Makes the key out of what was staged for it. The commit fails if any of that was removed since.
    pub(crate) fn take_staged(&mut self, staged: Staged) {
        self.expect(staged.mark.clone(), Some(staged.revision));
        self.delete(staged.mark);
    }
}
