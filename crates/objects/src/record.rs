//! What lies in the store of buckets and objects.

use std::collections::BTreeMap;

use base::{AccountId, Timestamp};
use crypto::Sealed;
use crypto::content::{Part, PartNonce};
use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::{Record, StoreError};

use crate::blob::BlobName;

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    pub(crate) owner: String,
    pub(crate) region: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Somebody looks whether it is empty, to delete it. Who puts an object takes this away, and the bucket stays.
    pub(crate) is_leaving: bool,
}

impl Record for BucketRecord {
    const KIND: &'static str = "a bucket";
    const VERSION: u8 = 1;
}

impl BucketRecord {
    pub(crate) fn owner(&self) -> Result<AccountId, StoreError> {
        self.owner
            .parse()
            .map_err(|_| StoreError::damaged(&self.owner, "the owner of a bucket is no account"))
    }
}

/// An object: one version of what lies under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    /// The own id of this version: 32 hexadecimal digits.
    pub(crate) version: String,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    /// In bytes of plaintext.
    pub(crate) size: u64,
    pub(crate) blob: String,
    pub(crate) nonce: PartNonce,
    pub(crate) encryption: StoredEncryption,
    /// [`Details`] as JSON, sealed under a key of the bucket's Region.
    pub(crate) details: SealedUnderDomain,
}

impl Record for ObjectRecord {
    const KIND: &'static str = "an object";
    const VERSION: u8 = 1;
}

/// How the contents are encrypted, and their key in the form that this leaves it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredEncryption {
    /// SSE-S3: sealed under a key of the bucket's Region.
    Service {
        /// The content key.
        key: SealedUnderDomain,
    },
    /// SSE-C: sealed under the key that the caller brought. Nothing else stays of that key: whether another one is the same
    /// shows when it opens the seal.
    Customer {
        /// The content key.
        key: Sealed,
    },
    /// SSE-KMS: sealed under a data key of a KMS key.
    Kms {
        /// The content key.
        key: Sealed,
        /// The data key as KMS encrypted it, in base64.
        data_key: String,
        /// The ARN of the KMS key.
        key_arn: String,
        /// The encryption context.
        context: BTreeMap<String, String>,
    },
}

/// What tells of the plaintext, or is the caller's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// Without quotes.
    pub(crate) entity_tag: String,
    /// The checksum's name as in its header, and its value in base64.
    pub(crate) checksum: Option<(String, String)>,
    /// Headers that come back as they were sent: content type and the like.
    pub(crate) headers: BTreeMap<String, String>,
    /// User metadata, by names without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl ObjectRecord {
    pub(crate) fn blob(&self) -> Result<BlobName, StoreError> {
        self.blob.parse().map_err(|_| StoreError::damaged(&self.blob, "the name of a blob is none"))
    }

    pub(crate) fn part(&self) -> Result<Part, StoreError> {
        let owner = u128::from_str_radix(&self.version, 16);
        let owner = owner.map_err(|_| StoreError::damaged(&self.version, "the id of a version is none"))?;
        Ok(Part { owner: owner.to_be_bytes(), number: 0, nonce: self.nonce })
    }

    pub(crate) fn modified(&self) -> Timestamp {
        Timestamp::from_millis(self.modified)
    }
}
