//! Reading the body of PutBucketEncryption.

use serde::Deserialize;

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

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "(<|>|/|Rule|EncryptionType|&|;|a| |!){0,40}") {
            let _ = read_encryption_rule(&bytes);
            let _ = read_encryption_rule(text.as_bytes());
        }
    }
}
