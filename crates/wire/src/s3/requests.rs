//! Reading requests in XML.

use serde::Deserialize;

/// The most objects that one call deletes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub const DELETED_AT_ONCE_MAX: usize = 1_000;

/// The body is not the XML that the operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the XML is not well-formed or not what the operation takes")]
pub struct MalformedXml;

/// The body of DeleteObjects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ObjectsToDelete {
    /// What to delete.
    #[serde(rename = "Object", default)]
    pub objects: Vec<OneToDelete>,
    /// Whether to tell of failures alone.
    #[serde(rename = "Quiet", default)]
    pub quiet: bool,
}

/// An object to delete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OneToDelete {
    /// Its key.
    #[serde(rename = "Key")]
    pub key: String,
    /// The version to delete for good.
    #[serde(rename = "VersionId")]
    pub version_id: Option<String>,
    /// It is deleted only if it has this entity tag.
    #[serde(rename = "ETag")]
    pub entity_tag: Option<String>,
}

/// The body of CreateBucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BucketConfiguration {
    /// Where the bucket is to be.
    #[serde(rename = "LocationConstraint")]
    pub location: Option<String>,
}

/// The body of PutBucketVersioning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct VersioningConfiguration {
    /// `Enabled` or `Suspended`.
    #[serde(rename = "Status")]
    pub status: Option<String>,
    /// `Enabled` or `Disabled`.
    #[serde(rename = "MfaDelete")]
    pub mfa_delete: Option<String>,
}

/// The body of CompleteMultipartUpload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PartsToComplete {
    /// The parts of the object, in order.
    #[serde(rename = "Part", default)]
    pub parts: Vec<PartToComplete>,
}

/// A part of the object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PartToComplete {
    /// Its number.
    #[serde(rename = "PartNumber")]
    pub number: u32,
    /// Its entity tag, with or without quotes.
    #[serde(rename = "ETag")]
    pub entity_tag: String,
    /// Its checksums, of which a client sends at most one.
    #[serde(rename = "ChecksumCRC32")]
    pub crc32: Option<String>,
    /// The same in CRC32C.
    #[serde(rename = "ChecksumCRC32C")]
    pub crc32c: Option<String>,
    /// The same in CRC64NVME.
    #[serde(rename = "ChecksumCRC64NVME")]
    pub crc64nvme: Option<String>,
    /// The same in SHA-1.
    #[serde(rename = "ChecksumSHA1")]
    pub sha1: Option<String>,
    /// The same in SHA-256.
    #[serde(rename = "ChecksumSHA256")]
    pub sha256: Option<String>,
}

impl PartToComplete {
    /// The checksum that the client sends.
    pub fn checksum(&self) -> Option<&str> {
        [&self.crc32, &self.crc32c, &self.crc64nvme, &self.sha1, &self.sha256]
            .into_iter()
            .find_map(|checksum| checksum.as_deref())
    }
}

/// Reads the body of CompleteMultipartUpload: 1 to 10,000 parts.
///
/// # Errors
/// It is not such a body.
pub fn read_parts_to_complete(body: &[u8]) -> Result<Vec<PartToComplete>, MalformedXml> {
    let parts = read::<PartsToComplete>(body)?.parts;
    if (1..=10_000).contains(&parts.len()) { Ok(parts) } else { Err(MalformedXml) }
}

/// Reads the body of DeleteObjects: 1 to [`DELETED_AT_ONCE_MAX`] objects.
///
/// # Errors
/// It is not such a body.
pub fn read_objects_to_delete(body: &[u8]) -> Result<ObjectsToDelete, MalformedXml> {
    let read: ObjectsToDelete = read(body)?;
    if read.objects.is_empty() || read.objects.len() > DELETED_AT_ONCE_MAX {
        return Err(MalformedXml);
    }
    Ok(read)
}

/// Reads the body of PutBucketVersioning.
///
/// # Errors
/// It is not such a body.
pub fn read_versioning_configuration(body: &[u8]) -> Result<VersioningConfiguration, MalformedXml> {
    read(body)
}

/// Reads the body of CreateBucket, which may be empty.
///
/// # Errors
/// It is not such a body.
pub fn read_bucket_configuration(body: &[u8]) -> Result<BucketConfiguration, MalformedXml> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(BucketConfiguration::default()) } else { read(body) }
}

pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, MalformedXml> {
    let text = std::str::from_utf8(body).map_err(|_| MalformedXml)?;
    quick_xml::de::from_str(text).map_err(|_| MalformedXml)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(body: &str) -> Option<Vec<String>> {
        let read = read_objects_to_delete(body.as_bytes()).ok()?;
        Some(read.objects.into_iter().map(|one| one.key).collect())
    }

    #[test]
    fn objects_to_delete_are_read_with_or_without_a_namespace() {
        let objects =
            "<Object><Key>a&amp;b</Key></Object><Object><Key> c </Key><VersionId>v</VersionId></Object>";
        for root in ["Delete", "Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""] {
            let body = format!("<{root}>{objects}<Quiet>true</Quiet></Delete>");
            let read = read_objects_to_delete(body.as_bytes()).unwrap();
            assert!(read.quiet);
            assert_eq!(
                read.objects[0],
                OneToDelete { key: "a&b".to_owned(), version_id: None, entity_tag: None }
            );
            assert_eq!(read.objects[1].version_id.as_deref(), Some("v"));
        }
    }

    #[test]
    fn what_is_no_list_of_objects_is_refused() {
        let one = "<Object><Key>k</Key></Object>";
        assert_eq!(keys(&format!("<Delete>{}</Delete>", one.repeat(1_000))).unwrap().len(), 1_000);
        for bad in [
            String::new(),
            "<Delete/>".to_owned(),
            "<Delete><Object/></Delete>".to_owned(),
            "<Delete><Object><Key>k</Key></Object>".to_owned(),
            format!("<Delete>{}</Delete>", one.repeat(1_001)),
            "<!DOCTYPE d [<!ENTITY x 'y'>]><Delete><Object><Key>&x;</Key></Object></Delete>".to_owned(),
        ] {
            assert_eq!(keys(&bad), None, "{bad:.60}");
        }
        assert!(read_objects_to_delete(b"<Delete>\xff</Delete>").is_err());
    }

    #[test]
    fn a_bucket_is_made_where_it_says() {
        let location = |body: &[u8]| read_bucket_configuration(body).map(|read| read.location);
        let body = b"<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
        assert_eq!(location(body), Ok(Some("eu-central-1".to_owned())));
        assert_eq!(location(b" \n"), Ok(None));
        assert_eq!(location(b"<CreateBucketConfiguration"), Err(MalformedXml));
    }

    #[test]
    fn parts_to_complete_are_read() {
        let body = b"<CompleteMultipartUpload><Part><ETag>&quot;e&quot;</ETag><PartNumber>1</PartNumber><ChecksumCRC32>c</ChecksumCRC32></Part><Part><PartNumber>2</PartNumber><ETag>f</ETag></Part></CompleteMultipartUpload>";
        let parts = read_parts_to_complete(body).unwrap();
        assert_eq!((parts[0].number, parts[0].entity_tag.as_str()), (1, "\"e\""));
        assert_eq!((parts[0].checksum(), parts[1].checksum()), (Some("c"), None));
        for bad in [
            "<CompleteMultipartUpload/>",
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>f</ETag></Part></CompleteMultipartUpload>",
        ] {
            assert!(read_parts_to_complete(bad.as_bytes()).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "(<|>|/|Delete|Object|Key|&|;|a| |!|\\[){0,40}") {
            let _ = read_objects_to_delete(&bytes);
            let _ = read_objects_to_delete(text.as_bytes());
        }
    }
}
