//! COSE_Sign1 with ES384 (RFC 9052 section 4.2, RFC 9053 section 2.1).

use aws_lc_rs::signature::ParsedPublicKey;
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

/// Tag of a COSE_Sign1; a document may go without.
const COSE_SIGN1: u64 = 18;

/// Label and value of the only header: the algorithm is ES384.
const ALGORITHM: i64 = 1;
const ES384: i64 = -35;

/// The longest payload, in bytes: as AWS publishes it.
const PAYLOAD_MAX: usize = 16_384;

/// The length of an ES384 signature, in bytes: r and s.
const SIGNATURE: usize = 96;

/// A signed message that was read but not verified.
pub(super) struct Signed<'a> {
    protected: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads one COSE_Sign1 with nothing after it.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Decoder::new(bytes);
        if reader.probe().tag().is_ok() && reader.tag().ok()? != Tag::new(COSE_SIGN1) {
            return None;
        }
        let four = reader.array().ok()? == Some(4);
        let protected = reader.bytes().ok()?;
        let no_unprotected_header = reader.map().ok()? == Some(0);
        let payload = reader.bytes().ok()?;
        let signature = reader.bytes().ok()?;
        let whole = four
            && no_unprotected_header
            && names_es384(protected)
            && (1..=PAYLOAD_MAX).contains(&payload.len())
            && signature.len() == SIGNATURE
            && reader.position() == bytes.len();
        whole.then_some(Self { protected, payload, signature })
    }

    /// What was signed.
    pub(super) fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Whether this key made the signature.
    pub(super) fn is_signed_by(&self, key: &ParsedPublicKey) -> bool {
        let mut message = Encoder::new(Vec::with_capacity(self.payload.len() + 64));
        let written = message
            .array(4)
            .and_then(|message| message.str("Signature1"))
            .and_then(|message| message.bytes(self.protected))
            .and_then(|message| message.bytes(&[]))
            .and_then(|message| message.bytes(self.payload))
            .is_ok();
        written && key.verify_sig(message.writer(), self.signature).is_ok()
    }
}

/// Whether the protected header says `{1: -35}` and nothing else.
fn names_es384(protected: &[u8]) -> bool {
    let mut reader = Decoder::new(protected);
    matches!(reader.map(), Ok(Some(1)))
        && matches!(reader.i64(), Ok(ALGORITHM))
        && matches!(reader.i64(), Ok(ES384))
        && reader.position() == protected.len()
}
