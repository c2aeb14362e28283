//! Blobs that no record has: what a crash left between a blob and the commit of its record, or between the commit that took
//! a record away and the deletion of its blob.

use crate::error::ObjectsError;
use crate::{Objects, paths};

impl Objects {
    /// Deletes blobs that no record has, and tells how many. Meant for the time after a start; it disturbs nobody.
    ///
    /// # Errors
    /// Store or back-end fail. What is left goes the next time.
    pub async fn sweep(&self) -> Result<usize, ObjectsError> {
        let mut swept = 0;
        for name in self.blobs.names().await? {
            // Asked in this order: a blob that is not fresh any more has its record, or never gets one.
            let is_fresh = self.fresh().contains(&name);
            if is_fresh || self.store.get(&paths::blob(&name)?).await?.is_some() {
                continue;
            }
            self.blobs.delete(name).await?;
            swept += 1;
        }
        Ok(swept)
    }
}
