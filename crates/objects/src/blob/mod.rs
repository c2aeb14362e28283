//! Blobs: sealed bytes under random names, which tell nothing. Where they lie is a port, so that whoever keeps them
//! sees ciphertext alone.

mod folder;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use async_trait::async_trait;
use base::{Randomness, RandomnessUnavailable};

pub use folder::{Folder, FolderError, KeptBlobs};

/// The random name of a blob: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobName(u128);

/// The text is no name of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a blob")]
pub struct InvalidBlobName;

/// A blob cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("the blob {0} is missing")]
    Missing(BlobName),
    /// The back-end does not answer, or not as it should. It may later.
    #[error("the back-end of objects cannot be reached: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The back-end fails.
    #[error("the back-end of objects fails: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A place for blobs.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Begins a blob that is not there yet. It is there only once [`BlobWriter::finish`] has returned.
    async fn create(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Opens a range of a blob, in bytes. What is opened can be read to its end even if the blob is deleted meanwhile.
    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<Box<dyn BlobReader>, BlobError>;

    /// Deletes a blob; one that is missing is no failure.
    async fn delete(&self, name: BlobName) -> Result<(), BlobError>;

    /// All blobs that there are, and none that is still being written.
    async fn names(&self) -> Result<Vec<BlobName>, BlobError>;
}

/// A blob that is being written. Dropped unfinished, it leaves nothing.
#[async_trait]
pub trait BlobWriter: Send {
    /// Appends bytes.
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), BlobError>;

    /// Makes it durable; it is whole or not there at all, whatever happens.
    async fn finish(self: Box<Self>) -> Result<(), BlobError>;
}

/// A range of a blob that is being read.
#[async_trait]
pub trait BlobReader: Send + Sync {
    /// The next bytes, at most 256 KiB; `None` at the end of the range or of the blob.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobError>;
}

impl BlobName {
    /// A new name.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn draw(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut bytes = [0; 16];
        randomness.fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for BlobName {
    type Err = InvalidBlobName;

    fn from_str(text: &str) -> Result<Self, InvalidBlobName> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_name = text.len() == 32 && text.bytes().all(is_digit);
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_name);
        number.map(Self).ok_or(InvalidBlobName)
    }
}

impl BlobError {
    fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(Box::new(error))
    }
}
