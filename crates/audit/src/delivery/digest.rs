//! The form of a digest and what its signature is made of.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>

use serde::{Deserialize, Serialize};

use super::records::{FileRecord, PreviousDigest, sha256_text};

/// RSASSA-PKCS1-v1_5 with SHA-256, as AWS calls it.
pub(crate) const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
pub(crate) const HASH_ALGORITHM: &str = "SHA-256";

/// What a digest says, in the order in which AWS writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Digest {
    pub(crate) aws_account_id: String,
    pub(crate) digest_start_time: String,
    pub(crate) digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    pub(crate) bucket: String,
    #[serde(rename = "digestS3Object")]
    pub(crate) object: String,
    #[serde(rename = "digestPublicKeyFingerprint")]
    pub(crate) fingerprint: String,
    pub(crate) digest_signature_algorithm: String,
    pub(crate) newest_event_time: Option<String>,
    pub(crate) oldest_event_time: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    pub(crate) previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    pub(crate) previous_object: Option<String>,
    #[serde(rename = "previousDigestHashValue")]
    pub(crate) previous_hash: Option<String>,
    pub(crate) previous_digest_hash_algorithm: Option<String>,
    pub(crate) previous_digest_signature: Option<String>,
    pub(crate) log_files: Vec<DigestedFile>,
}

/// What a digest says of a log file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DigestedFile {
    #[serde(rename = "s3Bucket")]
    pub(crate) bucket: String,
    #[serde(rename = "s3Object")]
    pub(crate) object: String,
    pub(crate) hash_value: String,
    pub(crate) hash_algorithm: String,
    pub(crate) newest_event_time: String,
    pub(crate) oldest_event_time: String,
}

impl From<FileRecord> for DigestedFile {
    fn from(file: FileRecord) -> Self {
        Self {
            bucket: file.bucket,
            object: file.object,
            hash_value: file.hash,
            hash_algorithm: HASH_ALGORITHM.to_owned(),
            newest_event_time: file.newest,
            oldest_event_time: file.oldest,
        }
    }
}

impl Digest {
    /// Names the digest before this one, and the files.
    pub(super) fn holding(mut self, previous: Option<PreviousDigest>, files: Vec<FileRecord>) -> Self {
        self.oldest_event_time = files.iter().map(|file| file.oldest.clone()).min();
        self.newest_event_time = files.iter().map(|file| file.newest.clone()).max();
        self.log_files = files.into_iter().map(DigestedFile::from).collect();
        if let Some(previous) = previous {
            self.previous_bucket = Some(previous.bucket);
            self.previous_object = Some(previous.object);
            self.previous_hash = Some(previous.hash);
            self.previous_digest_hash_algorithm = Some(HASH_ALGORITHM.to_owned());
            self.previous_digest_signature = Some(previous.signature);
        }
        self
    }

    /// The text that is signed, given the file's uncompressed bytes.
    pub(crate) fn to_sign(&self, content: &[u8]) -> String {
        let previous = self.previous_digest_signature.as_deref().unwrap_or("null");
        let (end, bucket, object) = (&self.digest_end_time, &self.bucket, &self.object);
        format!("{end}\n{bucket}/{object}\n{}\n{previous}", sha256_text(content))
    }
}
