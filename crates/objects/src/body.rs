//! The body of a request as S3 takes it: out of its chunks, as long as announced, and as it was signed.

use std::ops::RangeInclusive;

use bytes::Bytes;
use crypto::digest::Sha256;
use wire::s3::Chunked;
use wire::sigv4::{InvalidSignature, Payload};

use crate::error::ObjectsError;
use crate::request::{BodySource, Headers};

/// The longest object that one call puts, in bytes (5 GiB).
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PUT_MAX: u64 = 5 << 30;

/// The longest body in XML, in bytes: a thousand keys of 1,024 bytes that need escaping fit.
const XML_MAX: u64 = 8 << 20;

/// A body that is being read.
pub(crate) struct Body {
    source: Box<dyn BodySource>,
    chunked: Option<Chunked>,
    signed: Option<(Sha256, [u8; 32])>,
    /// What it must have, in bytes.
    lengths: RangeInclusive<u64>,
    is_announced: bool,
    seen: u64,
    piece: Bytes,
}

impl Body {
    /// Begins to read.
    ///
    /// # Errors
    /// Its length is not announced, or too long.
    pub(crate) fn new(
        headers: &Headers,
        payload: Payload,
        source: Box<dyn BodySource>,
        longest: u64,
    ) -> Result<Self, ObjectsError> {
        let is_chunked = matches!(payload, Payload::UnsignedChunks | Payload::SignedChunks(_));
        let length = announced_length(headers, is_chunked)?;
        if length > longest {
            return Err(too_large(length, longest));
        }
        let (chunked, signed) = match payload {
            Payload::Digest(digest) => (None, Some((Sha256::new(), digest))),
            Payload::Unsigned => (None, None),
            Payload::UnsignedChunks => (Some(Chunked::new(None)), None),
            Payload::SignedChunks(signatures) => (Some(Chunked::new(Some(signatures))), None),
        };
        let (lengths, piece) = (length..=length, Bytes::new());
        Ok(Self { source, chunked, signed, lengths, is_announced: true, seen: 0, piece })
    }

    /// Begins to read the file of a form, which has one of these lengths.
    pub(crate) fn of_form(source: Box<dyn BodySource>, lengths: RangeInclusive<u64>) -> Self {
        let (chunked, signed, piece) = (None, None, Bytes::new());
        Self { source, chunked, signed, lengths, is_announced: false, seen: 0, piece }
    }

    /// A short body in one piece.
    ///
    /// # Errors
    /// It is too long, cut short, or not as it was signed.
    pub(crate) async fn read_xml(
        headers: &Headers,
        payload: Payload,
        source: Box<dyn BodySource>,
    ) -> Result<Vec<u8>, ObjectsError> {
        if headers.get("content-length").is_none() && headers.get("transfer-encoding").is_none() {
            return Ok(Vec::new());
        }
        let mut body = Self::new(headers, payload, source, XML_MAX)?;
        let mut whole = Vec::new();
        while let Some(piece) = body.next().await? {
            whole.extend_from_slice(&piece);
        }
        body.finish()?;
        Ok(whole)
    }

    /// The next bytes of the plaintext.
    ///
    /// # Errors
    /// The body is longer than announced, or does not come.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ObjectsError> {
        loop {
            if self.piece.is_empty() {
                let Some(piece) = self.source.next().await? else { return Ok(None) };
                self.piece = piece;
            }
            let Some(data) = self.take()? else { continue };
            self.seen = self.seen.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            let longest = *self.lengths.end();
            if self.seen > longest {
                return Err(if self.is_announced { incomplete() } else { too_large(self.seen, longest) });
            }
            if let Some((digest, _)) = &mut self.signed {
                digest.update(&data);
            }
            return Ok(Some(data));
        }
    }

    /// What is data in the piece at hand.
    fn take(&mut self) -> Result<Option<Bytes>, ObjectsError> {
        let piece = std::mem::take(&mut self.piece);
        let Some(chunked) = &mut self.chunked else { return Ok(Some(piece)) };
        let mut rest: &[u8] = &piece;
        let data = chunked.next(&mut rest)?.map(|data| piece.slice_ref(data));
        self.piece = piece.slice_ref(rest);
        Ok(data)
    }

    /// Judges the whole body, of which all has been read, and gives the headers behind it.
    ///
    /// # Errors
    /// It is shorter than announced, or not as it was signed.
    pub(crate) fn finish(self) -> Result<Vec<(String, String)>, ObjectsError> {
        let trailer = self.chunked.map_or(Ok(Vec::new()), Chunked::finish)?;
        let shortest = *self.lengths.start();
        if self.seen < shortest {
            return Err(if self.is_announced { incomplete() } else { too_small(self.seen, shortest) });
        }
        match self.signed.map(|(digest, signed)| digest.finish() == signed) {
            Some(false) => Err(InvalidSignature::PayloadHash.into()),
            Some(true) | None => Ok(trailer),
        }
    }
}

fn announced_length(headers: &Headers, is_chunked: bool) -> Result<u64, ObjectsError> {
    let name = if is_chunked { "x-amz-decoded-content-length" } else { "content-length" };
    let missing = || {
        ObjectsError::refused("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
    };
    let text = headers.get(name).ok_or_else(missing)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or_else(missing)
}

fn too_large(length: u64, longest: u64) -> ObjectsError {
    ObjectsError::bad("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", length.to_string())
        .with("MaxSizeAllowed", longest.to_string())
}

fn too_small(length: u64, shortest: u64) -> ObjectsError {
    ObjectsError::bad("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        .with("ProposedSize", length.to_string())
        .with("MinSizeAllowed", shortest.to_string())
}

fn incomplete() -> ObjectsError {
    let text = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    ObjectsError::bad("IncompleteBody", text)
}
