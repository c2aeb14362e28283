//! Sealing a part as its plaintext comes in.

use aws_lc_rs::error::Unspecified;
use base::SecretBytes;

use super::{CHUNK, ChunkCipher, ContentError};

/// Seals one part. Plaintext comes in pieces of any size; it holds one chunk of it, which is wiped.
pub struct PartSealer {
    cipher: ChunkCipher,
    chunk: SecretBytes,
    filled: usize,
    index: u32,
    length: u64,
}

impl PartSealer {
    pub(super) fn new(cipher: ChunkCipher) -> Self {
        Self { cipher, chunk: SecretBytes::zeroed(CHUNK), filled: 0, index: 0, length: 0 }
    }

    /// Takes the next piece of plaintext and appends what chunks are complete to `sealed`.
    ///
    /// # Errors
    /// [`ContentError`]; the part is of no use then.
    pub fn seal(&mut self, mut plaintext: &[u8], sealed: &mut Vec<u8>) -> Result<(), ContentError> {
        let added = u64::try_from(plaintext.len()).map_err(|_| ContentError::TooLong)?;
        self.length = self.length.saturating_add(added);
        if self.length > super::PART_MAX {
            return Err(ContentError::TooLong);
        }
        while !plaintext.is_empty() {
            // A full chunk waits for more plaintext, for only then it is not the last one.
            if self.filled == CHUNK {
                self.put_chunk(false, sealed).map_err(|_| ContentError::Library)?;
                self.index = self.index.checked_add(1).ok_or(ContentError::TooLong)?;
            }
            let room = self.chunk.expose_mut().get_mut(self.filled..).unwrap_or_default();
            let (now, later) = plaintext.split_at(plaintext.len().min(room.len()));
            if let Some(place) = room.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.filled += now.len();
            plaintext = later;
        }
        Ok(())
    }

    /// Appends the last chunk to `sealed` and gives the length of the part, in bytes of plaintext.
    ///
    /// # Errors
    /// [`ContentError::Library`].
    pub fn finish(mut self, sealed: &mut Vec<u8>) -> Result<u64, ContentError> {
        self.put_chunk(true, sealed).map_err(|_| ContentError::Library)?;
        Ok(self.length)
    }

    fn put_chunk(&mut self, is_last: bool, sealed: &mut Vec<u8>) -> Result<(), Unspecified> {
        let chunk = self.chunk.expose_mut().get_mut(..self.filled).ok_or(Unspecified)?;
        let tag = self.cipher.seal(self.index, is_last, chunk)?;
        sealed.extend_from_slice(chunk);
        sealed.extend_from_slice(&tag);
        self.filled = 0;
        Ok(())
    }
}
