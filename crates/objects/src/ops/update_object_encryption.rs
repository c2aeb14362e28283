//! UpdateObjectEncryption: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html>
//!
//! The content key of an object is opened and sealed anew; contents, entity tag, times and metadata stay. Whoever reads the
//! object meanwhile goes on reading. The key service is asked in the caller's name to decrypt the old data key and to
//! generate the new one.

use base::{AccountId, Call, KeyArn};
use serde_json::json;
use store::Transaction;
use wire::s3::{ObjectEncryption, read_object_encryption};

use crate::Objects;
use crate::body::Body;
use crate::bucket::Facts;
use crate::encryption::{KmsKind, Place};
use crate::error::ObjectsError;
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::{KmsForm, ObjectRecord, StoredEncryption};
use crate::request::{Answer, Request};
use crate::stored_object::contention;
use crate::table::parameters;
use crate::upload::Expected;
use crate::version::VersionId;

/// How often an object is sealed anew that others change meanwhile.
const ATTEMPTS_MAX: u32 = 8;

/// The key that an object is to be under, and how.
struct Asked {
    key: KeyArn,
    kind: KmsKind,
}

impl Objects {
    pub(crate) async fn update_object_encryption(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.bucket(call, bucket).await?;
        let version = VersionId::of_query(&request.query)?;
        let (mut told, expected) = (parameters(&request), Expected::read(&request.headers)?);
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        expected.check_whole(&body)?;
        let asked = match Asked::read(&body, bucket.owner) {
            Ok(asked) => asked,
            Err(refused) => {
                // Policies decide before anything of the body is refused.
                let (place, facts) = ((&bucket, key), (Facts::default(), None));
                self.authorize_access(call, place, version.as_ref(), ObjectAccess::Reseal, facts).await?;
                return Err(refused);
            }
        };
        told.insert("ObjectEncryption".to_owned(), asked.to_event());
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let key_arn = asked.key.to_string();
        for _ in 0..ATTEMPTS_MAX {
            let access = (ObjectAccess::Reseal, asked.facts());
            let object = self.object(call, (&bucket, key), version.as_ref(), access).await?;
            let (record, place) =
                (&object.record, Place { bucket: &bucket, key, version: &object.record.version });
            check_source(&record.encryption)?;
            let encryption = self.reseal(call, place, &record.encryption, (&key_arn, asked.kind)).await?;
            let record = ObjectRecord { encryption, ..record.clone() };
            let transaction = object.rewritten(Transaction::new(), &record)?;
            if self.change_objects(call, transaction, None).await? {
                return Ok(Answer::empty(200));
            }
        }
        Err(contention())
    }
}

impl Asked {
    fn read(body: &[u8], bucket_owner: AccountId) -> Result<Self, ObjectsError> {
        let asked = read_object_encryption(body).map_err(|_| ObjectsError::malformed_xml())?;
        let is_unreachable = asked.is_unreachable();
        let ObjectEncryption { kms: Some(kms), .. } = asked else {
            return Err(invalid(if is_unreachable { UNREACHABLE } else { NO_TYPE }));
        };
        let kind = match kms.bucket_key_enabled.as_deref() {
            None | Some("false") => KmsKind::DataKey,
            Some("true") => KmsKind::BucketKey,
            Some(_) => return Err(invalid(NO_BOOLEAN)),
        };
        let key_arn = kms.key_arn.filter(|arn| !arn.is_empty()).ok_or_else(|| invalid(NO_KEY))?;
        let key: KeyArn = key_arn.parse().map_err(|_| invalid(NO_ARN))?;
        if key.account != bucket_owner {
            return Err(ObjectsError::access_denied(FOREIGN_KEY));
        }
        Ok(Self { key, kind })
    }

    /// What policies may ask: how the object would be encrypted.
    fn facts(&self) -> Facts {
        Facts::default()
            .with("s3:x-amz-server-side-encryption", Some("aws:kms"))
            .with("s3:x-amz-server-side-encryption-aws-kms-key-id", Some(&self.key.to_string()))
    }

    fn to_event(&self) -> serde_json::Value {
        let with_bucket_key = self.kind == KmsKind::BucketKey;
        json!({"SSE-KMS": {"KMSKeyArn": self.key.to_string(), "BucketKeyEnabled": with_bucket_key}})
    }
}

fn check_source(encryption: &StoredEncryption) -> Result<(), ObjectsError> {
    match encryption {
        StoredEncryption::Service { .. }
        | StoredEncryption::Kms { form: KmsForm::DataKey | KmsForm::BucketKey, .. } => Ok(()),
        StoredEncryption::Customer { .. } | StoredEncryption::Kms { form: KmsForm::TwoLayers { .. }, .. } => {
            Err(invalid(OTHER_SOURCE))
        }
    }
}

fn invalid(text: &'static str) -> ObjectsError {
    ObjectsError::bad("InvalidRequest", text)
}

const OTHER_SOURCE: &str = "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.";
const UNREACHABLE: &str = "The UpdateObjectEncryption operation doesn't support updating the encryption type to DSSE-KMS or SSE-C. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
const NO_TYPE: &str = "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
const NO_KEY: &str = "Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name (ARN). Modify the request to specify a KMS key ARN, and then try again.";
const NO_ARN: &str = "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.";
const NO_BOOLEAN: &str = "The BucketKeyEnabled value isn't valid. Valid values are true or false. Modify the request to specify a valid value, and then try again.";
const FOREIGN_KEY: &str = "The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.";

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn read(inner: &str) -> Result<KmsKind, String> {
        let body = format!("<ObjectEncryption>{inner}</ObjectEncryption>");
        let asked = Asked::read(body.as_bytes(), "111122223333".parse().unwrap());
        asked.map(|asked| asked.kind).map_err(|error| error.to_fault().message.unwrap())
    }

    fn under_kms(key: &str, more: &str) -> Result<KmsKind, String> {
        read(&format!("<SSE-KMS><KMSKeyArn>{key}</KMSKeyArn>{more}</SSE-KMS>"))
    }

    #[test]
    fn a_key_by_its_arn_is_asked_for_with_or_without_a_bucket_key() {
        assert_eq!(under_kms(OWN, ""), Ok(KmsKind::DataKey));
        assert_eq!(under_kms(OWN, "<BucketKeyEnabled>false</BucketKeyEnabled>"), Ok(KmsKind::DataKey));
        assert_eq!(under_kms(OWN, "<BucketKeyEnabled>true</BucketKeyEnabled>"), Ok(KmsKind::BucketKey));
    }

    #[test]
    fn what_is_no_such_request_is_refused_in_its_own_words() {
        let refused = |text: &'static str| Err(text.to_owned());
        assert_eq!(read(""), refused(NO_TYPE));
        assert_eq!(read("<SSE-S3/>"), refused(NO_TYPE));
        assert_eq!(read("<DSSE-KMS/>"), refused(UNREACHABLE));
        assert_eq!(read("<SSE-C/>"), refused(UNREACHABLE));
        assert_eq!(read("<SSE-KMS/>"), refused(NO_KEY));
        assert_eq!(under_kms("", ""), refused(NO_KEY));
        for no_arn in ["alias/a", "1234abcd-12ab-34cd-56ef-1234567890ab", &OWN.replace(":key/", ":alias/")] {
            assert_eq!(under_kms(no_arn, ""), refused(NO_ARN), "{no_arn}");
        }
        assert_eq!(under_kms(&OWN.replace("1111", "4444"), ""), refused(FOREIGN_KEY));
        assert_eq!(under_kms(OWN, "<BucketKeyEnabled>yes</BucketKeyEnabled>"), refused(NO_BOOLEAN));
    }
}
