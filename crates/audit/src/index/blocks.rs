//! A file of blocks, each with a checksum, read at any place.
//!
//! A block has 4,096 bytes: 4,088 of content, and the first eight of a SHA-256 digest over what the file belongs to, the
//! block's number and its content. So a block that was damaged, moved, or taken from another file is never believed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crypto::digest::Sha256;

const BLOCK_BYTES: usize = 4_096;
const CHECKSUM_BYTES: usize = 8;
/// Bytes of content in a block.
pub(super) const CONTENT_BYTES: usize = BLOCK_BYTES - CHECKSUM_BYTES;
/// Blocks that are kept while a file is read.
const KEPT_MAX: usize = 16;

/// What a file belongs to: a segment, by its first line and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) first: u64,
    pub(super) bytes: u64,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("damaged, or of another segment")]
    Damaged,
}

impl Owner {
    fn checksum(self, number: u64, content: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let mut digest = Sha256::new();
        for part in [self.first, self.bytes, number] {
            digest.update(&part.to_le_bytes());
        }
        digest.update(content);
        let [a, b, c, d, e, f, g, h, ..] = digest.finish();
        [a, b, c, d, e, f, g, h]
    }
}

/// Writes blocks one behind the other into a file that takes its place only when it is whole.
pub(super) struct BlockWriter {
    file: io::BufWriter<File>,
    owner: Owner,
    number: u64,
    content: Vec<u8>,
}

impl BlockWriter {
    pub(super) fn new(path: &Path, owner: Owner) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let content = Vec::with_capacity(CONTENT_BYTES);
        Ok(Self { file: io::BufWriter::with_capacity(1 << 18, file), owner, number: 0, content })
    }

    /// Writes an entry; entries of one kind have one length and never cross a block's end.
    pub(super) fn entry(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.content.len() + bytes.len() > CONTENT_BYTES {
            self.end_block()?;
        }
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    /// Fills up the block, if it has begun.
    pub(super) fn end_block(&mut self) -> io::Result<()> {
        if self.content.is_empty() {
            return Ok(());
        }
        self.content.resize(CONTENT_BYTES, 0);
        let checksum = self.owner.checksum(self.number, &self.content);
        self.file.write_all(&self.content)?;
        self.file.write_all(&checksum)?;
        self.number += 1;
        self.content.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.end_block()?;
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
    }
}

/// Reads blocks.
#[derive(Debug)]
pub(super) struct BlockReader {
    file: File,
    owner: Owner,
    kept: Vec<(u64, Vec<u8>)>,
    /// Which of the kept ones goes next.
    oldest: usize,
}

impl BlockReader {
    pub(super) fn open(path: &Path, owner: Owner) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, owner, kept: Vec::new(), oldest: 0 })
    }

    /// The content of a block.
    pub(super) fn block(&mut self, number: u64) -> Result<&[u8], BlockError> {
        let kept = self.kept.iter().position(|(kept, _)| *kept == number);
        let place = match kept {
            Some(place) => place,
            None => {
                let block = self.read(number)?;
                self.keep(number, block)
            }
        };
        self.kept.get(place).map(|(_, content)| content.as_slice()).ok_or(BlockError::Damaged)
    }

    /// The entry of this number in a section of entries with `length` bytes that begins with block `start`.
    pub(super) fn entry<const LENGTH: usize>(
        &mut self,
        start: u64,
        number: u32,
    ) -> Result<[u8; LENGTH], BlockError> {
        let per_block = per_block(LENGTH);
        let number = usize::try_from(number).map_err(|_| BlockError::Damaged)?;
        let block = start + u64::try_from(number / per_block).map_err(|_| BlockError::Damaged)?;
        let content = self.block(block)?;
        let entries = content.get(number % per_block * LENGTH..).and_then(<[u8]>::first_chunk);
        entries.copied().ok_or(BlockError::Damaged)
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, BlockError> {
        let mut block = vec![0; BLOCK_BYTES];
        let place = number.checked_mul(4_096).ok_or(BlockError::Damaged)?;
        match self.file.read_exact_at(&mut block, place) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(BlockError::Damaged),
            Err(error) => return Err(error.into()),
        }
        let checksum = block.split_off(CONTENT_BYTES);
        if self.owner.checksum(number, &block) != *checksum { Err(BlockError::Damaged) } else { Ok(block) }
    }

    fn keep(&mut self, number: u64, content: Vec<u8>) -> usize {
        if self.kept.len() < KEPT_MAX {
            self.kept.push((number, content));
            return self.kept.len() - 1;
        }
        let place = self.oldest;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = (number, content);
        }
        self.oldest = (place + 1) % KEPT_MAX;
        place
    }
}

/// Entries of a length that a block holds.
pub(super) const fn per_block(length: usize) -> usize {
    CONTENT_BYTES / length
}

/// Blocks that so many entries take.
pub(super) fn blocks_of(entries: u32, length: usize) -> u64 {
    let per_block = u64::try_from(per_block(length)).unwrap_or(u64::MAX);
    u64::from(entries).div_ceil(per_block)
}
