//! The contents of an object as they are read: opened chunk by chunk.

use base::SecretBytes;
use crypto::content::PartOpener;

use crate::blob::BlobReader;
use crate::error::ObjectsError;

/// A range of an object's contents. It holds some hundred KiB, however long the range is.
pub struct Contents {
    opener: PartOpener,
    reader: Box<dyn BlobReader>,
    sealed: Vec<u8>,
    taken: usize,
}

impl Contents {
    pub(crate) fn new(opener: PartOpener, reader: Box<dyn BlobReader>) -> Self {
        Self { opener, reader, sealed: Vec::new(), taken: 0 }
    }

    /// The next plaintext; `None` once the range is complete.
    ///
    /// # Errors
    /// What is stored is not what was written, or cannot be read. What was given before is right all the same, and the answer
    /// must be cut off.
    pub async fn next(&mut self) -> Result<Option<SecretBytes>, ObjectsError> {
        loop {
            let mut input = self.sealed.get(self.taken..).unwrap_or_default();
            let opened = self.opener.open(&mut input).map_err(|_| ObjectsError::Damaged("a chunk"))?;
            self.taken = self.sealed.len() - input.len();
            if let Some(plaintext) = opened {
                return Ok(Some(plaintext));
            }
            match self.reader.next().await? {
                Some(sealed) => (self.sealed, self.taken) = (sealed, 0),
                None if self.opener.is_complete() => return Ok(None),
                None => return Err(ObjectsError::Damaged("the blob is cut short")),
            }
        }
    }
}
