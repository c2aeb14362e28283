//! One message under a key of its own: SP 800-108 derivation, then AES-256-GCM (SP 800-38D).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};
use base::{Randomness, RandomnessUnavailable, SecretArray, SecretBytes};
use zeroize::Zeroize;

use crate::framing::push_framed;

/// Length of the random derivation nonce, in bytes.
pub(crate) const NONCE: usize = 16;
/// Length of AES-GCM's initialisation vector, in bytes.
pub(crate) const IV: usize = 12;
/// Length of AES-GCM's tag, in bytes.
pub(crate) const TAG: usize = 16;

/// Bits that the derivation puts out, as SP 800-108 encodes them at the end of its fixed input.
pub(crate) const DERIVED_BITS: [u8; 4] = 256_u32.to_be_bytes();

/// What one message is sealed with besides secret and plaintext.
///
/// The one-time key is SP 800-108r1 section 4.1 (counter mode, HMAC-SHA-256, 32-bit counter in front) over
/// `label || 00 || derivation || 00000100`. The associated data are the framed header and then `bound`.
pub(crate) struct Envelope<'a> {
    /// Says what the derived key is for; differs for each format.
    pub(crate) label: &'static [u8],
    /// The derivation nonce and what else the key depends on. Each format fixes its length.
    pub(crate) derivation: &'a [u8],
    /// The clear header of the message.
    pub(crate) header: &'a [u8],
    /// The initialisation vector, which also stands in the header.
    pub(crate) iv: &'a [u8; IV],
    /// What the message is bound to without holding it: encryption context or binding, in canonical form.
    pub(crate) bound: &'a [u8],
}

impl Envelope<'_> {
    /// Header, ciphertext and tag in one piece.
    pub(crate) fn seal(&self, secret: &SecretArray<32>, plaintext: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let key = self.one_time_key(secret)?;
        let mut message = Vec::with_capacity(self.header.len() + plaintext.len() + TAG);
        message.extend_from_slice(self.header);
        message.extend_from_slice(plaintext);
        match self.seal_tail(&key, &mut message) {
            Ok(tag) => {
                message.extend_from_slice(tag.as_ref());
                Ok(message)
            }
            Err(refused) => {
                message.zeroize();
                Err(refused)
            }
        }
    }

    /// The plaintext of `sealed`, which is ciphertext and tag.
    pub(crate) fn open(&self, secret: &SecretArray<32>, sealed: &[u8]) -> Result<SecretBytes, Unspecified> {
        decrypt(&self.one_time_key(secret)?, self.iv, &self.associated_data(), sealed)
    }

    fn seal_tail(&self, key: &LessSafeKey, message: &mut [u8]) -> Result<Tag, Unspecified> {
        let tail = message.get_mut(self.header.len()..).ok_or(Unspecified)?;
        encrypt(key, self.iv, &self.associated_data(), tail)
    }

    fn one_time_key(&self, secret: &SecretArray<32>) -> Result<LessSafeKey, Unspecified> {
        let derived = derive(secret, &[self.label, &[0], self.derivation, &DERIVED_BITS].concat())?;
        aes_256_gcm(derived.expose())
    }

    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(4 + self.header.len() + self.bound.len());
        push_framed(&mut data, self.header);
        data.extend_from_slice(self.bound);
        data
    }
}

/// SP 800-108r1 section 4.1: counter mode with HMAC-SHA-256 and a 32-bit counter before the fixed input.
pub(crate) fn derive(secret: &SecretArray<32>, fixed_input: &[u8]) -> Result<SecretArray<32>, Unspecified> {
    let algorithm = get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256).ok_or(Unspecified)?;
    let mut derived = SecretArray::<32>::zeroed();
    kbkdf_ctr_hmac(algorithm, secret.expose(), fixed_input, derived.expose_mut())?;
    Ok(derived)
}

pub(crate) fn aes_256_gcm(key: &[u8; 32]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new)
}

/// Encrypts in place. No two messages may have the same key and initialisation vector.
pub(crate) fn encrypt(
    key: &LessSafeKey,
    iv: &[u8; IV],
    associated_data: &[u8],
    message: &mut [u8],
) -> Result<Tag, Unspecified> {
    key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(*iv), Aad::from(associated_data), message)
}

/// The plaintext of ciphertext and tag.
pub(crate) fn decrypt(
    key: &LessSafeKey,
    iv: &[u8; IV],
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<SecretBytes, Unspecified> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(Unspecified)?;
    let mut plaintext = SecretBytes::zeroed(ciphertext.len());
    let nonce = Nonce::assume_unique_for_key(*iv);
    key.open_separate_gather(nonce, Aad::from(associated_data), ciphertext, tag, plaintext.expose_mut())?;
    Ok(plaintext)
}

/// Derivation nonce and initialisation vector in one draw: a draw costs the same for 12 bytes as for 28.
pub(crate) fn draw(randomness: &dyn Randomness) -> Result<([u8; NONCE], [u8; IV]), RandomnessUnavailable> {
    let mut drawn = [0; NONCE + IV];
    randomness.fill(&mut drawn)?;
    let (mut nonce, mut iv) = ([0; NONCE], [0; IV]);
    let (first, second) = drawn.split_at(NONCE);
    nonce.copy_from_slice(first);
    iv.copy_from_slice(second);
    Ok((nonce, iv))
}

#[cfg(test)]
mod vectors;
