//! Files for recipients, in the format age-encryption.org/v1 (<https://age-encryption.org/v1>): whoever has a
//! recipient's public key encrypts, whoever has its identity decrypts, here or with any other program for that format.
//!
//! Of the kinds of recipients there is one here, X25519; stanzas of other kinds are passed over. A file is written and
//! read as a stream, in chunks of 64 KiB. Nothing of a chunk is given before it is known to be what was written, and
//! the end only if it is the end. Who wrote a file the format does not tell: anybody can who has a recipient.

mod header;
mod keys;
mod payload;
mod stanza;
#[cfg(test)]
mod tests;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base::SecretArray;

pub use header::OpenError;
pub use keys::{Identity, InvalidIdentity, InvalidRecipient, Recipient, read_identities, read_recipients};
pub use payload::{Decryptor, EncryptError, Encryptor};

/// Length of the key of one file, in bytes.
const FILE_KEY: usize = 16;
/// Length of the tag behind each encrypted piece, in bytes.
const TAG: usize = 16;

/// HKDF with SHA-256 (RFC 5869), for 32 bytes.
fn derive(secret: &[u8], salt: &[u8], purpose: &[u8]) -> Result<SecretArray<32>, Unspecified> {
    let mut derived = SecretArray::zeroed();
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&[purpose], HKDF_SHA256)?.fill(derived.expose_mut())?;
    Ok(derived)
}

fn cipher(key: &SecretArray<32>) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, key.expose()).map(LessSafeKey::new)
}

/// Encrypts in place and appends the tag.
fn seal(key: &LessSafeKey, nonce: [u8; 12], bytes: &mut Vec<u8>) -> Result<(), Unspecified> {
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), bytes)
}

/// Decrypts in place, and tells how long the plaintext is, which lies at the beginning.
fn open(key: &LessSafeKey, nonce: [u8; 12], bytes: &mut [u8]) -> Result<usize, Unspecified> {
    let plaintext = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), bytes)?;
    Ok(plaintext.len())
}
