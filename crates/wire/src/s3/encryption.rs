//! Reading what says how a bucket encrypts its objects, and how an object is to be encrypted.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::requests::{MalformedXml, read};

/// The one rule of a bucket's default encryption, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EncryptionRule {
    /// What becomes of objects whose writers say nothing.
    #[serde(rename = "ApplyServerSideEncryptionByDefault")]
    pub by_default: Option<EncryptionByDefault>,
    /// Whether Bucket Keys are used.
    #[serde(rename = "BucketKeyEnabled")]
    pub bucket_key_enabled: Option<bool>,
    /// What nobody may write.
    #[serde(rename = "BlockedEncryptionTypes")]
    pub blocked: Option<BlockedEncryptionTypes>,
}

/// The encryption of objects whose writers say nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EncryptionByDefault {
    /// The kind of encryption.
    #[serde(rename = "SSEAlgorithm")]
    pub algorithm: String,
    /// The KMS key, however it is named.
    #[serde(rename = "KMSMasterKeyID")]
    pub key: Option<String>,
}

/// Kinds of encryption that nobody may write.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockedEncryptionTypes {
    /// `SSE-C`, or `NONE`.
    #[serde(rename = "EncryptionType", default)]
    pub types: Vec<String>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "Rule", default)]
    rules: Vec<EncryptionRule>,
}

/// Reads the body of PutBucketEncryption, which has exactly one rule.
///
/// # Errors
/// It is not such a body.
pub fn read_encryption_rule(body: &[u8]) -> Result<EncryptionRule, MalformedXml> {
    let Configuration { rules } = read(body)?;
    let [rule] = <[EncryptionRule; 1]>::try_from(rules).map_err(|_| MalformedXml)?;
    Ok(rule)
}

/// The body of UpdateObjectEncryption, as it is written.
#[derive(Debug, Default, Deserialize)]
pub struct ObjectEncryption {
    /// Under a key of the key service.
    #[serde(rename = "SSE-KMS")]
    pub kms: Option<ObjectEncryptionUnderKms>,
    #[serde(rename = "DSSE-KMS")]
    two_layers: Option<IgnoredAny>,
    #[serde(rename = "SSE-C")]
    customer: Option<IgnoredAny>,
}

/// A key of the key service, and how it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ObjectEncryptionUnderKms {
    /// The ARN of the key, if there is one.
    #[serde(rename = "KMSKeyArn")]
    pub key_arn: Option<String>,
    /// Whether a Bucket Key is used: `true` or `false`.
    #[serde(rename = "BucketKeyEnabled")]
    pub bucket_key_enabled: Option<String>,
}

impl ObjectEncryption {
    /// Whether it names a kind of encryption that there is, but that objects cannot be brought to.
    pub fn is_unreachable(&self) -> bool {
        self.two_layers.is_some() || self.customer.is_some()
    }
}

/// Reads the body of UpdateObjectEncryption.
///
/// # Errors
/// It is not such a body.
pub fn read_object_encryption(body: &[u8]) -> Result<ObjectEncryption, MalformedXml> {
    read(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_rules(rules: &str) -> Result<EncryptionRule, MalformedXml> {
        let xml = format!(
            "<ServerSideEncryptionConfiguration xmlns=\"{}\">{rules}</ServerSideEncryptionConfiguration>",
            crate::s3::NAMESPACE
        );
        read_encryption_rule(xml.as_bytes())
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        let by_default = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>";
        let blocked =
            "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
        let rule = read_rules(&format!(
            "<Rule>{by_default}<BucketKeyEnabled>true</BucketKeyEnabled>{blocked}</Rule>"
        ));
        let expected = EncryptionRule {
            by_default: Some(EncryptionByDefault {
                algorithm: "aws:kms".to_owned(),
                key: Some("k".to_owned()),
            }),
            bucket_key_enabled: Some(true),
            blocked: Some(BlockedEncryptionTypes { types: vec!["SSE-C".to_owned()] }),
        };
        assert_eq!(rule, Ok(expected));
        assert_eq!(read_rules("<Rule/>"), Ok(EncryptionRule::default()));
    }

    #[test]
    fn there_is_exactly_one_rule_and_it_has_an_algorithm() {
        for bad in [
            "",
            "<Rule/><Rule/>",
            "<Rule><BucketKeyEnabled>maybe</BucketKeyEnabled></Rule>",
            "<Rule><ApplyServerSideEncryptionByDefault/></Rule>",
            "<Rule>",
        ] {
            assert_eq!(read_rules(bad), Err(MalformedXml), "{bad}");
        }
        assert_eq!(read_encryption_rule(b""), Err(MalformedXml));
    }

    #[test]
    fn the_encryption_of_an_object_is_read_as_it_is_written() {
        let inner = |inner: &str| {
            let xml =
                format!("<ObjectEncryption xmlns=\"{}\">{inner}</ObjectEncryption>", crate::s3::NAMESPACE);
            read_object_encryption(xml.as_bytes())
        };
        let read =
            inner("<SSE-KMS><KMSKeyArn>k</KMSKeyArn><BucketKeyEnabled>true</BucketKeyEnabled></SSE-KMS>");
        let read = read.unwrap();
        let expected = ObjectEncryptionUnderKms {
            key_arn: Some("k".to_owned()),
            bucket_key_enabled: Some("true".to_owned()),
        };
        assert_eq!((read.is_unreachable(), read.kms), (false, Some(expected)));
        for (other, is_unreachable) in [
            ("<SSE-S3/>", false),
            ("<DSSE-KMS><KMSKeyArn>k</KMSKeyArn></DSSE-KMS>", true),
            ("<SSE-C/>", true),
        ] {
            let read = inner(other).unwrap();
            assert_eq!((read.is_unreachable(), read.kms), (is_unreachable, None), "{other}");
        }
        assert!(inner("<SSE-KMS>").is_err() && read_object_encryption(b"").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes: Vec<u8>, text in "(<|>|/|Rule|EncryptionType|SSE-KMS|SSE-C|&|;|a| |!){0,40}",
        ) {
            let _ = read_object_encryption(&bytes);
            let _ = read_object_encryption(text.as_bytes());
            let _ = read_encryption_rule(&bytes);
            let _ = read_encryption_rule(text.as_bytes());
        }
    }
}
