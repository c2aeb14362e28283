//! Calls of S3, in path style.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use wire::s3::{Document, read_error, read_versions};

use super::{Client, ClientError, Request};

/// What goes unencoded in a signed URL: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
const UNENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const UNENCODED_IN_PATHS: &AsciiSet = &UNENCODED.remove(b'/');

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) key: String,
    /// `null` in a bucket that never kept versions.
    pub(crate) id: String,
}

/// A page of a bucket's objects with all their versions.
pub(crate) struct VersionsPage {
    pub(crate) versions: Vec<Version>,
    /// The version behind which the next one begins.
    pub(crate) next: Option<Version>,
}

/// How an object is encrypted, as far as whoever has no key of a customer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectEncryption {
    /// SSE-S3.
    Service,
    /// SSE-KMS.
    Kms { key_arn: String, with_bucket_key: bool },
    /// DSSE-KMS.
    TwoLayers { key_arn: String },
    /// Nothing is told without more: it is SSE-C.
    Customer,
}

impl Client {
    /// The next versions of objects in a bucket.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn list_versions(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&Version>,
    ) -> Result<VersionsPage, ClientError> {
        let (key, id) = after.map_or(("", ""), |after| (&after.key, &after.id));
        let query = format!(
            "encoding-type=url&key-marker={}&prefix={}&version-id-marker={}&versions=",
            utf8_percent_encode(key, UNENCODED),
            utf8_percent_encode(prefix, UNENCODED),
            utf8_percent_encode(id, UNENCODED),
        );
        let (_, body) = self.s3(Method::GET, &path(bucket, ""), &query, Vec::new()).await?;
        let page = read_versions(&body).map_err(|_| self.unexpected("a list that is none".to_owned()))?;
        let versions = page.versions.into_iter().map(|version| self.decoded(&version.key, version.id));
        let versions = versions.collect::<Result<_, _>>()?;
        let next = page.next.map(|(key, id)| self.decoded(&key, id)).transpose()?;
        Ok(VersionsPage { versions, next })
    }

    fn decoded(&self, key: &str, id: String) -> Result<Version, ClientError> {
        match percent_decode_str(key).decode_utf8() {
            Ok(key) => Ok(Version { key: key.into_owned(), id }),
            Err(_) => Err(self.unexpected("a key that is not UTF-8".to_owned())),
        }
    }

    /// How a version is encrypted; `None` if there is none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn encryption_of(
        &self,
        bucket: &str,
        version: &Version,
    ) -> Result<Option<ObjectEncryption>, ClientError> {
        let query = format!("versionId={}", utf8_percent_encode(&version.id, UNENCODED));
        let answer = self.s3(Method::HEAD, &path(bucket, &version.key), &query, Vec::new()).await;
        match answer {
            Ok((headers, _)) => self.read_encryption(&headers).map(Some),
            Err(ClientError::Status(404)) => Ok(None),
            Err(ClientError::Status(400)) => Ok(Some(ObjectEncryption::Customer)),
            Err(error) => Err(error),
        }
    }

    /// Has the key of a version's contents sealed under a KMS key.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub(crate) async fn update_object_encryption(
        &self,
        bucket: &str,
        version: &Version,
        (key_arn, with_bucket_key): (&str, bool),
    ) -> Result<(), ClientError> {
        let mut document = Document::new("ObjectEncryption");
        document.element("SSE-KMS", |kms| {
            kms.text("KMSKeyArn", key_arn)
                .text("BucketKeyEnabled", if with_bucket_key { "true" } else { "false" });
        });
        let query = format!("encryption=&versionId={}", utf8_percent_encode(&version.id, UNENCODED));
        self.s3(Method::PUT, &path(bucket, &version.key), &query, document.finish()).await.map(|_| ())
    }

    fn read_encryption(&self, headers: &HeaderMap) -> Result<ObjectEncryption, ClientError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let key_arn = header("x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default().to_owned();
        let with_bucket_key = header("x-amz-server-side-encryption-bucket-key-enabled") == Some("true");
        match header("x-amz-server-side-encryption") {
            Some("AES256") => Ok(ObjectEncryption::Service),
            Some("aws:kms") => Ok(ObjectEncryption::Kms { key_arn, with_bucket_key }),
            Some("aws:kms:dsse") => Ok(ObjectEncryption::TwoLayers { key_arn }),
            other => Err(self.unexpected(format!("an object encrypted by {}", other.unwrap_or("nothing")))),
        }
    }

    async fn s3(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Vec<u8>,
    ) -> Result<(HeaderMap, Vec<u8>), ClientError> {
        if !is_kept(&self.profile.endpoint, path) {
            // A URL with such parts is another one to everybody on the way.
            return Err(ClientError::Unsignable(
                "a key with . or .. between slashes fits into no URL".to_owned(),
            ));
        }
        let request = Request { method, service: "s3", path, query, headers: Vec::new(), body };
        let (status, headers, answer) = self.send(request).await?;
        if status.is_success() {
            return Ok((headers, answer));
        }
        Err(match read_error(&answer) {
            Ok(error) => ClientError::Refused { code: error.code, message: error.message },
            Err(_) => ClientError::Status(status.as_u16()),
        })
    }
}

fn path(bucket: &str, key: &str) -> String {
    let bucket = utf8_percent_encode(bucket, UNENCODED);
    if key.is_empty() {
        return format!("/{bucket}");
    }
    format!("/{bucket}/{}", utf8_percent_encode(key, UNENCODED_IN_PATHS))
}

fn is_kept(endpoint: &str, path: &str) -> bool {
    Url::parse(&format!("{endpoint}{path}")).is_ok_and(|url| url.path() == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_paths_as_they_are_signed() {
        for (key, expected) in
            [("", "/b"), ("a/b c+d", "/b/a/b%20c%2Bd"), ("/ä~%", "/b//%C3%A4~%25"), ("..a/b..", "/b/..a/b..")]
        {
            assert_eq!(path("b", key), expected);
            assert!(is_kept("http://127.0.0.1:1", expected), "{key}");
        }
        for key in ["a/../b", "./a", "a/.."] {
            assert!(!is_kept("http://127.0.0.1:1", &path("b", key)), "{key}");
        }
    }
}
