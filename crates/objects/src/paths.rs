//! Where the records lie in the store. Paths are made here and nowhere else.
//!
//! | path | value |
//! |---|---|
//! | `objects/bucket/<bucket>` | a bucket |
//! | `objects/owner/<account>/<bucket>` | nothing: the bucket is of the account |
//! | `objects/object/<bucket>/<key, escaped>` | an object |
//! | `objects/blob/<name>` | nothing: a record has this blob |

use base::AccountId;
use store::{Key, KeyError};

use crate::blob::BlobName;
use crate::bucket_name::BucketName;
use crate::object_key::{ObjectKey, escape, unescape};

/// The value of an entry that says all with its key.
pub(crate) const PRESENT: &[u8] = &[1];

pub(crate) fn bucket(name: &BucketName) -> Result<Key, KeyError> {
    Key::new(format!("objects/bucket/{name}"))
}

pub(crate) fn buckets_of(account: AccountId) -> String {
    format!("objects/owner/{account}/")
}

pub(crate) fn owner(account: AccountId, name: &BucketName) -> Result<Key, KeyError> {
    Key::new(format!("{}{name}", buckets_of(account)))
}

/// All objects of a bucket whose keys begin with `prefix`.
pub(crate) fn objects_of(bucket: &BucketName, prefix: &str) -> String {
    format!("objects/object/{bucket}/{}", escape(prefix))
}

pub(crate) fn object(bucket: &BucketName, key: &ObjectKey) -> Result<Key, KeyError> {
    Key::new(objects_of(bucket, key.as_str()))
}

/// The place of a text among the keys of a bucket, which need not be one.
pub(crate) fn place(bucket: &BucketName, text: &str) -> Result<Key, KeyError> {
    Key::new(objects_of(bucket, text))
}

/// The key of the object that lies at a path.
pub(crate) fn object_key(bucket: &BucketName, path: &Key) -> Option<String> {
    unescape(path.as_str().strip_prefix(&objects_of(bucket, ""))?)
}

pub(crate) fn blob(name: &BlobName) -> Result<Key, KeyError> {
    Key::new(format!("objects/blob/{name}"))
}
