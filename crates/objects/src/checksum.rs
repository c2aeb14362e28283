//! Checksums over the plaintext that clients send along or ask for.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64_simd::STANDARD;
use crc_fast::CrcAlgorithm;
use crypto::digest::Sha256;
use crypto::legacy_digest::Sha1;

use crate::error::ObjectsError;
use crate::request::Headers;

const HEADER: &str = "x-amz-checksum-";

/// The checksums that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

/// A checksum over data that comes in pieces.
pub(crate) struct Checksum {
    algorithm: ChecksumAlgorithm,
    state: State,
}

enum State {
    Crc(Box<crc_fast::Digest>),
    Sha1(Sha1),
    Sha256(Sha256),
}

/// What a request says of the checksum of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) algorithm: ChecksumAlgorithm,
    /// In base64; none if it comes behind the body.
    pub(crate) value: Option<String>,
}

impl ChecksumAlgorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64nvme, Self::Sha1, Self::Sha256];

    /// The header that carries it.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// As `x-amz-checksum-algorithm` names it.
    pub(crate) fn name(self) -> String {
        self.header().strip_prefix(HEADER).unwrap_or_default().to_ascii_uppercase()
    }

    /// The one of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::of_header(&format!("{HEADER}{}", name.to_ascii_lowercase()))
    }

    /// Whether the checksum of a whole can be told from those of its parts.
    pub(crate) fn joins(self) -> bool {
        self.crc().is_some()
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The checksum of a whole, from those of its parts, in base64, and their sizes; `None` if it cannot be told.
    pub(crate) fn of_whole(self, parts: &[(&str, u64)]) -> Option<String> {
        let algorithm = self.crc()?;
        let mut whole = crc_fast::Digest::new(algorithm).finalize();
        for (value, size) in parts {
            let bytes = STANDARD.decode_to_vec(value.as_bytes()).ok()?;
            let number = bytes.iter().fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
            whole = crc_fast::checksum_combine(algorithm, whole, number, *size);
        }
        Some(self.crc_text(whole))
    }

    /// The checksum of the parts' checksums.
    pub(crate) fn of_parts(self, parts: &[(&str, u64)]) -> Option<String> {
        let mut checksum = self.start();
        for (value, _) in parts {
            checksum.update(&STANDARD.decode_to_vec(value.as_bytes()).ok()?);
        }
        Some(format!("{}-{}", checksum.finish(), parts.len()))
    }

    fn crc_text(self, value: u64) -> String {
        let bytes = value.to_be_bytes();
        STANDARD.encode_to_string(bytes.get(bytes.len() - self.length()..).unwrap_or_default())
    }

    /// The one that this header carries.
    pub(crate) fn of_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header() == name)
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Starts with no data.
    pub(crate) fn start(self) -> Checksum {
        let state = match (self.crc(), self) {
            (Some(algorithm), _) => State::Crc(Box::new(crc_fast::Digest::new(algorithm))),
            (None, Self::Sha1) => State::Sha1(Sha1::default()),
            (None, _) => State::Sha256(Sha256::new()),
        };
        Checksum { algorithm: self, state }
    }
}

impl Checksum {
    pub(crate) fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Crc(digest) => digest.update(data),
            State::Sha1(digest) => digest.update(data),
            State::Sha256(digest) => digest.update(data),
        }
    }

    /// In base64.
    pub(crate) fn finish(self) -> String {
        match self.state {
            State::Crc(digest) => self.algorithm.crc_text(digest.finalize()),
            State::Sha1(digest) => STANDARD.encode_to_string(digest.finish()),
            State::Sha256(digest) => STANDARD.encode_to_string(digest.finish()),
        }
    }
}

impl Announced {
    /// What the headers announce, in themselves or behind the body.
    ///
    /// # Errors
    /// Several, an unknown one, or one that cannot be.
    pub(crate) fn read(headers: &Headers) -> Result<Option<Self>, ObjectsError> {
        let mut announced = headers
            .beginning(HEADER)
            .filter(|(name, _)| !matches!(*name, "mode" | "type" | "algorithm"))
            .map(|(name, value)| (format!("{HEADER}{name}"), Some(value.to_owned())))
            .chain(headers.get("x-amz-trailer").map(|name| (name.to_ascii_lowercase(), None)));
        let Some((name, value)) = announced.next() else { return Ok(None) };
        if announced.next().is_some() {
            let text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        let algorithm = ChecksumAlgorithm::of_header(&name).ok_or_else(|| {
            let text = format!("The value specified in the {name} header is not supported.");
            ObjectsError::bad("InvalidRequest", text)
        })?;
        let announced = Self { algorithm, value };
        match &announced.value {
            Some(value) if !announced.has_form(value) => {
                Err(ObjectsError::bad("InvalidRequest", format!("Value for {name} header is invalid.")))
            }
            Some(_) | None => Ok(Some(announced)),
        }
    }

    /// Refuses a body that has another checksum than the one that was announced, here or behind the body.
    pub(crate) fn check(&self, actual: &str, trailer: &[(String, String)]) -> Result<(), ObjectsError> {
        let name = self.algorithm.header();
        let behind = || trailer.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match self.value.as_deref().or_else(behind) {
            None => Err(ObjectsError::bad(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            )),
            Some(value) if value == actual => Ok(()),
            Some(_) => {
                let short = name.strip_prefix(HEADER).unwrap_or(name).to_ascii_uppercase();
                Err(ObjectsError::bad(
                    "BadDigest",
                    format!("The {short} you specified did not match the calculated checksum."),
                ))
            }
        }
    }

    fn has_form(&self, value: &str) -> bool {
        let decoded = STANDARD.decode_to_vec(value.as_bytes());
        decoded.is_ok_and(|bytes| bytes.len() == self.algorithm.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(algorithm: ChecksumAlgorithm, data: &[u8]) -> String {
        let mut checksum = algorithm.start();
        data.chunks(4).for_each(|piece| checksum.update(piece));
        checksum.finish()
    }

    /// Check values of "123456789": the catalogue of CRCs (<https://reveng.sourceforge.io/crc-catalogue/all.htm>), FIPS
    /// 180-4.
    #[test]
    fn the_published_checksums() {
        for (algorithm, hexadecimal) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64nvme, "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (ChecksumAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let bytes = STANDARD.decode_to_vec(checksum(algorithm, b"123456789").as_bytes()).unwrap();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text, hexadecimal, "{algorithm:?}");
        }
    }

    #[test]
    fn the_checksum_of_a_whole_is_told_from_its_parts() {
        let (one, other) = (b"12345".as_slice(), b"6789".as_slice());
        for algorithm in ChecksumAlgorithm::ALL {
            let values = [checksum(algorithm, one), checksum(algorithm, other)];
            let parts = [(values[0].as_str(), 5), (values[1].as_str(), 4)];
            let whole = algorithm.joins().then(|| checksum(algorithm, b"123456789"));
            assert_eq!(algorithm.of_whole(&parts), whole, "{algorithm:?}");
            let raw: Vec<u8> =
                values.iter().flat_map(|value| STANDARD.decode_to_vec(value.as_bytes()).unwrap()).collect();
            assert_eq!(algorithm.of_parts(&parts), Some(format!("{}-2", checksum(algorithm, &raw))));
        }
    }

    #[test]
    fn one_checksum_is_announced_in_a_header_or_behind_the_body() {
        let read = |headers: &[(&str, &str)]| {
            Announced::read(&Headers::new(headers.iter().map(|(name, value)| (*name, value.as_bytes()))))
        };
        assert_eq!(read(&[("x-amz-checksum-mode", "ENABLED")]).unwrap(), None);
        let right = checksum(ChecksumAlgorithm::Crc32, b"abc");
        let here = read(&[("X-Amz-Checksum-CRC32", &right)]).unwrap().unwrap();
        assert!(here.check(&right, &[]).is_ok());
        assert_eq!(here.check("AAAAAA==", &[]).unwrap_err().to_fault().code, "BadDigest");
        let behind = read(&[("x-amz-trailer", "x-amz-checksum-crc32")]).unwrap().unwrap();
        let trailer = [("x-amz-checksum-crc32".to_owned(), right.clone())];
        assert!(behind.check(&right, &trailer).is_ok());
        assert_eq!(behind.check("AAAAAA==", &trailer).unwrap_err().to_fault().code, "BadDigest");
        assert_eq!(behind.check(&right, &[]).unwrap_err().to_fault().code, "MalformedTrailerError");
        for bad in [
            &[("x-amz-checksum-crc32", "AAAA")][..],
            &[("x-amz-checksum-crc99", "AAAAAA==")],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")],
        ] {
            assert_eq!(read(bad).unwrap_err().to_fault().code, "InvalidRequest", "{bad:?}");
        }
    }
}
