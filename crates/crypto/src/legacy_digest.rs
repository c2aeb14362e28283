//! MD5 (RFC 1321) and SHA-1 (FIPS 180-4), which protect nothing any more: S3 has them in entity tags and checksums,
//! where they only find what went wrong on the way.

use aws_lc_rs::digest;
use md5::Digest as _;

/// An MD5 digest over data that comes in pieces.
#[derive(Default)]
pub struct Md5(md5::Md5);

impl Md5 {
    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces, in order.
    pub fn finish(self) -> [u8; 16] {
        self.0.finalize().into()
    }
}

/// A SHA-1 digest over data that comes in pieces.
pub struct Sha1(digest::Context);

impl Default for Sha1 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY))
    }
}

impl Sha1 {
    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces, in order.
    pub fn finish(self) -> [u8; 20] {
        self.0.finish().as_ref().try_into().unwrap_or([0; 20])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_published_digests_of_abc() {
        // RFC 1321 appendix A.5; FIPS 180-4 example values.
        let (mut md5, mut sha1) = (Md5::default(), Sha1::default());
        for piece in [&b"a"[..], b"", b"bc"] {
            md5.update(piece);
            sha1.update(piece);
        }
        assert_eq!(hexadecimal(&md5.finish()), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hexadecimal(&sha1.finish()), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_ne!(Md5::default().finish(), [0; 16]);
    }
}
