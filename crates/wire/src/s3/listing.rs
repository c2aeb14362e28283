//! Reading answers of S3: what a client needs to go through a bucket.

use serde::Deserialize;

use super::requests::{MalformedXml, read};

/// A page of ListObjectsV2, without common prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ObjectListing {
    /// The objects, in the order of their keys.
    #[serde(rename = "Contents", default)]
    pub objects: Vec<ListedObject>,
    /// What asks for the next page, if there is one.
    #[serde(rename = "NextContinuationToken")]
    pub next: Option<String>,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedObject {
    /// Its key, encoded as it was asked for.
    #[serde(rename = "Key")]
    pub key: String,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ErrorAnswer {
    /// The code.
    #[serde(rename = "Code")]
    pub code: String,
    /// The text.
    #[serde(rename = "Message", default)]
    pub message: String,
}

/// Reads an answer of ListObjectsV2.
///
/// # Errors
/// It is none.
pub fn read_listing(body: &[u8]) -> Result<ObjectListing, MalformedXml> {
    read(body)
}

/// Reads a refusing answer.
///
/// # Errors
/// It is none.
pub fn read_error(body: &[u8]) -> Result<ErrorAnswer, MalformedXml> {
    read(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_and_a_refusal_are_read() {
        let page = b"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Contents><Key>a%2Fb</Key><Size>1</Size></Contents><Contents><Key> c </Key></Contents><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
        let page = read_listing(page).unwrap();
        assert_eq!(page.objects.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["a%2Fb", " c "]);
        assert_eq!(page.next.as_deref(), Some("t"));
        assert_eq!(read_listing(b"<ListBucketResult/>"), Ok(ObjectListing::default()));
        let error = read_error(b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>").unwrap();
        assert_eq!((error.code.as_str(), error.message.as_str()), ("NoSuchKey", "none"));
        for bad in ["", "<ListBucketResult>", "<ListBucketResult><Contents/></ListBucketResult>"] {
            assert!(read_listing(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read_error(b"<Error/>").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "(<|>|/|Contents|Key|Error|Code|&|;|a| |!){0,40}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = read_listing(bytes);
                let _ = read_error(bytes);
            }
        }
    }
}
