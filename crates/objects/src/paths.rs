//! Where the records lie in the store. Paths are made here and nowhere else.
//!
//! | path | value |
//! |---|---|
//! | `objects/bucket/<bucket>` | a bucket |
//! | `objects/owner/<account>/<bucket>` | nothing: the bucket is of the account |
//! | `objects/object/<bucket>/<key, escaped>` | an object |
//! | `objects/version/<bucket>/<key, escaped><two spaces><ordinal from above, 16 digits>` | an earlier version, or a delete marker |
//! | `objects/history/<bucket>/<key, escaped>` | what is known of a key in a bucket that keeps versions |
//! | `objects/upload/<bucket>/<key, escaped><two spaces><upload id>` | a multipart upload under way |
//! | `objects/part/<version>/<number, five digits>` | a part of the upload or object with that version |
//! | `objects/discarded/<version>` | nothing: the parts of that version are nobody's any more |
//! | `objects/blob/<name>` | nothing: a record has this blob |
//! | `objects/upstream` | that blobs lie upstream, and under which id |

use base::AccountId;
use store::{Key, KeyError};

use crate::blob::BlobName;
use crate::bucket_name::BucketName;
use crate::object_key::{ObjectKey, escape, unescape};

/// The value of an entry that says all with its key.
pub(crate) const PRESENT: &[u8] = &[1];

/// All buckets.
pub(crate) const BUCKETS: &str = "objects/bucket/";
/// All objects.
pub(crate) const OBJECTS: &str = "objects/object/";
/// All versions besides the objects that are there now.
pub(crate) const VERSIONS: &str = "objects/version/";
/// All uploads.
pub(crate) const UPLOADS: &str = "objects/upload/";

pub(crate) fn bucket(name: &BucketName) -> Result<Key, KeyError> {
    Key::new(format!("{BUCKETS}{name}"))
}

pub(crate) fn buckets_of(account: AccountId) -> String {
    format!("objects/owner/{account}/")
}

pub(crate) fn owner(account: AccountId, name: &BucketName) -> Result<Key, KeyError> {
    Key::new(format!("{}{name}", buckets_of(account)))
}

/// All objects of a bucket whose keys begin with `prefix`.
pub(crate) fn objects_of(bucket: &BucketName, prefix: &str) -> String {
    format!("{OBJECTS}{bucket}/{}", escape(prefix))
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

/// Between a key and an upload id. No escaped text has it, and it sorts before whatever a longer key goes on with.
const BEHIND_KEY: &str = "  ";

/// All versions of a bucket besides the objects that are there now, of keys that begin with `prefix`.
pub(crate) fn versions_of(bucket: &BucketName, prefix: &str) -> String {
    format!("{VERSIONS}{bucket}/{}", escape(prefix))
}

/// The place of a text among the versions of a bucket, before all those of a key that it is.
pub(crate) fn place_of_versions(bucket: &BucketName, text: &str) -> Result<Key, KeyError> {
    Key::new(versions_of(bucket, text))
}

/// All versions of one key besides the object that is there now; later ones come first.
pub(crate) fn versions_of_key(bucket: &BucketName, key: &ObjectKey) -> String {
    format!("{}{BEHIND_KEY}", versions_of(bucket, key.as_str()))
}

pub(crate) fn version(bucket: &BucketName, key: &ObjectKey, ordinal: u64) -> Result<Key, KeyError> {
    Key::new(format!("{}{:016x}", versions_of_key(bucket, key), u64::MAX - ordinal))
}

/// The key of the version that lies at a path.
pub(crate) fn version_key(bucket: &BucketName, path: &Key) -> Option<String> {
    let (key, _) = path.as_str().strip_prefix(&versions_of(bucket, ""))?.rsplit_once(BEHIND_KEY)?;
    unescape(key)
}

pub(crate) fn history(bucket: &BucketName, key: &ObjectKey) -> Result<Key, KeyError> {
    Key::new(format!("objects/history/{bucket}/{}", escape(key.as_str())))
}

/// All uploads of a bucket for keys that begin with `prefix`.
pub(crate) fn uploads_of(bucket: &BucketName, prefix: &str) -> String {
    format!("{UPLOADS}{bucket}/{}", escape(prefix))
}

pub(crate) fn upload(bucket: &BucketName, key: &str, id: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{BEHIND_KEY}{id}", uploads_of(bucket, key)))
}

/// Key and id of the upload that lies at a path.
pub(crate) fn upload_at(bucket: &BucketName, path: &Key) -> Option<(String, String)> {
    let rest = path.as_str().strip_prefix(&uploads_of(bucket, ""))?;
    let (key, id) = rest.rsplit_once(BEHIND_KEY)?;
    Some((unescape(key)?, id.to_owned()))
}

pub(crate) fn parts_of(version: &str) -> String {
    format!("objects/part/{version}/")
}

pub(crate) fn part(version: &str, number: u32) -> Result<Key, KeyError> {
    Key::new(format!("{}{number:05}", parts_of(version)))
}

/// The number of the part that lies at a path.
pub(crate) fn part_number(path: &Key) -> Option<u32> {
    path.as_str().rsplit('/').next()?.parse().ok()
}

pub(crate) const DISCARDED: &str = "objects/discarded/";

pub(crate) fn discarded(version: &str) -> Result<Key, KeyError> {
    Key::new(format!("{DISCARDED}{version}"))
}

pub(crate) const BLOBS: &str = "objects/blob/";

pub(crate) fn blob(name: &BlobName) -> Result<Key, KeyError> {
    Key::new(format!("{BLOBS}{name}"))
}

pub(crate) fn upstream() -> Result<Key, KeyError> {
    Key::new("objects/upstream")
}
