//! A request to S3 as the HTTP shell hands it over, and the answer that it gets back.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base::{Call, Region};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use wire::sigv4::Payload;

use crate::contents::Contents;
use crate::error::{BodyError, ObjectsError};
use crate::object_key::{InvalidObjectKey, ObjectKey};
use crate::post_form::Posted;

/// What S3 leaves as it is in the URLs that it answers with: not even a slash.
const UNENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The methods of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// DELETE
    Delete,
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
}

/// The bytes of a body as they come.
#[async_trait]
pub trait BodySource: Send {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError>;
}

/// A request whose head is signed as it says, or that nobody signed.
pub struct Request {
    /// The method.
    pub method: Method,
    /// What path and host name.
    pub target: Target,
    /// Whether the host names the bucket.
    pub bucket_is_in_host: bool,
    /// The parameters of the query string.
    pub query: Query,
    /// The headers.
    pub headers: Headers,
    /// What the signature says of the body.
    pub payload: Payload,
    /// The body.
    pub body: Box<dyn BodySource>,
    /// The form that it came in; then the body is the file of the form.
    pub form: Option<Posted>,
}

/// What path and host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The service itself.
    Service,
    /// A bucket, by a name that has not been looked at.
    Bucket(String),
    /// An object of a bucket.
    Object(String, ObjectKey),
}

/// The parameters of a query string, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(BTreeMap<String, String>);

/// Headers by their names in lower case; values that are no text are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, but for those that every answer has.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: AnswerBody,
}

/// The body of an answer.
pub enum AnswerBody {
    /// No body; the headers may tell the length of one, as HEAD does.
    Empty,
    /// XML.
    Xml(Vec<u8>),
    /// JSON.
    Json(Vec<u8>),
    /// The contents of an object, as they are opened, and their length in bytes.
    Contents(Box<Contents>, u64),
}

impl Target {
    /// Reads a path of the path style: `/bucket/key`.
    ///
    /// # Errors
    /// The path is not UTF-8, or the key is too long.
    pub fn read(path: &str) -> Result<Self, ObjectsError> {
        let path = decode_path(path)?;
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        Self::named(bucket, key)
    }

    /// Reads a path of the virtual-hosted style: `/key`, in the bucket that the host names.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn in_bucket(bucket: &str, path: &str) -> Result<Self, ObjectsError> {
        Self::named(bucket, &decode_path(path)?)
    }

    pub(crate) fn named(bucket: &str, key: &str) -> Result<Self, ObjectsError> {
        match (bucket, key.parse()) {
            ("", Err(InvalidObjectKey::Empty)) => Ok(Self::Service),
            (_, Err(InvalidObjectKey::Empty)) => Ok(Self::Bucket(bucket.to_owned())),
            (_, Ok(key)) => Ok(Self::Object(bucket.to_owned(), key)),
            (_, Err(InvalidObjectKey::TooLong(size))) => Err(too_long(size)),
        }
    }
}

/// The path without its first slash.
fn decode_path(path: &str) -> Result<String, ObjectsError> {
    let path = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8();
    let path = path.map_err(|_| ObjectsError::bad("InvalidURI", "Couldn't parse the specified URI."))?;
    Ok(path.into_owned())
}

fn too_long(size: usize) -> ObjectsError {
    ObjectsError::bad("KeyTooLongError", "Your key is too long")
        .with("Size", size.to_string())
        .with("MaxSizeAllowed", crate::object_key::OBJECT_KEY_MAX.to_string())
}

impl Request {
    /// The URL of what it names, by the host that it was sent to; a path if nobody knows that.
    pub(crate) fn url(&self, call: &Call) -> String {
        let encode = |text: &str| utf8_percent_encode(text, UNENCODED).to_string();
        let path = match (&self.target, self.bucket_is_in_host) {
            (Target::Service, _) | (Target::Bucket(_), true) => String::new(),
            (Target::Bucket(bucket), false) => encode(bucket),
            (Target::Object(_, key), true) => encode(key.as_str()),
            (Target::Object(bucket, key), false) => format!("{}/{}", encode(bucket), encode(key.as_str())),
        };
        let scheme = if call.is_secure() { "https" } else { "http" };
        self.headers
            .get("host")
            .map_or_else(|| format!("/{path}"), |host| format!("{scheme}://{host}/{path}"))
    }
}

impl Query {
    /// Reads a query string. Of a parameter that comes twice the first one counts.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn read(query: &str) -> Result<Self, ObjectsError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in read_pairs(query)? {
            parameters.entry(name).or_insert(value);
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The pairs of a query string, decoded, in their order.
///
/// # Errors
/// It is not UTF-8.
pub(crate) fn read_pairs(query: &str) -> Result<Vec<(String, String)>, ObjectsError> {
    let decode = |text: &str| {
        let with_spaces = text.replace('+', " ");
        let decoded = percent_decode_str(&with_spaces).decode_utf8();
        decoded
            .map(|text| text.into_owned())
            .map_err(|_| ObjectsError::bad("InvalidURI", "Couldn't parse the specified URI."))
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| Ok((decode(name)?, decode(value)?))).collect()
}

impl Headers {
    /// Takes in headers; the values of one that comes twice are joined by commas.
    pub fn new<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut all = BTreeMap::<String, String>::new();
        for (name, value) in headers {
            let Ok(value) = std::str::from_utf8(value) else { continue };
            let known = all.entry(name.to_ascii_lowercase()).or_default();
            if !known.is_empty() {
                known.push(',');
            }
            known.push_str(value.trim());
        }
        Self(all)
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Headers whose names begin with `prefix`, without it.
    pub(crate) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: AnswerBody::Empty }
    }

    pub(crate) fn xml(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body: AnswerBody::Xml(body) }
    }

    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body: AnswerBody::Json(body) }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn optional(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }
}

/// What S3 calls a bucket's place: us-east-1 has no name.
pub(crate) fn location_of(region: &Region) -> &str {
    match region.as_str() {
        "us-east-1" => "",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_buckets_and_objects() {
        let object = |bucket: &str, key: &str| Target::Object(bucket.to_owned(), key.parse().unwrap());
        for (path, target) in [
            ("/", Target::Service),
            ("/bucket", Target::Bucket("bucket".to_owned())),
            ("/bucket/", Target::Bucket("bucket".to_owned())),
            ("/bucket/a/b%2Fc+d", object("bucket", "a/b/c+d")),
            ("/bucket/../%2e%2e/%00", object("bucket", "../../\0")),
            ("/bucket//a", object("bucket", "/a")),
        ] {
            assert_eq!(Target::read(path).unwrap(), target, "{path}");
        }
        for (path, target) in [
            ("/", Target::Bucket("bucket".to_owned())),
            ("", Target::Bucket("bucket".to_owned())),
            ("/a/b%2Fc", object("bucket", "a/b/c")),
            ("//a", object("bucket", "/a")),
        ] {
            assert_eq!(Target::in_bucket("bucket", path).unwrap(), target, "{path}");
        }
        let code = |path: &str| Target::read(path).unwrap_err().to_fault().code;
        assert_eq!(code("/bucket/%ff"), "InvalidURI");
        assert_eq!(code(&format!("/bucket/{}", "a".repeat(1_025))), "KeyTooLongError");
    }

    #[test]
    fn queries_and_headers_are_found_by_name() {
        let query = Query::read("list-type=2&prefix=a%2Fb+c&delete&prefix=other").unwrap();
        assert_eq!(query.get("prefix"), Some("a/b c"));
        assert_eq!(query.get("delete"), Some(""));
        assert_eq!(query.get("Prefix"), None);
        assert!(Query::read("a=%ff").is_err());
        let headers = Headers::new([("X-Amz-Meta-A", &b" 1 "[..]), ("x-amz-meta-a", b"2"), ("b", b"\xff")]);
        assert_eq!(headers.beginning("x-amz-meta-").collect::<Vec<_>>(), [("a", "1,2")]);
        assert_eq!(headers.get("b"), None);
    }
}
