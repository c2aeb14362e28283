//! Reading answers of S3: what a client needs to go through a bucket.

use serde::Deserialize;

use super::requests::{MalformedXml, read};

/// A page of ListObjectVersions, without common prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionListing {
    /// The objects and their earlier versions, in the order in which they come. Delete markers are left out.
    pub versions: Vec<ListedVersion>,
    /// Key, encoded as it was asked for, and id of the version behind which the next page begins, if there is one.
    pub next: Option<(String, String)>,
}

/// A version of an object in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedVersion {
    /// Its key, encoded as it was asked for.
    #[serde(rename = "Key")]
    pub key: String,
    /// Its id; `null` where none are kept.
    #[serde(rename = "VersionId")]
    pub id: String,
}

#[derive(Deserialize)]
struct Elements {
    #[serde(rename = "$value", default)]
    all: Vec<Element>,
}

/// Versions and delete markers come mixed.
#[derive(Deserialize)]
enum Element {
    Version(ListedVersion),
    NextKeyMarker(String),
    NextVersionIdMarker(String),
    #[serde(other)]
    Other,
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

/// Reads an answer of ListObjectVersions.
///
/// # Errors
/// It is none.
pub fn read_versions(body: &[u8]) -> Result<VersionListing, MalformedXml> {
    let mut listing = VersionListing::default();
    let (mut key, mut id) = (None, String::new());
    for element in read::<Elements>(body)?.all {
        match element {
            Element::Version(version) => listing.versions.push(version),
            Element::NextKeyMarker(marker) => key = Some(marker),
            Element::NextVersionIdMarker(marker) => id = marker,
            Element::Other => {}
        }
    }
    listing.next = key.map(|key| (key, id));
    Ok(listing)
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
        let page = b"<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><KeyMarker/><NextKeyMarker>n%2F</NextKeyMarker><NextVersionIdMarker>i</NextVersionIdMarker><Version><VersionId>1</VersionId><Key>a%2Fb</Key><Owner><ID>o</ID></Owner></Version><DeleteMarker><Key>d</Key><VersionId>2</VersionId></DeleteMarker><Version><Key> c </Key><VersionId>null</VersionId></Version></ListVersionsResult>";
        let page = read_versions(page).unwrap();
        let versions: Vec<_> = page.versions.iter().map(|one| (one.key.as_str(), one.id.as_str())).collect();
        assert_eq!(versions, [("a%2Fb", "1"), (" c ", "null")]);
        assert_eq!(page.next, Some(("n%2F".to_owned(), "i".to_owned())));
        assert_eq!(read_versions(b"<ListVersionsResult/>"), Ok(VersionListing::default()));
        let error = read_error(b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>").unwrap();
        assert_eq!((error.code.as_str(), error.message.as_str()), ("NoSuchKey", "none"));
        for bad in ["", "<ListVersionsResult>", "<ListVersionsResult><Version/></ListVersionsResult>"] {
            assert!(read_versions(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read_error(b"<Error/>").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "(<|>|/|Version|Key|Error|Code|&|;|a| |!){0,40}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = read_versions(bytes);
                let _ = read_error(bytes);
            }
        }
    }
}
