//! Retirement of old key material, for operators who keep a number of versions instead of all of them.
//!
//! AWS keeps every version for as long as the key exists, and so does this service unless it is told otherwise: what was
//! encrypted under a version that is gone can never be decrypted again. Imported material is its owner's to delete.

use base::{KeyArn, Timestamp};
use store::{Key, Range};
use wire::kms::OriginType;

use crate::change::{Attempts, Committed, Edit};
use crate::due::{DueWork, not_due};
use crate::error::KmsError;
use crate::keys::LoadedKey;
use crate::record::{KeyRecord, RotationRecord};
use crate::{Kms, paths};

/// Materials that are removed in one commit.
const BATCH: u32 = 50;

impl Kms {
    /// Notes that a rotation may have left more versions than are kept. Related keys each keep their own.
    pub(crate) fn schedule_retirement(&self, edit: &mut Edit, related: &mut [Edit], now: Timestamp) {
        if self.versions_beyond(&edit.record) == 0 {
            return;
        }
        edit.schedule(DueWork::Retire, now);
        related.iter_mut().for_each(|edit| edit.schedule(DueWork::Retire, now));
    }

    /// The number below which versions are not kept.
    fn versions_beyond(&self, record: &KeyRecord) -> u32 {
        match self.settings.retained_materials {
            Some(kept) if record.origin == OriginType::AwsKms => record.materials.saturating_sub(kept.max(1)),
            Some(_) | None => 0,
        }
    }

    /// Removes the versions that are not kept any more, the oldest first.
    pub(crate) async fn retire_due(&self, arn: &KeyArn, path: &Key, now: Timestamp) -> Result<(), KmsError> {
        let mut attempts = Attempts::new();
        loop {
            let key = self.keys.load(arn).await?;
            let beyond = key.as_ref().map_or(0, |key| self.versions_beyond(&key.record));
            let transaction = match key.as_ref().filter(|key| key.record.retired < beyond) {
                Some(key) => {
                    let record = self.service_record("DeleteRetiredKeyMaterial", arn, now)?;
                    self.retirement(key, beyond).await?.into_transaction(record)?
                }
                None => not_due(arn, key.as_ref(), path)?,
            };
            let done = key.is_none_or(|key| key.record.retired >= beyond);
            match self.commit(transaction).await? {
                Committed::Yes if done => return Ok(()),
                Committed::Yes => {}
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// The edit that removes the next versions below number `beyond`.
    async fn retirement(&self, key: &LoadedKey, beyond: u32) -> Result<Edit, KmsError> {
        let first = key.record.retired;
        let end = beyond.min(first.saturating_add(BATCH));
        let limit = usize::try_from(end - first).map_err(|_| KmsError::Bug("a batch is small"))?;
        let mut range = Range::prefix(paths::rotations(&key.arn)).limit(limit);
        if let Some(before) = first.checked_sub(1) {
            range = range.after(&paths::rotation(&key.arn, before)?);
        }
        let mut edit = Edit::of(key)?;
        for entry in &self.store.range(range).await?.entries {
            let version: RotationRecord = store::decode_record(entry)?;
            edit.delete(paths::material(&key.arn, version.material)?);
        }
        edit.record.retired = end;
        Ok(edit)
    }
}
