//! Reading a body of aws-chunked: chunks with their length in front, signed or not, and headers behind the last one.
//!
//! ```text
//! 10000;chunk-signature=<64 digits>\r\n<65536 bytes>\r\n
//! 0;chunk-signature=<64 digits>\r\n
//! x-amz-checksum-crc32:<base64>\r\n
//! x-amz-trailer-signature:<64 digits>\r\n
//! \r\n
//! ```
//!
//! Sources: those of [`crate::sigv4::Payload`].

use crypto::digest::Sha256;

use crate::sigv4::{ChunkSignatures, Refusal};

/// The most data that one step gives, in bytes.
pub const DATA_AT_ONCE_MAX: usize = 1 << 16;

/// The longest line outside data, in bytes: far above what any client sends.
const LINE_MAX: usize = 4_096;
/// The most headers behind the chunks.
const TRAILER_LINES_MAX: usize = 16;
const SIGNATURE: &str = "x-amz-trailer-signature";

/// The body is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkedFault {
    /// It has not the form of aws-chunked, or ends too early.
    #[error("the body is not whole chunks of aws-chunked")]
    Malformed,
    /// A signature is missing or wrong.
    #[error(transparent)]
    Signature(#[from] Refusal),
}

/// Reads such a body as it comes.
pub struct Chunked {
    signatures: Option<ChunkSignatures>,
    state: State,
    line: Vec<u8>,
    trailer: Vec<(String, String)>,
    /// The trailer's lines as they are signed.
    signed_lines: String,
}

enum State {
    /// In the line before a chunk.
    Head,
    /// In the data of a chunk: what is missing of it, and how it is judged at its end.
    Data { missing: u64, is_last: bool, digest: Option<Sha256>, signature: String },
    /// In the line end behind a chunk's data.
    DataEnd,
    /// In the headers behind the last chunk.
    Trailer,
    /// Behind everything.
    End,
}

impl Chunked {
    /// A body whose chunks are signed, or not.
    pub fn new(signatures: Option<ChunkSignatures>) -> Self {
        let (line, trailer) = (Vec::new(), Vec::new());
        Self { signatures, state: State::Head, line, trailer, signed_lines: String::new() }
    }

    /// Takes bytes off the front of `input` and gives data among them; `None` means that all was taken and more is
    /// needed.
    ///
    /// # Errors
    /// See [`ChunkedFault`]. Data of a signed chunk is given before its signature is checked: nothing of a body may
    /// last that is not whole.
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, ChunkedFault> {
        while !input.is_empty() {
            if let State::Data { missing, digest, .. } = &mut self.state {
                let length = usize::try_from(*missing).unwrap_or(usize::MAX).min(DATA_AT_ONCE_MAX);
                let (data, rest) = input.split_at(length.min(input.len()));
                *input = rest;
                if let Some(digest) = digest {
                    digest.update(data);
                }
                *missing = missing.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX));
                if *missing == 0 {
                    self.end_data()?;
                }
                return Ok(Some(data));
            }
            self.take_line(input)?;
        }
        Ok(None)
    }

    /// The headers behind the chunks, names in lower case, once the body is at its end.
    ///
    /// # Errors
    /// [`ChunkedFault::Malformed`] if it is not.
    pub fn finish(self) -> Result<Vec<(String, String)>, ChunkedFault> {
        match self.state {
            State::End => Ok(self.trailer),
            State::Head | State::Data { .. } | State::DataEnd | State::Trailer => {
                Err(ChunkedFault::Malformed)
            }
        }
    }

    fn take_line(&mut self, input: &mut &[u8]) -> Result<(), ChunkedFault> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (now, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        *input = rest;
        if self.line.len() + now.len() > LINE_MAX {
            return Err(ChunkedFault::Malformed);
        }
        self.line.extend_from_slice(now);
        if end.is_none() {
            return Ok(());
        }
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| ChunkedFault::Malformed)?;
        let line = line.strip_suffix("\r\n").ok_or(ChunkedFault::Malformed)?;
        match self.state {
            State::Head => self.begin_chunk(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Head;
                Ok(())
            }
            State::Trailer => self.take_trailer(line),
            State::Data { .. } | State::DataEnd | State::End => Err(ChunkedFault::Malformed),
        }
    }

    fn begin_chunk(&mut self, line: &str) -> Result<(), ChunkedFault> {
        let (length, extension) = line.split_once(';').unwrap_or((line, ""));
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_hexdigit());
        let missing = u64::from_str_radix(length, 16).ok().filter(|_| is_number);
        let missing = missing.ok_or(ChunkedFault::Malformed)?;
        let signature = extension.strip_prefix("chunk-signature=").unwrap_or_default().to_owned();
        let digest = self.signatures.as_ref().map(|_| Sha256::new());
        self.state = State::Data { missing, is_last: missing == 0, digest, signature };
        if missing == 0 { self.end_data() } else { Ok(()) }
    }

    /// Judges a chunk whose data has come.
    fn end_data(&mut self) -> Result<(), ChunkedFault> {
        let State::Data { is_last, digest, signature, .. } =
            std::mem::replace(&mut self.state, State::DataEnd)
        else {
            return Err(ChunkedFault::Malformed);
        };
        // The last chunk has no data: its line is followed by the headers.
        if is_last {
            self.state = State::Trailer;
        }
        match (&mut self.signatures, digest) {
            (Some(signatures), Some(digest)) => Ok(signatures.check_chunk(&digest.finish(), &signature)?),
            _ => Ok(()),
        }
    }

    fn take_trailer(&mut self, line: &str) -> Result<(), ChunkedFault> {
        if line.is_empty() {
            return self.end();
        }
        let (name, value) = line.split_once(':').ok_or(ChunkedFault::Malformed)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let is_repeated = self.trailer.iter().any(|(known, _)| *known == name);
        if is_repeated || self.trailer.len() == TRAILER_LINES_MAX {
            return Err(ChunkedFault::Malformed);
        }
        if name != SIGNATURE {
            self.signed_lines.push_str(&format!("{name}:{value}\n"));
        }
        self.trailer.push((name, value.to_owned()));
        Ok(())
    }

    fn end(&mut self) -> Result<(), ChunkedFault> {
        self.state = State::End;
        let signature = self.trailer.iter().position(|(name, _)| name == SIGNATURE);
        let signature = signature.map(|at| self.trailer.remove(at).1);
        match &mut self.signatures {
            Some(signatures) if signatures.has_trailer() => {
                Ok(signatures.check_trailer(&self.signed_lines, &signature.unwrap_or_default())?)
            }
            // What is behind signed chunks without being signed itself is not from the signer.
            Some(_) if !self.trailer.is_empty() => Err(ChunkedFault::Malformed),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = Result<(Vec<u8>, Vec<(String, String)>), ChunkedFault>;

    fn read(body: &[u8], piece: usize) -> Read {
        let (mut chunked, mut data) = (Chunked::new(None), Vec::new());
        for mut input in body.chunks(piece) {
            while let Some(some) = chunked.next(&mut input)? {
                data.extend_from_slice(some);
            }
        }
        Ok((data, chunked.finish()?))
    }

    const BODY: &[u8] = b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nX-Amz-Checksum-CRC32: abcd== \r\n\r\n";

    #[test]
    fn data_and_trailer_come_out_whatever_the_pieces() {
        for piece in 1..BODY.len() {
            let (data, trailer) = read(BODY, piece).unwrap();
            assert_eq!(data, b"hello!");
            assert_eq!(trailer, [("x-amz-checksum-crc32".to_owned(), "abcd==".to_owned())]);
        }
        assert_eq!(read(b"0\r\n\r\n", 9).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn a_body_that_is_cut_short_or_goes_on_is_refused() {
        for end in 0..BODY.len() {
            assert_eq!(read(&BODY[..end], 7), Err(ChunkedFault::Malformed), "{end}");
        }
        assert_eq!(read(&[BODY, b"\r\n"].concat(), 7), Err(ChunkedFault::Malformed));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "5\nhello\r\n0\r\n\r\n",
            "-1\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "\r\n",
            "10000000000000000\r\n",
            "5\r\nhello0\r\n\r\n",
            "0\r\na\r\n\r\n",
            "0\r\na:1\r\nA:2\r\n\r\n",
            "0\r\n\u{e9}\r\n\r\n",
        ] {
            assert_eq!(read(bad.as_bytes(), 100), Err(ChunkedFault::Malformed), "{bad:?}");
        }
        let long = format!("0;{}\r\n\r\n", "x".repeat(LINE_MAX));
        assert_eq!(read(long.as_bytes(), 100), Err(ChunkedFault::Malformed));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(chunks in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 1..200), 0..5), piece in 1_usize..300) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(read(&body, piece), Ok((chunks.concat(), vec![])));
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in "[0-9a-f;:\r\n]{0,60}", piece in 1_usize..9) {
            let _ = read(body.as_bytes(), piece);
        }
    }
}
