//! The key of one secret, day, Region and service.

use base::{SecretArray, SecretBytes, SecretString};
use crypto::digest::{HmacSha256Key, hmac_sha256};

use super::TERMINATOR;

/// A key that signs for one day, one Region and one service. Worth caching for the day, behind an `Arc`: deriving it costs
/// more than checking a signature with it. It cannot be printed or cloned, and does not give its bytes away.
pub struct SigningKey(HmacSha256Key);

impl SigningKey {
    /// Derives the key from the secret half of an access key and the parts of a [`super::Scope`].
    pub fn derive(secret: &SecretString, date: &str, region: &str, service: &str) -> Self {
        let mut start = SecretBytes::zeroed(4 + secret.expose().len());
        let prefixed = b"AWS4".iter().chain(secret.expose().as_bytes());
        for (to, from) in start.expose_mut().iter_mut().zip(prefixed) {
            *to = *from;
        }
        let of_date = step(start.expose(), date);
        let of_region = step(of_date.expose(), region);
        let of_service = step(of_region.expose(), service);
        Self(HmacSha256Key::new(step(of_service.expose(), TERMINATOR).expose()))
    }

    /// The signature of a string to sign.
    pub(super) fn sign(&self, string_to_sign: &[u8]) -> [u8; 32] {
        self.0.sign(string_to_sign)
    }
}

fn step(key: &[u8], data: &str) -> SecretArray<32> {
    let mut next = SecretArray::zeroed();
    next.expose_mut().copy_from_slice(&hmac_sha256(key, data.as_bytes()));
    next
}
