//! The payload of a file: chunks of 64 KiB, each encrypted under its number, the last one marked as the last.

use std::io::{self, BufRead, BufReader, Read, Write};

use aws_lc_rs::aead::LessSafeKey;
use base::{Randomness, RandomnessUnavailable, SecretArray};
use zeroize::Zeroizing;

use super::header::{self, OpenError};
use super::keys::{Identity, Recipient};
use super::{FILE_KEY, TAG, cipher, derive, open, seal};

/// Plaintext bytes of each chunk but the last.
const CHUNK: usize = 65_536;
const NONCE: usize = 16;

/// A file cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// It would be for nobody.
    #[error("there is no recipient")]
    NoRecipient,
    /// Nobody can have an identity for it.
    #[error("{0} is no recipient that anybody can decrypt for")]
    UnusableRecipient(Recipient),
    /// The library refuses what it never should.
    #[error("the cryptography library refuses")]
    Refused,
    /// There are no random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Encrypts what is written to it. Without [`Encryptor::finish`] the file has no end, and is refused by whoever opens it.
pub struct Encryptor<W> {
    file: W,
    chunks: Chunks,
    plaintext: Zeroizing<Vec<u8>>,
    /// A chunk could not be written: nothing that comes now would make a file of it.
    has_failed: bool,
}

impl<W: Write> Encryptor<W> {
    /// Begins a file for these recipients, each of whom can open it alone.
    ///
    /// # Errors
    /// There is no recipient or no randomness, or the file cannot be written.
    pub fn new(
        mut file: W,
        recipients: &[Recipient],
        randomness: &dyn Randomness,
    ) -> Result<Self, EncryptError> {
        if recipients.is_empty() {
            return Err(EncryptError::NoRecipient);
        }
        let mut file_key = SecretArray::<FILE_KEY>::zeroed();
        randomness.fill(file_key.expose_mut())?;
        file.write_all(header::write(&file_key, recipients, randomness)?.as_bytes())?;
        let mut nonce = [0; NONCE];
        randomness.fill(&mut nonce)?;
        file.write_all(&nonce)?;
        let chunks = Chunks::new(&file_key, &nonce).ok_or(EncryptError::Refused)?;
        Ok(Self {
            file,
            chunks,
            plaintext: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            has_failed: false,
        })
    }

    /// Writes the end, and gives back what was written to.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_chunk(true)?;
        self.file.flush()?;
        Ok(self.file)
    }

    fn write_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let written = self.seal_and_write(is_last);
        self.has_failed |= written.is_err();
        self.plaintext.clear();
        written
    }

    fn check(&self) -> io::Result<()> {
        let failed = || io::Error::other("an earlier part of the file could not be written");
        if self.has_failed { Err(failed()) } else { Ok(()) }
    }

    fn seal_and_write(&mut self, is_last: bool) -> io::Result<()> {
        self.check()?;
        let nonce = self.chunks.next(is_last)?;
        seal(&self.chunks.key, nonce, &mut self.plaintext).map_err(|_| refused())?;
        self.file.write_all(&self.plaintext)
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        // A full chunk waits: it is the last one if nothing follows.
        if self.plaintext.len() == CHUNK && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let room = CHUNK.saturating_sub(self.plaintext.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.plaintext.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Decrypts a file as it is read. An end of what it reads is the end of the file; anything else is an error of the kind
/// [`io::ErrorKind::InvalidData`].
pub struct Decryptor<R> {
    file: BufReader<R>,
    chunks: Chunks,
    /// A chunk, and the plaintext in it that was not read yet.
    chunk: Zeroizing<Vec<u8>>,
    read: usize,
    has_ended: bool,
}

impl<R: Read> Decryptor<R> {
    /// Reads the header of a file that is for one of these identities.
    ///
    /// # Errors
    /// It is not, or is no such file.
    pub fn new(file: R, identities: &[Identity]) -> Result<Self, OpenError> {
        let mut file = BufReader::with_capacity(CHUNK, file);
        let file_key = header::read(&mut file, identities)?;
        let mut nonce = [0; NONCE];
        file.read_exact(&mut nonce).map_err(|error| {
            let is_end = error.kind() == io::ErrorKind::UnexpectedEof;
            if is_end { OpenError::Damaged } else { OpenError::Read(error) }
        })?;
        let chunks = Chunks::new(&file_key, &nonce).ok_or(OpenError::Damaged)?;
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { file, chunks, chunk, read: 0, has_ended: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let is_first = self.chunks.number == 0;
        let longest = u64::try_from(CHUNK + TAG).unwrap_or(u64::MAX);
        self.chunk.clear();
        self.read = 0;
        (&mut self.file).take(longest).read_to_end(&mut self.chunk)?;
        let is_last = self.file.fill_buf()?.is_empty();
        let nonce = self.chunks.next(is_last)?;
        let length = open(&self.chunks.key, nonce, &mut self.chunk).map_err(|_| damaged())?;
        // One file has one form: an empty chunk stands only where there is nothing at all.
        if length == 0 && !is_first {
            return Err(damaged());
        }
        self.chunk.truncate(length);
        self.has_ended = is_last;
        Ok(())
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.chunk.len() && !self.has_ended {
            if let Err(error) = self.next_chunk() {
                self.chunk.clear();
                return Err(error);
            }
        }
        let unread = self.chunk.get(self.read..).unwrap_or_default();
        let taken = unread.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..taken), unread.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.read += taken;
        Ok(taken)
    }
}

/// What the chunks of a file are encrypted under.
struct Chunks {
    key: LessSafeKey,
    number: u64,
}

impl Chunks {
    fn new(file_key: &SecretArray<FILE_KEY>, nonce: &[u8; NONCE]) -> Option<Self> {
        let key = derive(file_key.expose(), nonce, b"payload").ok()?;
        Some(Self { key: cipher(&key).ok()?, number: 0 })
    }

    /// The nonce of the next chunk: its number in eleven bytes, and whether it is the last.
    fn next(&mut self, is_last: bool) -> io::Result<[u8; 12]> {
        let nonce = (u128::from(self.number) << 8) | u128::from(is_last);
        self.number = self.number.checked_add(1).ok_or_else(refused)?;
        nonce.to_be_bytes().last_chunk().copied().ok_or_else(refused)
    }
}

fn refused() -> io::Error {
    io::Error::other("the cryptography library refuses")
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged: it was cut off, or changed")
}
