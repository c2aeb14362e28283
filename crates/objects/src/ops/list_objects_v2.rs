//! ListObjectsV2: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use base::Call;
use base64_simd::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::Range;
use wire::s3::Document;

use crate::bucket::{Bucket, Facts};
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::{Answer, Query, Request};
use crate::stored_object::{StoredObject, canonical_user};
use crate::{Objects, paths};

const KEYS_MAX: usize = 1_000;
const UNENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// What is asked for.
struct Wanted<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    most: usize,
    /// Only what sorts behind this.
    after: String,
    encodes: bool,
    tells_owner: bool,
}

/// A page of a bucket.
#[derive(Default)]
struct Listing {
    objects: Vec<(ObjectKey, StoredObject)>,
    prefixes: Vec<String>,
    /// Behind this the next page begins, if there is one.
    next: Option<String>,
}

impl Objects {
    pub(crate) async fn list_objects_v2(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let query = &request.query;
        let facts = Facts::default()
            .with("s3:prefix", query.get("prefix"))
            .with("s3:delimiter", query.get("delimiter"))
            .with("s3:max-keys", query.get("max-keys"));
        self.authorize_bucket(call, "ListBucket", &bucket, &facts).await?;
        let wanted = Wanted::read(query)?;
        let listing = self.page(&bucket, &wanted).await?;
        Ok(Answer::xml(document(&bucket, query, &wanted, &listing)))
    }

    /// Reads the store from the place where the page begins. What lies under a common prefix is jumped over, however much
    /// that is.
    async fn page(&self, bucket: &Bucket, wanted: &Wanted<'_>) -> Result<Listing, ObjectsError> {
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
fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

impl Listing {
    fn count(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl<'a> Wanted<'a> {
    fn read(query: &'a Query) -> Result<Self, ObjectsError> {
        let after = match query.get("continuation-token") {
            Some(token) => read_token(token)?,
            None => query.get("start-after").unwrap_or_default().to_owned(),
        };
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
            most: query.get("max-keys").map_or(Ok(KEYS_MAX), read_most)?,
            after,
            encodes,
            tells_owner: query.get("fetch-owner").is_some_and(|value| value == "true"),
        })
    }

    /// How many entries to read at once. With a delimiter most of them may be jumped over.
    fn at_once(&self) -> usize {
        if self.delimiter.is_empty() { self.most + 1 } else { 32 }
    }

    /// The key up to the delimiter behind the prefix, if it has one.
    fn common_prefix(&self, key: &str) -> Option<String> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(self.prefix)?;
        let (common, _) = rest.split_once(self.delimiter)?;
        Some(format!("{}{common}{}", self.prefix, self.delimiter))
    }

    fn shown(&self, text: &str) -> String {
        if self.encodes { utf8_percent_encode(text, UNENCODED).to_string() } else { text.to_owned() }
    }
}

fn read_most(text: &str) -> Result<usize, ObjectsError> {
    let most: Option<u32> = text.parse().ok().filter(|most| *most <= i32::MAX.unsigned_abs());
    let most = most.ok_or_else(|| {
        let fault = "Provided max-keys not an integer or within integer range";
        ObjectsError::invalid_argument(fault, "max-keys", text)
    })?;
    Ok(usize::try_from(most).unwrap_or(KEYS_MAX).min(KEYS_MAX))
}

fn read_token(token: &str) -> Result<String, ObjectsError> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(token.as_bytes()).ok();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    after
        .filter(|after| !after.is_empty() && after.len() <= 2 * crate::object_key::OBJECT_KEY_MAX)
        .ok_or_else(|| {
            let text = "The continuation token provided is incorrect";
            ObjectsError::invalid_argument(text, "continuation-token", token)
        })
}

fn document(bucket: &Bucket, query: &Query, wanted: &Wanted<'_>, listing: &Listing) -> Vec<u8> {
    let mut document = Document::new("ListBucketResult");
    let token = listing.next.as_ref().map(|next| URL_SAFE_NO_PAD.encode_to_string(next));
    let optional =
        |name: &str| query.get(name).filter(|text| !text.is_empty()).map(|text| wanted.shown(text));
    document
        .text("Name", bucket.name.as_str())
        .text("Prefix", &wanted.shown(wanted.prefix))
        .optional("Delimiter", optional("delimiter").as_deref())
        .text("MaxKeys", &wanted.most.to_string())
        .optional("EncodingType", query.get("encoding-type"))
        .text("KeyCount", &listing.count().to_string())
        .text("IsTruncated", if token.is_some() { "true" } else { "false" })
        .optional("ContinuationToken", query.get("continuation-token"))
        .optional("NextContinuationToken", token.as_deref())
        .optional("StartAfter", optional("start-after").as_deref());
    for (key, object) in &listing.objects {
        document.element("Contents", |contents| tell_object(contents, bucket, wanted, key, object));
    }
    for prefix in &listing.prefixes {
        document.element("CommonPrefixes", |common| {
            common.text("Prefix", &wanted.shown(prefix));
        });
    }
    document.finish()
}

fn tell_object(
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
    if let Some((name, _)) = &object.details.checksum {
        let algorithm = name.strip_prefix("x-amz-checksum-").unwrap_or_default().to_ascii_uppercase();
        contents.text("ChecksumAlgorithm", &algorithm).text("ChecksumType", "FULL_OBJECT");
    }
    contents.text("Size", &object.record.size.to_string()).text("StorageClass", "STANDARD");
    if wanted.tells_owner {
        contents.element("Owner", |owner| {
            owner.text("ID", &canonical_user(bucket.owner));
        });
    }
}
