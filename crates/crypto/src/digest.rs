//! SHA-256 (FIPS 180-4), HMAC-SHA-256 (FIPS 198-1) and comparison in constant time.

use aws_lc_rs::{constant_time, digest, hmac};

/// Length of a SHA-256 digest and of an HMAC-SHA-256 tag, in bytes.
const LENGTH: usize = 32;

/// The SHA-256 digest of `data`.
pub fn sha256(data: &[u8]) -> [u8; LENGTH] {
    to_array(digest::digest(&digest::SHA256, data).as_ref())
}

/// A SHA-256 digest over data that comes in pieces.
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Starts with no data.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces, in order.
    pub fn finish(self) -> [u8; LENGTH] {
        to_array(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// The HMAC-SHA-256 tag of `data` under `key`. For one use of a key; keep an [`HmacSha256Key`] for several.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; LENGTH] {
    HmacSha256Key::new(key).sign(data)
}

/// An HMAC-SHA-256 key, prepared for any number of tags. It cannot be printed, cloned or stored.
pub struct HmacSha256Key(hmac::Key);

impl HmacSha256Key {
    /// Prepares a key of any length, as FIPS 198-1 has it.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The tag of `data`.
    pub fn sign(&self, data: &[u8]) -> [u8; LENGTH] {
        to_array(hmac::sign(&self.0, data).as_ref())
    }
}

/// Whether both are equal. The time taken depends on the lengths alone, never on where they differ.
pub fn constant_time_equal(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// The library's answers are slices of exactly this length; here the length becomes part of the type.
fn to_array(bytes: &[u8]) -> [u8; LENGTH] {
    bytes.try_into().unwrap_or([0; LENGTH])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_published_digest_of_abc() {
        // FIPS 180-4 example values, NIST "SHA256.pdf".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hexadecimal(&sha256(b"abc")), expected);
        let mut pieces = Sha256::new();
        pieces.update(b"a");
        pieces.update(b"");
        pieces.update(b"bc");
        assert_eq!(hexadecimal(&pieces.finish()), expected);
        assert_ne!(hexadecimal(&sha256(b"abd")), expected);
    }

    #[test]
    fn the_published_tags_of_rfc_4231() {
        // RFC 4231, test cases 2 and 6 (a key longer than the block).
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hexadecimal(&tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let tag =
            HmacSha256Key::new(&[0xaa; 131]).sign(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hexadecimal(&tag), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn only_equal_bytes_are_equal() {
        assert!(constant_time_equal(b"", b""));
        assert!(constant_time_equal(b"same", b"same"));
        for (left, right) in [(&b"same"[..], &b"sane"[..]), (b"same", b"sam"), (b"", b"s")] {
            assert!(!constant_time_equal(left, right));
        }
    }
}
