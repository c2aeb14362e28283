//! Contents of objects, format 1: sealed in chunks, so that they stream both ways and a range opens alone. Fixed for
//! ever: what one release wrote, every later one reads.
//!
//! An object has a [`ContentKey`] and one or more parts. A part is a row of sealed chunks and nothing else; what it
//! takes to open it ([`Part`] and its length) is kept elsewhere.
//!
//! | what | how |
//! |---|---|
//! | chunk | [`CHUNK`] bytes of plaintext, the last one 1 to [`CHUNK`]; an empty part is one empty chunk. Sealed: AES-256-GCM ciphertext, tag (16) |
//! | key of a part | SP 800-108r1 counter mode with HMAC-SHA-256 and a 32-bit counter in front, under the content key, over `"keywright content v1" \|\| 00 \|\| part nonce (16) \|\| 00000100`, 32 bytes out |
//! | initialisation vector | 7 zero bytes, index of the chunk in its part (u32 big endian), `01` for the last chunk and `00` for others |
//! | associated data | `01`, id of the object's version (16), number of the part (u32 big endian) |
//!
//! Index and last mark are the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015): whoever cuts a part short, takes chunks out,
//! swaps them, or moves them to another part or object gets them refused. A part nonce is drawn anew for each
//! write of a part, so that the key of a part seals one text only. `corpus/content/v1/` has vectors.

use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::error::Unspecified;
use base::{Randomness, RandomnessUnavailable, SecretArray};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64_text;
use crate::envelope::{self, DERIVED_BITS, IV, TAG};

mod opener;
mod sealer;

pub use opener::PartOpener;
pub use sealer::PartSealer;

/// Plaintext of a chunk that is not the last one, in bytes (64 KiB).
pub const CHUNK: usize = 1 << 16;

/// Longest part, in bytes of plaintext (128 TiB). The operations' own limits are narrower.
pub const PART_MAX: u64 = 1 << 47;

/// True in a build that was made to measure what encryption costs, with the feature `measure-copy`: there a chunk is
/// copied where it would be sealed or opened, with a tag of zeros, and nothing is secret or noticed. Never by default.
pub const COPIES_ONLY: bool = cfg!(feature = "measure-copy");

const LABEL: &[u8] = b"keywright content v1";
const FORMAT: u8 = 1;
const NONCE: usize = 16;
const BOUND: usize = 1 + 16 + 4;
const CHUNK_LENGTH: u64 = 1 << 16;
const TAG_LENGTH: u64 = 16;

/// The key of one object's contents: random, 256 bits. It cannot be cloned, printed or stored, except sealed itself.
pub struct ContentKey(SecretArray<32>);

/// Drawn for each write of a part; not secret. As JSON it is one base64 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartNonce([u8; NONCE]);

/// Which part of which object's version: what its chunks are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The own id of the object's version.
    pub owner: [u8; 16],
    /// The number of the part; 0 in an object that was written in one piece.
    pub number: u32,
    /// What was drawn when the part was written.
    pub nonce: PartNonce,
}

/// Nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The part is longer than [`PART_MAX`].
    #[error("the part is longer than the format holds")]
    TooLong,
    /// The cryptography library refused, which it never does for input within the limits.
    #[error("the cryptography library refused to seal a chunk")]
    Library,
}

/// What was read is not what was written, or belongs elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the contents are damaged, cut short, or belong to something else")]
pub struct DamagedContent;

/// How long a part is sealed, for its plaintext length; both in bytes. Saturates beyond [`PART_MAX`].
pub fn sealed_length(plaintext: u64) -> u64 {
    plaintext.saturating_add(chunks(plaintext).saturating_mul(TAG_LENGTH))
}

/// How many chunks a part of this plaintext length has: at least one.
fn chunks(plaintext: u64) -> u64 {
    plaintext.div_ceil(CHUNK_LENGTH).max(1)
}

impl ContentKey {
    /// A new random key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut secret = SecretArray::zeroed();
        randomness.fill(secret.expose_mut())?;
        Ok(Self(secret))
    }

    /// A key that was made before and opened from its seal, or a data key.
    pub fn from_secret(secret: SecretArray<32>) -> Self {
        Self(secret)
    }

    /// The secret itself, for sealing it under another key and nothing else.
    pub fn expose_for_sealing(&self) -> &SecretArray<32> {
        &self.0
    }

    /// Begins to seal a part. Its nonce must have been drawn for this write and no other.
    ///
    /// # Errors
    /// [`ContentError::Library`].
    pub fn sealer(&self, part: &Part) -> Result<PartSealer, ContentError> {
        Ok(PartSealer::new(self.chunk_cipher(part).map_err(|_| ContentError::Library)?))
    }

    /// Begins to open the bytes `from` to `to` (not included) of a part that has `length` bytes, all in plaintext. What
    /// reaches beyond the part is left out. [`PartOpener::sealed_range`] tells what to read.
    ///
    /// # Errors
    /// The length is none that a part can have.
    pub fn opener(&self, part: &Part, length: u64, from: u64, to: u64) -> Result<PartOpener, DamagedContent> {
        if length > PART_MAX {
            return Err(DamagedContent);
        }
        Ok(PartOpener::new(self.chunk_cipher(part).map_err(|_| DamagedContent)?, length, from, to))
    }

    fn chunk_cipher(&self, part: &Part) -> Result<ChunkCipher, Unspecified> {
        let fixed_input = [LABEL, &[0], &part.nonce.0, &DERIVED_BITS].concat();
        let derived = envelope::derive(&self.0, &fixed_input)?;
        let mut bound = [FORMAT; BOUND];
        let (_, rest) = bound.split_at_mut(1);
        let (owner, number) = rest.split_at_mut(part.owner.len());
        owner.copy_from_slice(&part.owner);
        number.copy_from_slice(&part.number.to_be_bytes());
        Ok(ChunkCipher { key: envelope::aes_256_gcm(derived.expose())?, bound })
    }
}

impl PartNonce {
    /// Draws one.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn draw(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut nonce = [0; NONCE];
        randomness.fill(&mut nonce)?;
        Ok(Self(nonce))
    }

    /// One that was drawn before.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Serialize for PartNonce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64_text::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PartNonce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = base64_text::deserialize(deserializer)?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom("a part nonce has 16 bytes"))
    }
}

/// Seals and opens the chunks of one part.
struct ChunkCipher {
    key: LessSafeKey,
    bound: [u8; BOUND],
}

impl ChunkCipher {
    /// Encrypts a chunk in place and gives its tag.
    fn seal(&self, index: u32, is_last: bool, chunk: &mut [u8]) -> Result<[u8; TAG], Unspecified> {
        if COPIES_ONLY {
            return Ok([0; TAG]);
        }
        let tag = envelope::encrypt(&self.key, &iv(index, is_last), &self.bound, chunk)?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// The plaintext of a sealed chunk.
    fn open(&self, index: u32, is_last: bool, sealed: &[u8]) -> Result<base::SecretBytes, Unspecified> {
        if COPIES_ONLY {
            let (chunk, _) = sealed.split_last_chunk::<TAG>().ok_or(Unspecified)?;
            let mut copy = base::SecretBytes::zeroed(chunk.len());
            copy.expose_mut().copy_from_slice(chunk);
            return Ok(copy);
        }
        envelope::decrypt(&self.key, &iv(index, is_last), &self.bound, sealed)
    }
}

fn iv(index: u32, is_last: bool) -> [u8; IV] {
    let [first, second, third, fourth] = index.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, first, second, third, fourth, u8::from(is_last)]
}

#[cfg(test)]
mod tests;
