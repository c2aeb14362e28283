//! What no record has: what a crash left between a blob and the commit of its record, or between the commit that took a
//! record away and the deletion of its contents.

use store::{Range, Transaction, decode_record};

use crate::error::ObjectsError;
use crate::record::PartRecord;
use crate::{Objects, paths};

/// Parts that are deleted in one commit.
const BATCH: usize = 50;

impl Objects {
    /// Deletes parts and blobs that no record has, and tells how many blobs. Meant for once after a start, until
    /// [`Self::end_sweep`]: it disturbs nobody, and leaves alone what this process writes, whose records may be on their
    /// way.
    ///
    /// # Errors
    /// Store or back-end fail. What is left goes with the next try, or after the next start.
    pub async fn sweep(&self) -> Result<usize, ObjectsError> {
        let swept = self.sweep_blobs().await?;
        self.end_sweep();
        Ok(swept)
    }

    /// Sweeps no more. Until then each new blob is remembered.
    pub fn end_sweep(&self) {
        *self.fresh() = None;
    }

    async fn sweep_blobs(&self) -> Result<usize, ObjectsError> {
        self.delete_discarded().await?;
        let mut swept = 0;
        for name in self.blobs.names().await? {
            let is_fresh = self.fresh().as_ref().is_none_or(|fresh| fresh.contains(&name));
            if is_fresh || self.store.get(&paths::blob(&name)?).await?.is_some() {
                continue;
            }
            self.blobs.delete(name).await?;
            swept += 1;
        }
        Ok(swept)
    }

    /// Deletes the parts of a version that is nobody's any more, and with them those that somebody read until now. If
    /// they are being read, they stay for the next who deletes any.
    ///
    /// # Errors
    /// Store or back-end fail.
    pub(crate) async fn delete_parts(&self, version: &str) -> Result<(), ObjectsError> {
        if !self.readers.are_at(version) {
            self.delete_parts_now(version).await?;
        }
        let left = self.store.range(Range::prefix(paths::DISCARDED).limit(1)).await?;
        if left.entries.is_empty() { Ok(()) } else { self.delete_discarded().await }
    }

    async fn delete_discarded(&self) -> Result<(), ObjectsError> {
        let mut range = Range::prefix(paths::DISCARDED);
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                let version = entry.key.as_str().strip_prefix(paths::DISCARDED).unwrap_or_default();
                if !self.readers.are_at(version) {
                    self.delete_parts_now(version).await?;
                }
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }

    async fn delete_parts_now(&self, version: &str) -> Result<(), ObjectsError> {
        loop {
            let page = self.store.range(Range::prefix(paths::parts_of(version)).limit(BATCH)).await?;
            let (mut transaction, mut blobs) = (Transaction::new(), Vec::new());
            for entry in &page.entries {
                let part: PartRecord = decode_record(entry)?;
                let blob = part.blob()?;
                transaction = transaction.delete(entry.key.clone()).delete(paths::blob(&blob)?);
                blobs.push(blob);
            }
            if !page.more {
                transaction = transaction.delete(paths::discarded(version)?);
            }
            self.store.commit(transaction).await?;
            for blob in blobs {
                self.blobs.delete(blob).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}
