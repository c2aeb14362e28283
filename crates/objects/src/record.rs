//! What lies in the store of buckets and objects.

use std::collections::BTreeMap;

use base::{AccountId, Timestamp};
use crypto::Sealed;
use crypto::content::PartNonce;
use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::{Record, StoreError};
use wire::s3::{CorsRule, LifecycleRule};

use crate::blob::BlobName;
use crate::bucket_encryption::BucketEncryption;
use crate::bucket_policy::BucketPolicy;
use crate::public_access::PublicAccessBlock;
use crate::tags::Tags;
use crate::version::{Standing, VersionId, Versioning};

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    pub(crate) owner: String,
    pub(crate) region: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Somebody looks whether it is empty, to delete it. Who puts an object takes this away, and the bucket stays.
    pub(crate) is_leaving: bool,
    /// What is said of the encryption of its objects; nothing in buckets of older versions.
    #[serde(default)]
    pub(crate) encryption: BucketEncryption,
    /// Its policy; none in buckets of older versions.
    #[serde(default)]
    pub(crate) policy: Option<BucketPolicy>,
    /// Whether it keeps versions; never in buckets of older versions of this program.
    #[serde(default)]
    pub(crate) versioning: Option<Versioning>,
    /// When its objects go by themselves; never in buckets of older versions of this program.
    #[serde(default)]
    pub(crate) lifecycle: Vec<LifecycleRule>,
    /// Which pages of other origins may call; none in buckets of older versions of this program.
    #[serde(default)]
    pub(crate) cors: Vec<CorsRule>,
    /// Its tags; none in buckets of older versions of this program.
    #[serde(default)]
    pub(crate) tags: Tags,
    /// What keeps it from being public; nothing in buckets of older versions of this program.
    #[serde(default)]
    pub(crate) public_access: Option<PublicAccessBlock>,
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
    /// Which of the versions of its key it is.
    #[serde(default)]
    pub(crate) standing: Standing,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    /// In bytes of plaintext.
    pub(crate) size: u64,
    pub(crate) contents: StoredContents,
    pub(crate) encryption: StoredEncryption,
    /// [`Details`] as JSON, sealed under a key of the bucket's Region.
    pub(crate) details: SealedUnderDomain,
}

impl Record for ObjectRecord {
    const KIND: &'static str = "an object";
    const VERSION: u8 = 1;
}

/// Where the contents of an object lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredContents {
    /// In one part, whose number is 0.
    Whole {
        /// The name of the blob.
        blob: String,
        /// The nonce of the part.
        nonce: PartNonce,
    },
    /// In parts that have records of their own, under the version of the object.
    Parts {
        /// Which parts, in order.
        runs: Vec<Run>,
    },
}

/// Parts with numbers one after another and of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
    /// Of each, in bytes of plaintext.
    pub(crate) size: u64,
}

/// A part of an upload, or of an object that came from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    /// In bytes of plaintext.
    pub(crate) size: u64,
    pub(crate) blob: String,
    pub(crate) nonce: PartNonce,
    /// [`Details`] as JSON, sealed under a key of the bucket's Region.
    pub(crate) details: SealedUnderDomain,
}

impl Record for PartRecord {
    const KIND: &'static str = "a part";
    const VERSION: u8 = 1;
}

impl PartRecord {
    pub(crate) fn blob(&self) -> Result<BlobName, StoreError> {
        blob_name(&self.blob)
    }

    pub(crate) fn modified(&self) -> Timestamp {
        Timestamp::from_millis(self.modified)
    }
}

/// A multipart upload under way. Its id is the version that the object will have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    /// Milliseconds since 1970.
    pub(crate) initiated: i64,
    pub(crate) encryption: StoredEncryption,
    /// What the object will come back with: [`Details`] as JSON, sealed as those of the object.
    pub(crate) details: SealedUnderDomain,
    /// The header of the checksum of its parts; none with a customer's key.
    pub(crate) checksum: Option<String>,
    /// Whether the object's checksum is one of the parts' checksums.
    pub(crate) is_composite: bool,
    /// It is being completed: no part comes any more.
    pub(crate) is_completing: bool,
}

impl Record for UploadRecord {
    const KIND: &'static str = "a multipart upload";
    const VERSION: u8 = 1;
}

impl UploadRecord {
    pub(crate) fn initiated(&self) -> Timestamp {
        Timestamp::from_millis(self.initiated)
    }
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
    /// SSE-C: sealed under the key that the caller brought. Nothing else stays of that key: whether another one is the
    /// same shows when it opens the seal.
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
        /// What the data key is.
        #[serde(default)]
        form: KmsForm,
    },
}

/// What the data key of an object under a KMS key is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KmsForm {
    /// The object's own.
    #[default]
    DataKey,
    /// A bucket key, which other objects have as well.
    BucketKey,
    /// The object's own, for the inner one of two layers.
    TwoLayers {
        /// The content key of the outer layer, sealed under a key of the bucket's Region.
        outer: SealedUnderDomain,
    },
}

/// What tells of the plaintext, or is the caller's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// Without quotes.
    pub(crate) entity_tag: String,
    pub(crate) checksum: Option<StoredChecksum>,
    /// Headers that come back as they were sent: content type and the like.
    pub(crate) headers: BTreeMap<String, String>,
    /// User metadata, by names without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) tags: Tags,
}

/// A checksum of an object or part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredChecksum {
    /// Its header.
    pub(crate) header: String,
    /// In base64; of a checksum of checksums with `-` and their number.
    pub(crate) value: String,
    /// Whether it is one of the parts' checksums, and not of the whole object.
    pub(crate) is_composite: bool,
}

impl StoredChecksum {
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// The name of the algorithm, as S3 lists it.
    pub(crate) fn algorithm(&self) -> String {
        self.header.strip_prefix("x-amz-checksum-").unwrap_or_default().to_ascii_uppercase()
    }
}

impl ObjectRecord {
    /// The id of this version as requests name it.
    pub(crate) fn version_id(&self) -> String {
        self.standing.id(&self.version)
    }

    /// Whether this id is its own.
    pub(crate) fn is(&self, id: &VersionId) -> bool {
        id.is(self.standing, &self.version)
    }

    pub(crate) fn modified(&self) -> Timestamp {
        Timestamp::from_millis(self.modified)
    }
}

/// The id of a version as its chunks are bound to it.
pub(crate) fn owner_of(version: &str) -> Result<[u8; 16], StoreError> {
    let owner = u128::from_str_radix(version, 16);
    let owner = owner.map_err(|_| StoreError::damaged(version, "the id of a version is none"))?;
    Ok(owner.to_be_bytes())
}

pub(crate) fn blob_name(name: &str) -> Result<BlobName, StoreError> {
    name.parse().map_err(|_| StoreError::damaged(name, "the name of a blob is none"))
}
