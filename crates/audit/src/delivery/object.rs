//! The names and the form of delivered files.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>

use std::io::{self, BufRead, Read, Write};

use base::{AccountId, Region, Timestamp};
use crypto::digest::Sha256;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::log_reader::LoggedEvent;
use crate::trails::TrailSettings;

/// User metadata with the signature of a digest.
pub const SIGNATURE: &str = "signature";
/// User metadata with the algorithm of that signature.
pub const SIGNATURE_ALGORITHM: &str = "signature-algorithm";

/// What is decompressed at a time, in bytes.
const PIECE: usize = 64 * 1_024;
/// Random-looking characters in the name of a log file.
const UNIQUE_LENGTH: usize = 16;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A file for the destination: gzip of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name, without the bucket.
    pub name: String,
    /// Its bytes, compressed.
    pub content: Vec<u8>,
    /// Its user metadata; the names are without `x-amz-meta-`.
    pub metadata: Vec<(&'static str, String)>,
}

/// Whose file it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) key_prefix: Option<&'a str>,
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) time: Timestamp,
}

impl Place<'_> {
    /// Everything up to the file's own name. `kind` is `CloudTrail` or `CloudTrail-Digest`.
    fn folder(&self, kind: &str) -> String {
        let prefix = self.key_prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let day = self.time.iso_extended().get(..10).unwrap_or_default().replace('-', "/");
        format!("{prefix}AWSLogs/{}/{kind}/{}/{day}/", self.account, self.region)
    }

    /// The name of a log file.
    pub(super) fn log_file(&self, unique: &str) -> String {
        let (account, region) = (self.account, self.region);
        let minute = self.time.iso_basic().get(..13).unwrap_or_default().to_owned();
        format!("{}{account}_CloudTrail_{region}_{minute}Z_{unique}.json.gz", self.folder("CloudTrail"))
    }

    /// The name of a digest.
    pub(super) fn digest(&self, trail: &str, home_region: &str) -> String {
        let (account, region, second) = (self.account, self.region, self.time.iso_basic());
        let folder = self.folder("CloudTrail-Digest");
        format!("{folder}{account}_CloudTrail-Digest_{region}_{trail}_{home_region}_{second}.json.gz")
    }
}

/// `{"Records":[…]}` with the events byte for byte.
pub(super) fn records(events: &[&LoggedEvent]) -> Vec<u8> {
    let mut content = b"{\"Records\":[".to_vec();
    for (number, event) in events.iter().enumerate() {
        if number > 0 {
            content.push(b',');
        }
        content.extend_from_slice(event.json.as_bytes());
    }
    content.extend_from_slice(b"]}");
    content
}

/// The part of a log file's name that tells it from others of the minute: it comes from what the file holds, so that the
/// same file always has the same name.
pub(super) fn unique(trail: &TrailSettings, first: u64, hash: &str) -> String {
    let account = trail.account.map(|account| account.to_string()).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(format!("{account}/{}/{}/{first}/{hash}", trail.home_region, trail.name).as_bytes());
    let bytes = digest.finish();
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied().map(char::from);
    bytes.iter().take(UNIQUE_LENGTH).filter_map(letter).collect()
}

/// The gzip form; the same content always gives the same bytes.
///
/// # Errors
/// None in memory.
pub(super) fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

/// What a compressed file holds, if that is not more than `max` bytes.
///
/// # Errors
/// As [`decompress_to`].
pub(crate) fn decompress(compressed: impl BufRead, max: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    decompress_to(compressed, max, |piece| content.extend_from_slice(piece))?;
    Ok(content)
}

/// Hands on what a compressed file holds, piece by piece.
///
/// # Errors
/// It is not one whole gzip stream with nothing behind it, or holds more than `max` bytes.
pub(crate) fn decompress_to(
    compressed: impl BufRead,
    max: u64,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut decoder = GzDecoder::new(compressed);
    let (mut piece, mut left) = (vec![0; PIECE], max);
    loop {
        let length = decoder.read(&mut piece)?;
        let read = piece.get(..length).unwrap_or_default();
        left = u64::try_from(length).ok().and_then(|length| left.checked_sub(length)).ok_or_else(too_much)?;
        if read.is_empty() {
            break;
        }
        take(read);
    }
    if decoder.into_inner().fill_buf()?.is_empty() { Ok(()) } else { Err(too_much()) }
}

fn too_much() -> io::Error {
    let text = "there is more in the file than one gzip stream of its size";
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(key_prefix: Option<&str>) -> Place<'_> {
        Place {
            key_prefix,
            account: "000000000042".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            time: Timestamp::from_iso_basic("20261127T191848Z").unwrap(),
        }
    }

    #[test]
    fn names_are_those_that_aws_documents() {
        assert_eq!(
            place(None).log_file("Mv3jkUbVhbJgZ4cD"),
            "AWSLogs/000000000042/CloudTrail/eu-central-1/2026/11/27/\
             000000000042_CloudTrail_eu-central-1_20261127T1918Z_Mv3jkUbVhbJgZ4cD.json.gz"
        );
        assert_eq!(
            place(Some("a/b")).digest("keywright", "us-east-1"),
            "a/b/AWSLogs/000000000042/CloudTrail-Digest/eu-central-1/2026/11/27/\
             000000000042_CloudTrail-Digest_eu-central-1_keywright_us-east-1_20261127T191848Z.json.gz"
        );
    }

    #[test]
    fn nothing_may_stand_behind_the_stream() {
        let compressed = compress(b"content").unwrap();
        assert_eq!(decompress(&*compressed, 7).unwrap(), b"content");
        assert!(decompress(&*compressed, 6).is_err());
        assert!(decompress(&*[&compressed[..], b"x"].concat(), 100).is_err());
        assert!(decompress(&compressed[..compressed.len() - 1], 100).is_err());
    }

    proptest! {
        #[test]
        fn content_comes_back(content: Vec<u8>) {
            prop_assert_eq!(decompress(&*compress(&content).unwrap(), 1 << 20).unwrap(), content);
        }
    }
}
