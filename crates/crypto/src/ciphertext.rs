//! The ciphertext blob, format 1. Fixed for ever: what one release wrote, every later one reads.
//!
//! `corpus/ciphertext/v1/` holds vectors and an independent reader in Python. All numbers are big endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 2 | `01 02`, so that the base64 text begins with `AQIB` |
//! | 2 | 1 | format: `01` |
//! | 3 | 1 | kind of key id: `00` single-Region, `01` multi-Region |
//! | 4 | 8 | account id, below 10^12 |
//! | 12 | 16 | key id |
//! | 28 | 32 | id of the key material |
//! | 60 | 16 | random derivation nonce N |
//! | 76 | 12 | random initialisation vector |
//! | 88 | n | AES-256-GCM ciphertext, as long as the plaintext: 0 to [`PLAINTEXT_MAX`] bytes |
//! | 88 + n | 16 | AES-GCM tag |
//!
//! One-time key: SP 800-108r1 counter mode with HMAC-SHA-256 and a 32-bit counter in front, under the key material, over
//! `"keywright ciphertext v1" || 00 || N || kind || key id || 00000100`, 32 bytes out. Associated data: the length of
//! the header (u32, 88), the header (bytes 0 to 87), and the canonical [`EncryptionContext`](crate::EncryptionContext).
//!
//! The account and the key id are there for finding the key; neither is trusted before the tag has been verified. The
//! Region is not in the blob: related multi-Region keys open one another's ciphertexts.

use base::{AccountId, KeyId};

use crate::KeyMaterialId;
use crate::envelope::{IV, NONCE, TAG};

/// Longest plaintext that the format holds, in bytes (1 MiB). The operations' own limits are much narrower.
pub const PLAINTEXT_MAX: usize = 1 << 20;

/// How much longer a ciphertext is than its plaintext, in bytes.
pub const OVERHEAD: usize = HEADER + TAG;

pub(crate) const LABEL: &[u8] = b"keywright ciphertext v1";
pub(crate) const HEADER: usize = 88;

const MAGIC_AND_FORMAT: [u8; 3] = [0x01, 0x02, 0x01];
const SINGLE_REGION: u8 = 0;
const MULTI_REGION: u8 = 1;

/// The ciphertext is not one of ours, was changed, or does not belong to this key and encryption context.
///
/// There is one such error and it has no reason, in the client's answer as in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext is damaged or does not belong to this key and encryption context")]
pub struct InvalidCiphertext;

/// A ciphertext blob, taken apart but not yet verified: whose it says it is.
#[derive(Clone, Copy)]
pub struct Ciphertext<'a> {
    header: &'a [u8; HEADER],
    sealed: &'a [u8],
    account: AccountId,
    key_id: KeyId,
    material_id: KeyMaterialId,
    nonce: &'a [u8; NONCE],
    iv: &'a [u8; IV],
}

impl<'a> Ciphertext<'a> {
    /// Takes a blob apart without copying the ciphertext.
    ///
    /// # Errors
    /// The bytes are not a blob of a format that this release knows.
    pub fn parse(blob: &'a [u8]) -> Result<Self, InvalidCiphertext> {
        Self::parts(blob).ok_or(InvalidCiphertext)
    }

    /// The account that the blob names.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The key that the blob names.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The version of key material that the blob names.
    pub fn material_id(&self) -> KeyMaterialId {
        self.material_id
    }

    pub(crate) fn header(&self) -> &'a [u8; HEADER] {
        self.header
    }

    pub(crate) fn nonce(&self) -> &'a [u8; NONCE] {
        self.nonce
    }

    pub(crate) fn iv(&self) -> &'a [u8; IV] {
        self.iv
    }

    /// Ciphertext and tag.
    pub(crate) fn sealed(&self) -> &'a [u8] {
        self.sealed
    }

    fn parts(blob: &'a [u8]) -> Option<Self> {
        let (header, sealed) = blob.split_first_chunk::<HEADER>()?;
        if !(TAG..=TAG + PLAINTEXT_MAX).contains(&sealed.len()) {
            return None;
        }
        let rest = header.strip_prefix(&MAGIC_AND_FORMAT)?;
        let ([kind], rest) = rest.split_first_chunk::<1>()?;
        let (account, rest) = rest.split_first_chunk::<8>()?;
        let (key_id, rest) = rest.split_first_chunk::<16>()?;
        let (material_id, rest) = rest.split_first_chunk::<32>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        Some(Self {
            header,
            sealed,
            account: AccountId::from_number(u64::from_be_bytes(*account)).ok()?,
            key_id: key_id_of_kind(*kind, *key_id)?,
            material_id: KeyMaterialId::from_bytes(*material_id),
            nonce,
            iv: rest.try_into().ok()?,
        })
    }
}

/// The clear header of a new ciphertext.
pub(crate) fn header(
    account: AccountId,
    key_id: &KeyId,
    material_id: &KeyMaterialId,
    nonce: &[u8; NONCE],
    iv: &[u8; IV],
) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC_AND_FORMAT);
    header.push(kind(key_id));
    header.extend_from_slice(&account.number().to_be_bytes());
    header.extend_from_slice(key_id.bytes());
    header.extend_from_slice(material_id.bytes());
    header.extend_from_slice(nonce);
    header.extend_from_slice(iv);
    header
}

/// The byte that tells a single-Region key id from a multi-Region one.
pub(crate) fn kind(key_id: &KeyId) -> u8 {
    match key_id {
        KeyId::SingleRegion(_) => SINGLE_REGION,
        KeyId::MultiRegion(_) => MULTI_REGION,
    }
}

fn key_id_of_kind(kind: u8, bytes: [u8; 16]) -> Option<KeyId> {
    match kind {
        SINGLE_REGION => Some(KeyId::SingleRegion(bytes)),
        MULTI_REGION => Some(KeyId::MultiRegion(bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob(plaintext_length: usize) -> Vec<u8> {
        let account = AccountId::from_number(123_456_789_012).unwrap();
        let material_id = KeyMaterialId::from_bytes([4; 32]);
        let mut blob = header(account, &KeyId::MultiRegion([3; 16]), &material_id, &[5; NONCE], &[6; IV]);
        blob.resize(HEADER + plaintext_length + TAG, 0);
        blob
    }

    #[test]
    fn the_header_says_whose_the_ciphertext_is() {
        let blob = blob(9);
        let ciphertext = Ciphertext::parse(&blob).unwrap();
        assert_eq!(ciphertext.account().to_string(), "123456789012");
        assert_eq!(ciphertext.key_id(), KeyId::MultiRegion([3; 16]));
        assert_eq!(ciphertext.material_id(), KeyMaterialId::from_bytes([4; 32]));
        assert_eq!((ciphertext.nonce(), ciphertext.iv()), (&[5; NONCE], &[6; IV]));
        assert_eq!(ciphertext.sealed().len(), 25);
    }

    #[test]
    fn lengths_are_bounded_on_both_sides() {
        assert!(Ciphertext::parse(&blob(0)).is_ok());
        assert!(Ciphertext::parse(&blob(0)[..HEADER + TAG - 1]).is_err());
        assert!(Ciphertext::parse(&blob(PLAINTEXT_MAX)).is_ok());
        assert!(Ciphertext::parse(&blob(PLAINTEXT_MAX + 1)).is_err());
    }

    #[test]
    fn unknown_marks_kinds_and_accounts_are_refused() {
        for (at, byte) in [(0, 0), (1, 1), (2, 0), (2, 2), (3, 2), (3, 255), (4, 1)] {
            let mut blob = blob(1);
            blob[at] = byte;
            assert!(Ciphertext::parse(&blob).is_err(), "byte {at} = {byte}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes: Vec<u8>, prefixed: bool) {
            let bytes = if prefixed { [&MAGIC_AND_FORMAT[..], &[0], &[0; 8], &bytes].concat() } else { bytes };
            if let Ok(ciphertext) = Ciphertext::parse(&bytes) {
                prop_assert_eq!(ciphertext.header().len() + ciphertext.sealed().len(), bytes.len());
            }
        }

        #[test]
        fn the_header_reads_back(account in 0..1_000_000_000_000_u64, multi: bool, id: [u8; 16],
                                 material: [u8; 32], nonce: [u8; NONCE], iv: [u8; IV]) {
            let account = AccountId::from_number(account).unwrap();
            let key_id = if multi { KeyId::MultiRegion(id) } else { KeyId::SingleRegion(id) };
            let material = KeyMaterialId::from_bytes(material);
            let blob = [header(account, &key_id, &material, &nonce, &iv), vec![0; TAG]].concat();
            let read = Ciphertext::parse(&blob).unwrap();
            prop_assert_eq!((read.account(), read.key_id(), read.material_id()), (account, key_id, material));
            prop_assert_eq!((read.nonce(), read.iv()), (&nonce, &iv));
        }
    }
}
