//! Opening a range of a part, chunk by chunk.

use std::ops::Range;

use base::SecretBytes;

use super::{CHUNK_LENGTH, ChunkCipher, DamagedContent, TAG_LENGTH, chunks, sealed_length};

const SEALED_CHUNK: u64 = CHUNK_LENGTH + TAG_LENGTH;

/// Opens a range of one part. It gives plaintext only of chunks that hold, and of these the bytes of the range alone.
pub struct PartOpener {
    cipher: ChunkCipher,
    /// Of the part, in plaintext.
    length: u64,
    wanted: Range<u64>,
    next: u64,
    end: u64,
    /// What has come of the next chunk.
    sealed: Vec<u8>,
}

impl PartOpener {
    pub(super) fn new(cipher: ChunkCipher, length: u64, from: u64, to: u64) -> Self {
        let to = to.min(length);
        let from = from.min(to);
        // An empty part has a chunk that says so; an empty range of another one has none.
        let end = if length == 0 { 1 } else { to.div_ceil(CHUNK_LENGTH) };
        let next = if from == to && length > 0 { end } else { from / CHUNK_LENGTH };
        Self { cipher, length, wanted: from..to, next, end, sealed: Vec::new() }
    }

    /// What to read of the sealed part, in bytes, and to hand to [`Self::open`] in order.
    pub fn sealed_range(&self) -> Range<u64> {
        let end = sealed_length(self.length).min(self.end * SEALED_CHUNK);
        (self.next * SEALED_CHUNK).min(end)..end
    }

    /// Takes sealed bytes off the front of `input` until a chunk is complete, and gives what the range has of it.
    /// `None` means that all of `input` was taken and more is needed.
    ///
    /// # Errors
    /// The chunk is not what was written here, or there are more bytes than the range has.
    pub fn open(&mut self, input: &mut &[u8]) -> Result<Option<SecretBytes>, DamagedContent> {
        if input.is_empty() {
            return Ok(None);
        }
        if self.is_complete() {
            return Err(DamagedContent);
        }
        let wanted = usize::try_from(self.next_sealed_length()).map_err(|_| DamagedContent)?;
        let missing = wanted.saturating_sub(self.sealed.len()).min(input.len());
        let (now, later) = input.split_at(missing);
        self.sealed.extend_from_slice(now);
        *input = later;
        if self.sealed.len() < wanted {
            return Ok(None);
        }
        self.open_chunk().map(Some)
    }

    /// Whether the whole range has been opened. If it has not when the sealed bytes are at their end, the part was cut
    /// short.
    pub fn is_complete(&self) -> bool {
        self.next == self.end
    }

    fn next_sealed_length(&self) -> u64 {
        self.length.saturating_sub(self.next * CHUNK_LENGTH).min(CHUNK_LENGTH) + TAG_LENGTH
    }

    fn open_chunk(&mut self) -> Result<SecretBytes, DamagedContent> {
        let index = u32::try_from(self.next).map_err(|_| DamagedContent)?;
        let is_last = self.next + 1 == chunks(self.length);
        let plaintext = self.cipher.open(index, is_last, &self.sealed).map_err(|_| DamagedContent)?;
        let start = self.next * CHUNK_LENGTH;
        self.sealed.clear();
        self.next += 1;
        Ok(within(plaintext, start, &self.wanted))
    }
}

/// What the range has of a chunk that starts at `start`.
fn within(plaintext: SecretBytes, start: u64, wanted: &Range<u64>) -> SecretBytes {
    let at = |place: u64| usize::try_from(place.saturating_sub(start)).unwrap_or(usize::MAX);
    let (from, to) = (at(wanted.start).min(plaintext.len()), at(wanted.end).min(plaintext.len()));
    if from == 0 && to == plaintext.len() {
        return plaintext;
    }
    let kept = plaintext.expose().get(from..to).unwrap_or_default();
    let mut cut = SecretBytes::zeroed(kept.len());
    cut.expose_mut().copy_from_slice(kept);
    cut
}
