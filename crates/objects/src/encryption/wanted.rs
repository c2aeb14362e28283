//! The encryption that a write asks for.

use std::collections::BTreeMap;

use base64_simd::STANDARD;

use super::{CustomerKey, KeysInClear};
use crate::error::ObjectsError;
use crate::record::BucketEncryption;
use crate::request::Headers;

/// The header with the kind of encryption.
pub(super) const ALGORITHM: &str = "x-amz-server-side-encryption";
/// The header with the KMS key.
pub(super) const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

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
    },
}

impl Wanted {
    /// The caller's own key, if that is wanted.
    pub(crate) fn customer(&self) -> Option<&CustomerKey> {
        match self {
            Self::Customer(customer) => Some(customer),
            Self::Service | Self::Kms { .. } => None,
        }
    }

    /// Reads it. What does not say how is encrypted as the bucket has it.
    ///
    /// # Errors
    /// What is asked for is unknown, contradicts itself, is not offered, or is not to be in this bucket.
    pub(crate) fn read(
        headers: &Headers,
        secrecy: KeysInClear,
        bucket: &BucketEncryption,
    ) -> Result<Self, ObjectsError> {
        if bucket.blocks_customer_keys && CustomerKey::is_sent(headers) {
            return Err(ObjectsError::access_denied("Access Denied"));
        }
        match CustomerKey::read(headers, secrecy)? {
            Some(customer) => Ok(Self::Customer(customer)),
            None => Self::without_customer(headers, bucket),
        }
    }

    fn without_customer(headers: &Headers, bucket: &BucketEncryption) -> Result<Self, ObjectsError> {
        match headers.get(ALGORITHM) {
            None if bucket.is_kms && headers.get(KEY_ID).is_none() => {
                Ok(Self::Kms { key: bucket.key.clone(), context: BTreeMap::new() })
            }
            None | Some("AES256") => match headers.get(KEY_ID) {
                Some(value) => {
                    let text = format!("{ALGORITHM}: aws:kms is required with {KEY_ID}.");
                    Err(ObjectsError::invalid_argument(text, KEY_ID, value))
                }
                None => Ok(Self::Service),
            },
            Some("aws:kms")
                if headers.get(BUCKET_KEY).is_some_and(|value| value.eq_ignore_ascii_case("true")) =>
            {
                Err(ObjectsError::not_implemented())
            }
            Some("aws:kms") => {
                let context = headers.get(CONTEXT).map_or(Ok(BTreeMap::new()), read_context)?;
                Ok(Self::Kms { key: headers.get(KEY_ID).map(str::to_owned), context })
            }
            Some("aws:kms:dsse") => Err(ObjectsError::not_implemented()),
            Some(other) => {
                let text = "The encryption method specified is not supported";
                Err(ObjectsError::invalid_argument(text, ALGORITHM, other))
            }
        }
    }
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
        read_in(&BucketEncryption::default(), pairs)
    }

    fn read_in(bucket: &BucketEncryption, pairs: &[(&str, &str)]) -> Result<Wanted, &'static str> {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        Wanted::read(&headers, KeysInClear { may_come: false }, bucket).map_err(|error| error.to_fault().code)
    }

    #[test]
    fn what_does_not_say_how_is_as_the_bucket_has_it() {
        let bucket = BucketEncryption { is_kms: true, key: Some("k".to_owned()), blocks_customer_keys: true };
        assert!(matches!(read_in(&bucket, &[]), Ok(Wanted::Kms { key: Some(key), .. }) if key == "k"));
        assert!(matches!(read_in(&bucket, &[(ALGORITHM, "AES256")]), Ok(Wanted::Service)));
        // A request that names KMS without a key means the AWS managed one, whatever the bucket has.
        assert!(matches!(read_in(&bucket, &[(ALGORITHM, "aws:kms")]), Ok(Wanted::Kms { key: None, .. })));
        let blocked = [("x-amz-server-side-encryption-customer-algorithm", "nonsense")];
        assert_eq!(read_in(&bucket, &blocked).err(), Some("AccessDenied"));
        assert_eq!(read_in(&BucketEncryption::default(), &blocked).err(), Some("InvalidRequest"));
    }

    #[test]
    fn what_is_asked_for_is_read() {
        assert!(matches!(read(&[]), Ok(Wanted::Service)));
        assert!(matches!(read(&[(ALGORITHM, "AES256")]), Ok(Wanted::Service)));
        assert!(matches!(read(&[(ALGORITHM, "aws:kms")]), Ok(Wanted::Kms { key: None, .. })));
        let context = STANDARD.encode_to_string(br#"{"a":"b"}"#);
        let read = read(&[(ALGORITHM, "aws:kms"), (KEY_ID, "k"), (CONTEXT, &context), (BUCKET_KEY, "false")]);
        let Ok(Wanted::Kms { key, context }) = read else { panic!("not KMS") };
        assert_eq!(key.as_deref(), Some("k"));
        assert_eq!(context, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    }

    #[test]
    fn what_contradicts_itself_or_is_not_offered_is_refused() {
        for (pairs, code) in [
            (&[(ALGORITHM, "AES192")][..], "InvalidArgument"),
            (&[(KEY_ID, "k")], "InvalidArgument"),
            (&[(ALGORITHM, "AES256"), (KEY_ID, "k")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:kms"), (CONTEXT, "e30")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:kms"), (CONTEXT, "W10=")], "InvalidArgument"),
            (&[(ALGORITHM, "aws:kms:dsse")], "NotImplemented"),
            (&[(ALGORITHM, "aws:kms"), (BUCKET_KEY, "true")], "NotImplemented"),
        ] {
            assert_eq!(read(pairs).err(), Some(code), "{pairs:?}");
        }
    }
}
