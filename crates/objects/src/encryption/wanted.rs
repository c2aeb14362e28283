//! The encryption that a write asks for.

use std::collections::BTreeMap;

use base64_simd::STANDARD;

use super::{CustomerKey, KeysInClear};
use crate::bucket_encryption::{Algorithm, BucketEncryption, Rule};
use crate::error::ObjectsError;
use crate::request::{Answer, Headers};

/// The header with the kind of encryption.
pub(super) const ALGORITHM: &str = "x-amz-server-side-encryption";
/// The header with the KMS key.
pub(super) const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
/// The header with whether a bucket key is used.
pub(super) const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// The encryption that a write asks for.
pub(crate) enum Wanted {
    /// SSE-S3, also if nothing is said.
    Service,
    /// SSE-C.
    Customer(CustomerKey),
    /// SSE-KMS.
    Kms {
        /// As the request names it; none: the AWS managed key.
        key: Option<String>,
        /// The caller's pairs.
        context: BTreeMap<String, String>,
        /// What its data key is.
        kind: KmsKind,
    },
}

/// The kinds of encryption under a KMS key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KmsKind {
    /// Under a data key of the object's own.
    DataKey,
    /// Under a bucket key.
    BucketKey,
    /// In two layers, the inner one under a data key of the object's own.
    TwoLayers,
}

impl Wanted {
    /// The caller's own key, if that is wanted.
    pub(crate) fn customer(&self) -> Option<&CustomerKey> {
        match self {
            Self::Customer(customer) => Some(customer),
            Self::Service | Self::Kms { .. } => None,
        }
    }

    /// Whether contents are to be encrypted twice.
    pub(crate) fn has_two_layers(&self) -> bool {
        matches!(self, Self::Kms { kind: KmsKind::TwoLayers, .. })
    }

    /// Puts the caller's encryption context into the answer to a write; no other answer has it.
    pub(crate) fn tell_context(&self, answer: Answer) -> Answer {
        match self {
            Self::Kms { context, .. } if !context.is_empty() => {
                let json = serde_json::Value::from_iter(context.clone()).to_string();
                answer.header(CONTEXT, STANDARD.encode_to_string(json))
            }
            Self::Service | Self::Customer(_) | Self::Kms { .. } => answer,
        }
    }

    /// Reads it. What the request does not say the rule of the bucket does.
    ///
    /// # Errors
    /// What is asked for is unknown, contradicts itself, or is not to be in this bucket.
    pub(crate) fn read(
        headers: &Headers,
        secrecy: KeysInClear,
        bucket: &BucketEncryption,
    ) -> Result<Self, ObjectsError> {
        // Said before anything of the key is looked at.
        if bucket.blocks_customer_keys() && CustomerKey::is_sent(headers) {
            return Err(ObjectsError::access_denied("Access Denied"));
        }
        match CustomerKey::read(headers, secrecy)? {
            Some(customer) => {
                refuse_of_kms(headers)?;
                Ok(Self::Customer(customer))
            }
            None => Self::without_customer(headers, &bucket.rule()),
        }
    }

    fn without_customer(headers: &Headers, rule: &Rule) -> Result<Self, ObjectsError> {
        let named = headers.get(KEY_ID);
        let Some(algorithm) = headers.get(ALGORITHM) else {
            refuse(headers, KEY_ID)?;
            return Self::of(headers, rule.algorithm, rule.key.as_deref(), rule.with_bucket_key);
        };
        let Some(algorithm) = Algorithm::of_name(algorithm) else {
            let text = "The encryption method specified is not supported";
            return Err(ObjectsError::invalid_argument(text, ALGORITHM, algorithm));
        };
        Self::of(headers, algorithm, named, rule.with_bucket_key)
    }

    fn of(
        headers: &Headers,
        algorithm: Algorithm,
        key: Option<&str>,
        with_bucket_key: bool,
    ) -> Result<Self, ObjectsError> {
        let with_bucket_key =
            headers.get(BUCKET_KEY).map_or(with_bucket_key, |value| value.eq_ignore_ascii_case("true"));
        let kind = match algorithm {
            Algorithm::Service => {
                refuse_of_kms(headers)?;
                return Ok(Self::Service);
            }
            Algorithm::Kms if with_bucket_key => KmsKind::BucketKey,
            Algorithm::Kms => KmsKind::DataKey,
            // A bucket key may be asked for, but is none for two layers.
            Algorithm::KmsInTwoLayers => KmsKind::TwoLayers,
        };
        let context = headers.get(CONTEXT).map_or(Ok(BTreeMap::new()), read_context)?;
        Ok(Self::Kms { key: key.map(str::to_owned), context, kind })
    }
}

/// A key, and an encryption context, belong to KMS.
fn refuse_of_kms(headers: &Headers) -> Result<(), ObjectsError> {
    refuse(headers, KEY_ID)?;
    refuse(headers, CONTEXT)
}

fn refuse(headers: &Headers, name: &str) -> Result<(), ObjectsError> {
    let Some(value) = headers.get(name) else { return Ok(()) };
    let text = format!("{ALGORITHM}: aws:kms is required with {name}.");
    Err(ObjectsError::invalid_argument(text, name, value))
}

fn read_context(text: &str) -> Result<BTreeMap<String, String>, ObjectsError> {
    let decoded = STANDARD.decode_to_vec(text.as_bytes()).ok();
    let pairs = decoded.and_then(|json| serde_json::from_slice(&json).ok());
    pairs.ok_or_else(|| {
        let text = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";
        ObjectsError::bad("InvalidArgument", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Wanted, &'static str> {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        let bucket = BucketEncryption::default();
        Wanted::read(&headers, KeysInClear { may_come: false }, &bucket)
            .map_err(|error| error.to_fault().code)
    }

    #[test]
    fn what_is_asked_for_is_read() {
        assert!(matches!(read(&[]), Ok(Wanted::Service)));
        assert!(matches!(read(&[(ALGORITHM, "AES256")]), Ok(Wanted::Service)));
        assert!(matches!(read(&[(ALGORITHM, "aws:kms")]), Ok(Wanted::Kms { key: None, .. })));
        let context = STANDARD.encode_to_string(br#"{"a":"b"}"#);
        let read = read(&[(ALGORITHM, "aws:kms"), (KEY_ID, "k"), (CONTEXT, &context), (BUCKET_KEY, "false")]);
        let Ok(Wanted::Kms { key, context, kind: KmsKind::DataKey }) = read else { panic!("not KMS") };
        assert_eq!(key.as_deref(), Some("k"));
        assert_eq!(context, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    }

    fn read_under(rule: &Rule, pairs: &[(&str, &str)]) -> Wanted {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        Wanted::without_customer(&headers, rule).unwrap()
    }

    #[test]
    fn the_rule_of_the_bucket_decides_if_nothing_is_said_and_only_then() {
        let rule = Rule { algorithm: Algorithm::Kms, key: Some("k".to_owned()), with_bucket_key: false };
        let named = |wanted| match wanted {
            Wanted::Kms { key, .. } => key,
            Wanted::Service | Wanted::Customer(_) => Some("no KMS".to_owned()),
        };
        assert_eq!(named(read_under(&rule, &[])), Some("k".to_owned()));
        assert_eq!(named(read_under(&rule, &[(ALGORITHM, "aws:kms"), (KEY_ID, "l")])), Some("l".to_owned()));
        // Not the bucket's key, but the AWS managed one.
        assert_eq!(named(read_under(&rule, &[(ALGORITHM, "aws:kms")])), None);
        assert!(matches!(read_under(&rule, &[(ALGORITHM, "AES256")]), Wanted::Service));
        let refused = Wanted::without_customer(&Headers::new([(KEY_ID, &b"l"[..])]), &rule).err().unwrap();
        assert_eq!(refused.to_fault().code, "InvalidArgument");
    }

    #[test]
    fn the_request_decides_about_the_bucket_key_and_the_rule_if_it_does_not() {
        for (by_rule, header, expected) in [
            (false, None, KmsKind::DataKey),
            (true, None, KmsKind::BucketKey),
            (true, Some("false"), KmsKind::DataKey),
            (false, Some("true"), KmsKind::BucketKey),
        ] {
            let rule = Rule { algorithm: Algorithm::Kms, key: None, with_bucket_key: by_rule };
            for algorithm in [None, Some("aws:kms")] {
                let sent = [(ALGORITHM, algorithm), (BUCKET_KEY, header)];
                let sent: Vec<_> = sent.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
                let Wanted::Kms { kind, .. } = read_under(&rule, &sent) else { panic!("not KMS") };
                assert_eq!(kind, expected);
            }
        }
        let rule = Rule { with_bucket_key: true, ..Rule::default() };
        assert!(matches!(read_under(&rule, &[]), Wanted::Service));
    }

    #[test]
    fn two_layers_never_have_a_bucket_key() {
        for with_bucket_key in [false, true] {
            let rule = Rule { algorithm: Algorithm::KmsInTwoLayers, key: None, with_bucket_key };
            for sent in [&[][..], &[(ALGORITHM, "aws:kms:dsse"), (BUCKET_KEY, "true")]] {
                let wanted = read_under(&rule, sent);
                assert!(matches!(wanted, Wanted::Kms { kind: KmsKind::TwoLayers, .. }));
                assert!(wanted.has_two_layers());
            }
        }
        assert!(!read_under(&Rule::default(), &[(ALGORITHM, "aws:kms")]).has_two_layers());
    }

    #[test]
    fn a_bucket_that_blocks_customers_keys_looks_at_none() {
        let sent = Headers::new([("x-amz-server-side-encryption-customer-algorithm", &b"nonsense"[..])]);
        for (blocks, code) in [(true, "AccessDenied"), (false, "InvalidEncryptionAlgorithmError")] {
            let bucket = BucketEncryption::of_new_bucket(blocks);
            let refused = Wanted::read(&sent, KeysInClear { may_come: true }, &bucket).err().unwrap();
            assert_eq!(refused.to_fault().code, code);
        }
    }

    #[test]
    fn what_contradicts_itself_or_is_not_offered_is_refused() {
        for (pairs, code) in [
            (&[(ALGORITHM, "AES192")][..], "InvalidArgument"),
            (&[(KEY_ID, "k")], "InvalidArgument"),
            (&[(ALGORITHM, "AES256"), (KEY_ID, "k")], "InvalidArgument"),
            (&[(ALGORITHM, "AES256"), (CONTEXT, "e30=")], "InvalidArgument"),
            (&[(CONTEXT, "e30=")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:kms"), (CONTEXT, "e30")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:kms"), (CONTEXT, "W10=")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:fsx")], "InvalidArgument"),
        ] {
            assert_eq!(read(pairs).err(), Some(code), "{pairs:?}");
        }
    }
}
