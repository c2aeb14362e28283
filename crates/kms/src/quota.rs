//! How many keys an account has in a Region.
//!
//! The number is kept in shards, so that concurrent CreateKey calls rarely compare-and-swap the same record. A few
//! calls that race at the very end of the quota may each find room; the count itself is always exact.

use base::KeyArn;
use store::{Key, Range, Revision};

use crate::Kms;
use crate::change::Edit;
use crate::error::{KmsError, LimitExceeded};
use crate::paths::{self, KEY_COUNT_SHARDS, Place};
use crate::record::KeyCountRecord;

impl KeyCountRecord {
    fn one_more(self) -> Self {
        Self { keys: self.keys.saturating_add(1) }
    }

    /// The count after a deletion.
    pub(crate) fn less_one(self) -> Self {
        Self { keys: self.keys.saturating_sub(1) }
    }
}

impl Kms {
    /// Counts the new key in the commit that creates it, if the quota has room.
    pub(crate) async fn count_new_key(&self, edit: &mut Edit) -> Result<(), KmsError> {
        let limit = self.settings.keys_per_region_max;
        if self.key_count(&Place::from(edit.arn)).await? >= limit {
            return Err(LimitExceeded::Keys(limit).into());
        }
        let (path, revision, count) = self.key_count_shard(&edit.arn).await?;
        edit.put(path.clone(), &count.one_more())?;
        edit.expect(path, revision);
        Ok(())
    }

    /// The shard that counts this key: where it lies, its version if it exists, and its value.
    pub(crate) async fn key_count_shard(
        &self,
        arn: &KeyArn,
    ) -> Result<(Key, Option<Revision>, KeyCountRecord), KmsError> {
        let path = paths::key_count(arn)?;
        Ok(match self.store.get(&path).await? {
            Some(entry) => (path, Some(entry.revision), store::decode_record(&entry)?),
            None => (path, None, KeyCountRecord::default()),
        })
    }

    async fn key_count(&self, place: &Place) -> Result<u64, KmsError> {
        let prefix = paths::key_counts(place);
        let page = self.store.range(Range::prefix(&prefix).limit(KEY_COUNT_SHARDS.into())).await?;
        let mut count = 0_u64;
        for entry in &page.entries {
            count = count.saturating_add(store::decode_record::<KeyCountRecord>(entry)?.keys);
        }
        Ok(count)
    }
}
