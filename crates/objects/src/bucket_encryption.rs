//! The default encryption of a bucket: how its objects are encrypted if their writers say nothing, and what nobody may write.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::s3::{Document, EncryptionRule};

use crate::error::ObjectsError;

const CUSTOMER_KEYS: &str = "SSE-C";
const NOTHING: &str = "NONE";

/// What is said of the encryption of a bucket's objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketEncryption {
    /// What somebody has put; none: SSE-S3.
    rule: Option<Rule>,
    /// Whether keys that callers bring are refused; none: nobody ever said so, and they are not.
    blocks_customer_keys: Option<bool>,
}

/// How objects are encrypted if their writers say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) algorithm: Algorithm,
    /// The KMS key as it was given; none: the AWS managed key.
    pub(crate) key: Option<String>,
    /// Whether Bucket Keys are wanted.
    pub(crate) with_bucket_key: bool,
}

/// The kinds of encryption that a bucket can have as its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    /// SSE-S3.
    #[default]
    #[serde(rename = "AES256")]
    Service,
    /// SSE-KMS.
    #[serde(rename = "aws:kms")]
    Kms,
    /// DSSE-KMS.
    #[serde(rename = "aws:kms:dsse")]
    KmsInTwoLayers,
}

impl Algorithm {
    /// The algorithm of this name, if it is one.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        match name {
            "AES256" => Some(Self::Service),
            "aws:kms" => Some(Self::Kms),
            "aws:kms:dsse" => Some(Self::KmsInTwoLayers),
            _ => None,
        }
    }

    /// The name, as headers and XML have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "AES256",
            Self::Kms => "aws:kms",
            Self::KmsInTwoLayers => "aws:kms:dsse",
        }
    }
}

impl BucketEncryption {
    /// That of a bucket that is being made.
    pub(crate) fn of_new_bucket(blocks_customer_keys: bool) -> Self {
        Self { rule: None, blocks_customer_keys: blocks_customer_keys.then_some(true) }
    }

    /// What decides if a write says nothing.
    pub(crate) fn rule(&self) -> Rule {
        self.rule.clone().unwrap_or_default()
    }

    /// Whether somebody has put a rule.
    pub(crate) fn has_rule(&self) -> bool {
        self.rule.is_some()
    }

    pub(crate) fn blocks_customer_keys(&self) -> bool {
        self.blocks_customer_keys == Some(true)
    }

    /// After what somebody puts. Whether customers' keys are refused stays if that does not say.
    ///
    /// # Errors
    /// It contradicts itself, or names what there is not.
    pub(crate) fn put(&self, given: EncryptionRule) -> Result<Self, ObjectsError> {
        let blocks_customer_keys = match &given.blocked {
            None => self.blocks_customer_keys,
            Some(blocked) => match blocked.types.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                [CUSTOMER_KEYS] => Some(true),
                [NOTHING] => Some(false),
                _ => return Err(ObjectsError::malformed_xml()),
            },
        };
        let with_bucket_key = given.bucket_key_enabled.unwrap_or_default();
        let mut rule = Rule { with_bucket_key, ..Rule::default() };
        if let Some(by_default) = given.by_default {
            rule.algorithm =
                Algorithm::of_name(&by_default.algorithm).ok_or_else(ObjectsError::malformed_xml)?;
            rule.key = by_default.key.filter(|key| !key.is_empty());
        }
        if rule.algorithm == Algorithm::Service && rule.key.is_some() {
            let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(ObjectsError::bad("InvalidArgument", text)
                .with("ArgumentName", "ApplyServerSideEncryptionByDefault"));
        }
        Ok(Self { rule: Some(rule), blocks_customer_keys })
    }

    /// After somebody has taken the rule away.
    pub(crate) fn without_rule(&self) -> Self {
        Self { rule: None, blocks_customer_keys: self.blocks_customer_keys }
    }

    /// As GetBucketEncryption tells it.
    pub(crate) fn to_xml(&self) -> Vec<u8> {
        let (rule, blocked) = (self.rule(), self.blocked());
        let mut document = Document::new("ServerSideEncryptionConfiguration");
        document.element("Rule", |told| {
            told.element("ApplyServerSideEncryptionByDefault", |by_default| {
                by_default
                    .text("SSEAlgorithm", rule.algorithm.name())
                    .optional("KMSMasterKeyID", rule.key.as_deref());
            });
            told.text("BucketKeyEnabled", if rule.with_bucket_key { "true" } else { "false" });
            if let Some(blocked) = blocked {
                told.element("BlockedEncryptionTypes", |types| {
                    types.text("EncryptionType", blocked);
                });
            }
        });
        document.finish()
    }

    fn blocked(&self) -> Option<&'static str> {
        self.blocks_customer_keys.map(|blocks| if blocks { CUSTOMER_KEYS } else { NOTHING })
    }
}

/// What somebody puts, as CloudTrail has XML in events.
pub(crate) fn to_event(given: &EncryptionRule) -> Value {
    let mut rule = serde_json::Map::new();
    if let Some(by_default) = &given.by_default {
        let mut told = json!({ "SSEAlgorithm": by_default.algorithm });
        if let (Some(key), Some(told)) = (&by_default.key, told.as_object_mut()) {
            told.insert("KMSMasterKeyID".to_owned(), key.as_str().into());
        }
        rule.insert("ApplyServerSideEncryptionByDefault".to_owned(), told);
    }
    if let Some(enabled) = given.bucket_key_enabled {
        rule.insert("BucketKeyEnabled".to_owned(), enabled.into());
    }
    if let Some(blocked) = &given.blocked {
        let types = match &blocked.types[..] {
            [one] => json!(one),
            several => json!(several),
        };
        rule.insert("BlockedEncryptionTypes".to_owned(), json!({ "EncryptionType": types }));
    }
    json!({ "xmlns": wire::s3::NAMESPACE, "Rule": rule })
}

#[cfg(test)]
mod tests {
    use wire::s3::{BlockedEncryptionTypes, EncryptionByDefault};

    use super::*;

    fn given(algorithm: &str, key: Option<&str>) -> EncryptionRule {
        let by_default = EncryptionByDefault { algorithm: algorithm.to_owned(), key: key.map(str::to_owned) };
        EncryptionRule { by_default: Some(by_default), ..EncryptionRule::default() }
    }

    fn blocking(types: &[&str]) -> EncryptionRule {
        let types = types.iter().map(|one| (*one).to_owned()).collect();
        EncryptionRule { blocked: Some(BlockedEncryptionTypes { types }), ..EncryptionRule::default() }
    }

    fn xml(encryption: &BucketEncryption) -> String {
        String::from_utf8(encryption.to_xml()).unwrap()
    }

    #[test]
    fn a_new_bucket_is_encrypted_by_the_service() {
        let fresh = BucketEncryption::of_new_bucket(true);
        assert!(fresh.blocks_customer_keys() && !fresh.has_rule());
        assert!(xml(&fresh).ends_with(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"
        ));
        let open = BucketEncryption::of_new_bucket(false);
        assert!(!open.blocks_customer_keys() && !xml(&open).contains("Blocked"));
    }

    #[test]
    fn a_key_is_kept_as_it_was_given_and_belongs_to_kms() {
        let fresh = BucketEncryption::default();
        for algorithm in ["aws:kms", "aws:kms:dsse"] {
            let put = fresh.put(given(algorithm, Some("alias/k"))).unwrap();
            assert!(xml(&put).contains("<KMSMasterKeyID>alias/k</KMSMasterKeyID>"));
            assert!(!put.without_rule().has_rule());
        }
        assert_eq!(fresh.put(given("aws:kms", Some(""))).unwrap().rule().key, None);
        for (bad, code) in [
            (given("AES256", Some("k")), "InvalidArgument"),
            (given("aws:fsx", None), "MalformedXML"),
            (given("aes256", None), "MalformedXML"),
            (blocking(&["SSE-KMS"]), "MalformedXML"),
            (blocking(&[]), "MalformedXML"),
            (blocking(&["NONE", "SSE-C"]), "MalformedXML"),
        ] {
            assert_eq!(fresh.put(bad).unwrap_err().to_fault().code, code);
        }
    }

    #[test]
    fn customers_keys_stay_refused_until_somebody_lets_them_in() {
        let fresh = BucketEncryption::of_new_bucket(true);
        let put = fresh.put(given("AES256", None)).unwrap();
        assert!(put.blocks_customer_keys() && put.without_rule().blocks_customer_keys());
        let open = put.put(blocking(&["NONE"])).unwrap();
        assert!(!open.blocks_customer_keys());
        assert!(xml(&open).contains("<EncryptionType>NONE</EncryptionType>"));
        assert!(open.put(blocking(&["SSE-C"])).unwrap().blocks_customer_keys());
    }

    #[test]
    fn an_event_has_what_was_put() {
        let event =
            to_event(&EncryptionRule { bucket_key_enabled: Some(true), ..given("aws:kms", Some("k")) });
        let rule = json!({
            "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k" },
            "BucketKeyEnabled": true,
        });
        assert_eq!(event, json!({ "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": rule }));
        let blocked = to_event(&blocking(&["SSE-C"]));
        assert_eq!(blocked["Rule"], json!({ "BlockedEncryptionTypes": { "EncryptionType": "SSE-C" } }));
    }
}
