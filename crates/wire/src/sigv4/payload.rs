//! What S3 lets a signature say of a body that is not there in full when the head is judged: its digest, nothing, or
//! that each chunk is signed by itself.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use std::sync::Arc;

use crypto::digest;

use super::{Form, InvalidSignature, Refusal, RequestHead, SignedRequest, SigningKey, canonical};

const UNSIGNED: &[u8] = b"UNSIGNED-PAYLOAD";
const UNSIGNED_CHUNKS: &[u8] = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// What the signature of a request says of its body.
pub enum Payload {
    /// The body has this SHA-256 digest. Whoever reads it must compare.
    Digest([u8; 32]),
    /// The signature does not cover the body.
    Unsigned,
    /// The body comes in chunks of aws-chunked, with headers behind it, and the signature covers none of it.
    UnsignedChunks,
    /// The body comes in chunks of aws-chunked that are signed one after another.
    SignedChunks(ChunkSignatures),
}

/// Checks the signatures of chunks, each of which covers the one before. It cannot be printed.
pub struct ChunkSignatures {
    key: Arc<SigningKey>,
    /// Time and scope, as in every string to sign.
    scope: String,
    previous: String,
    has_trailer: bool,
}

impl Payload {
    /// What a head says of its body that nobody signed.
    ///
    /// # Errors
    /// [`InvalidSignature::PayloadHashUnknown`], also if chunks are to be signed: nobody could tell by whom.
    pub fn unsigned(declared: Option<&[u8]>) -> Result<Self, Refusal> {
        match declared {
            None | Some(UNSIGNED) => Ok(Self::Unsigned),
            Some(UNSIGNED_CHUNKS) => Ok(Self::UnsignedChunks),
            Some(digest) => {
                Ok(Self::Digest(read_digest(digest).ok_or(InvalidSignature::PayloadHashUnknown)?))
            }
        }
    }
}

impl SignedRequest<'_> {
    /// Refuses unless whoever holds `key` signed this head, as S3 wants it: the body comes later, and what is said of
    /// it is told. Otherwise like [`SignedRequest::verify`].
    ///
    /// # Errors
    /// [`InvalidSignature::PayloadHashMissing`], [`InvalidSignature::PayloadHashUnknown`] or
    /// [`InvalidSignature::Mismatch`].
    pub fn verify_head(&self, head: &RequestHead<'_>, key: &Arc<SigningKey>) -> Result<Payload, Refusal> {
        let declared = match (self.declared_payload_hash, self.form) {
            (Some(declared), _) => declared,
            (None, Form::Query) => UNSIGNED,
            (None, Form::Header) => return Err(InvalidSignature::PayloadHashMissing.into()),
        };
        let expected = self.signature_of(head, declared, key);
        if !digest::constant_time_equal(&expected, &self.signature) {
            return Err(InvalidSignature::Mismatch.into());
        }
        let chunks = |has_trailer| Payload::SignedChunks(self.chunk_signatures(key, &expected, has_trailer));
        Ok(match declared {
            UNSIGNED => Payload::Unsigned,
            UNSIGNED_CHUNKS => Payload::UnsignedChunks,
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => chunks(false),
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => chunks(true),
            _ => Payload::Digest(read_digest(declared).ok_or(InvalidSignature::PayloadHashUnknown)?),
        })
    }

    fn chunk_signatures(&self, key: &Arc<SigningKey>, seed: &[u8; 32], has_trailer: bool) -> ChunkSignatures {
        let scope = &self.scope;
        let scope = format!(
            "{}\n{}/{}/{}/{}",
            self.moment.iso_basic(),
            scope.date,
            scope.region,
            scope.service,
            super::TERMINATOR
        );
        ChunkSignatures { key: Arc::clone(key), scope, previous: hexadecimal(seed), has_trailer }
    }
}

impl ChunkSignatures {
    /// Whether signed headers come behind the chunks.
    pub fn has_trailer(&self) -> bool {
        self.has_trailer
    }

    /// Refuses the next chunk unless this is its signature. `digest` is the SHA-256 digest of its data.
    ///
    /// # Errors
    /// [`InvalidSignature::Mismatch`].
    pub fn check_chunk(&mut self, digest: &[u8; 32], signature: &str) -> Result<(), Refusal> {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}",
            self.scope,
            self.previous,
            hexadecimal(&digest::sha256(b"")),
            hexadecimal(digest)
        );
        self.check(&text, signature)
    }

    /// Refuses the headers behind the chunks unless this is their signature. `lines` are `name:value` and a line feed
    /// each.
    ///
    /// # Errors
    /// [`InvalidSignature::Mismatch`].
    pub fn check_trailer(&mut self, lines: &str, signature: &str) -> Result<(), Refusal> {
        let hash = hexadecimal(&digest::sha256(lines.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{hash}", self.scope, self.previous);
        self.check(&text, signature)
    }

    fn check(&mut self, string_to_sign: &str, signature: &str) -> Result<(), Refusal> {
        let expected = hexadecimal(&self.key.sign(string_to_sign.as_bytes()));
        if !digest::constant_time_equal(expected.as_bytes(), signature.as_bytes()) {
            return Err(InvalidSignature::Mismatch.into());
        }
        self.previous = expected;
        Ok(())
    }
}

fn read_digest(text: &[u8]) -> Option<[u8; 32]> {
    super::read_signature(std::str::from_utf8(text).ok()?)
}

fn hexadecimal(bytes: &[u8; 32]) -> String {
    canonical::hexadecimal(bytes).iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use base::SecretString;

    use super::*;
    use crate::sigv4;

    // The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    const CHUNKS: [(usize, &str); 3] = [
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ];

    fn key() -> Arc<SigningKey> {
        let secret = SecretString::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned());
        Arc::new(SigningKey::derive(&secret, "20130524", "us-east-1", "s3"))
    }

    fn payload(declared: &str, authorization: &str) -> Result<Payload, Refusal> {
        let headers: [(&str, &[u8]); 8] = [
            ("authorization", authorization.as_bytes()),
            ("content-encoding", b"aws-chunked"),
            ("content-length", b"66824"),
            ("host", b"s3.amazonaws.com"),
            ("x-amz-content-sha256", declared.as_bytes()),
            ("x-amz-date", b"20130524T000000Z"),
            ("x-amz-decoded-content-length", b"66560"),
            ("x-amz-storage-class", b"REDUCED_REDUNDANCY"),
        ];
        let path = "/examplebucket/chunkObject.txt";
        let head = RequestHead { method: "PUT", path, query: "", headers: &headers };
        sigv4::parse(&head)?.verify_head(&head, &key())
    }

    fn chunks() -> ChunkSignatures {
        match payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", AUTHORIZATION).unwrap() {
            Payload::SignedChunks(signatures) => signatures,
            Payload::Digest(_) | Payload::Unsigned | Payload::UnsignedChunks => {
                panic!("not signed by chunks")
            }
        }
    }

    #[test]
    fn the_published_chunks_are_signed_as_published() {
        let mut signatures = chunks();
        assert!(!signatures.has_trailer());
        for (length, signature) in CHUNKS {
            let digest = digest::sha256(&vec![b'a'; length]);
            assert!(signatures.check_chunk(&digest, signature).is_ok(), "{length}");
        }
    }

    #[test]
    fn another_chunk_signature_or_order_is_refused() {
        let digest = digest::sha256(&vec![b'a'; 65_536]);
        assert!(chunks().check_chunk(&digest::sha256(b"b"), CHUNKS[0].1).is_err());
        assert!(chunks().check_chunk(&digest, CHUNKS[1].1).is_err());
        assert!(chunks().check_chunk(&digest, "").is_err());
        assert!(chunks().check_chunk(&digest::sha256(b""), CHUNKS[2].1).is_err());
        assert!(chunks().check_trailer("a:b\n", CHUNKS[0].1).is_err());
    }

    #[test]
    fn what_nobody_signed_has_no_signed_chunks() {
        let digest = "0a".repeat(32);
        assert!(matches!(Payload::unsigned(None), Ok(Payload::Unsigned)));
        assert!(matches!(Payload::unsigned(Some(UNSIGNED)), Ok(Payload::Unsigned)));
        assert!(matches!(Payload::unsigned(Some(UNSIGNED_CHUNKS)), Ok(Payload::UnsignedChunks)));
        assert!(matches!(Payload::unsigned(Some(digest.as_bytes())), Ok(Payload::Digest(_))));
        for declared in
            ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "", "x"]
        {
            let refused = Payload::unsigned(Some(declared.as_bytes())).err();
            assert_eq!(refused, Some(InvalidSignature::PayloadHashUnknown.into()), "{declared}");
        }
    }

    #[test]
    fn the_head_is_signed_with_what_it_says_of_the_body() {
        let refused = |declared| payload(declared, AUTHORIZATION).err().unwrap();
        assert_eq!(refused("UNSIGNED-PAYLOAD"), InvalidSignature::Mismatch.into());
        let wrong = AUTHORIZATION.replace("4f232c", "4f232d");
        let refused = payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &wrong).err().unwrap();
        assert_eq!(refused, InvalidSignature::Mismatch.into());
    }
}
