//! Pages of a bucket.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::Range;
use wire::s3::Document;

use crate::bucket::Bucket;
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::Query;
use crate::stored_object::{StoredObject, canonical_user};
use crate::{Objects, paths};

/// The most entries of a page.
pub(crate) const PAGE_MAX: usize = 1_000;
const UNENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: &'a str,
    pub(crate) most: usize,
    /// Only what sorts behind this.
    pub(crate) after: String,
    pub(crate) encodes: bool,
    pub(crate) tells_owner: bool,
}

/// A page of a bucket.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<(ObjectKey, StoredObject)>,
    pub(crate) prefixes: Vec<String>,
    /// Behind this the next page begins, if there is one.
    pub(crate) next: Option<String>,
}

impl Objects {
    /// Reads the store from the place where the page begins. What lies under a common prefix is jumped over, however
    /// much that is.
    pub(crate) async fn page(&self, bucket: &Bucket, wanted: &Wanted<'_>) -> Result<Listing, ObjectsError> {
        let mut listing = Listing::default();
        if wanted.most == 0 {
            return Ok(listing);
        }
        let mut reached = wanted.after.clone();
        loop {
            let mut range =
                Range::prefix(paths::objects_of(&bucket.name, wanted.prefix)).limit(wanted.at_once());
            if !reached.is_empty() {
                range = range.after(&paths::place(&bucket.name, &reached)?);
            }
            let page = self.store.range(range).await?;
            let mut has_jumped = false;
            for entry in &page.entries {
                let damaged = || ObjectsError::Damaged("a path of an object");
                let key = paths::object_key(&bucket.name, &entry.key).ok_or_else(damaged)?;
                let common = wanted.common_prefix(&key);
                if common.is_some() && common.as_ref() == listing.prefixes.last() {
                    reached = key;
                    continue;
                }
                if listing.count() == wanted.most {
                    listing.next = Some(reached);
                    return Ok(listing);
                }
                if let Some(common) = common {
                    reached = behind(&common);
                    listing.prefixes.push(common);
                    has_jumped = true;
                    break;
                }
                reached.clone_from(&key);
                let key: ObjectKey = key.parse().map_err(|_| damaged())?;
                let object = self.read_object(bucket, &key, entry).await?;
                listing.objects.push((key, object));
            }
            if !has_jumped && !page.more {
                return Ok(listing);
            }
        }
    }
}

/// A place behind nearly all that begins with `prefix`: no text that clients use has this character.
pub(crate) fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

impl Listing {
    pub(crate) fn count(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl<'a> Wanted<'a> {
    /// Reads what both versions of the operation share; `after` is where the page begins.
    ///
    /// # Errors
    /// A parameter is none.
    pub(crate) fn read(query: &'a Query, after: String) -> Result<Self, ObjectsError> {
        let encodes = match query.get("encoding-type") {
            None => false,
            Some("url") => true,
            Some(other) => {
                let text = "Invalid Encoding Method specified in Request";
                return Err(ObjectsError::invalid_argument(text, "encoding-type", other));
            }
        };
        Ok(Self {
            prefix: query.get("prefix").unwrap_or_default(),
            delimiter: query.get("delimiter").unwrap_or_default(),
            most: query.get("max-keys").map_or(Ok(PAGE_MAX), |text| read_most("max-keys", text))?,
            after,
            encodes,
            tells_owner: query.get("fetch-owner").is_some_and(|value| value == "true"),
        })
    }

    /// How many entries to read at once. With a delimiter most of them may be jumped over.
    pub(crate) fn at_once(&self) -> usize {
        if self.delimiter.is_empty() { self.most + 1 } else { 32 }
    }

    /// The key up to the delimiter behind the prefix, if it has one.
    pub(crate) fn common_prefix(&self, key: &str) -> Option<String> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(self.prefix)?;
        let (common, _) = rest.split_once(self.delimiter)?;
        Some(format!("{}{common}{}", self.prefix, self.delimiter))
    }

    pub(crate) fn shown(&self, text: &str) -> String {
        if self.encodes { utf8_percent_encode(text, UNENCODED).to_string() } else { text.to_owned() }
    }
}

/// How many entries a page is to have, at most; more than [`PAGE_MAX`] are never given.
///
/// # Errors
/// It is no number.
pub(crate) fn read_most(name: &str, text: &str) -> Result<usize, ObjectsError> {
    let most: Option<u32> = text.parse().ok().filter(|most| *most <= i32::MAX.unsigned_abs());
    let most = most.ok_or_else(|| {
        let fault = format!("Provided {name} not an integer or within integer range");
        ObjectsError::invalid_argument(fault, name, text)
    })?;
    Ok(usize::try_from(most).unwrap_or(PAGE_MAX).min(PAGE_MAX))
}

/// Tells objects and common prefixes of a page.
pub(crate) fn tell(document: &mut Document, bucket: &Bucket, wanted: &Wanted<'_>, listing: &Listing) {
    for (key, object) in &listing.objects {
        document.element("Contents", |contents| tell_object(contents, bucket, wanted, key, object));
    }
    for prefix in &listing.prefixes {
        document.element("CommonPrefixes", |common| {
            common.text("Prefix", &wanted.shown(prefix));
        });
    }
}

/// Tells of an object.
pub(crate) fn tell_object(
    contents: &mut Document,
    bucket: &Bucket,
    wanted: &Wanted<'_>,
    key: &ObjectKey,
    object: &StoredObject,
) {
    contents
        .text("Key", &wanted.shown(key.as_str()))
        .text("LastModified", &to_iso(object.record.modified()))
        .text("ETag", &format!("\"{}\"", object.details.entity_tag));
    if let Some(checksum) = &object.details.checksum {
        contents.text("ChecksumAlgorithm", &checksum.algorithm()).text("ChecksumType", checksum.kind());
    }
    contents.text("Size", &object.record.size.to_string()).text("StorageClass", "STANDARD");
    if wanted.tells_owner {
        contents.element("Owner", |owner| {
            owner.text("ID", &canonical_user(bucket.owner));
        });
    }
}
