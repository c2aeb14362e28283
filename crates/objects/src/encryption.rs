//! How an object's contents are encrypted: what a request asks for, and the content key in the form that this leaves it
//! in.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>

mod bucket_keys;
mod customer_key;
mod wanted;

use std::collections::BTreeMap;

use base::{Call, SecretArray, SecretBytes};
use base64_simd::STANDARD;
use crypto::content::ContentKey;
use crypto::{Binding, SealError, Sealed, SealingKey};
use keyring::Domain;
use wire::Fault;

pub(crate) use bucket_keys::BucketKeys;
pub(crate) use customer_key::{CustomerKey, KeysInClear};
pub(crate) use wanted::{KmsKind, Wanted};

use crate::Objects;
use crate::anonymous::refuse_kms;
use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::layers::ContentKeys;
use crate::object_key::ObjectKey;
use crate::ports::{DataKey, DataKeyError, DataKeyUse};
use crate::record::{KmsForm, StoredEncryption};
use crate::request::{Answer, Headers};

/// The key that S3 takes if a request asks for KMS and names none.
pub(crate) const AWS_MANAGED_KEY: &str = "alias/aws/s3";
const RESOURCE_PAIR: &str = "aws:s3:arn";

/// Which object is encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) bucket: &'a Bucket,
    pub(crate) key: &'a ObjectKey,
    /// The own id of the object's version.
    pub(crate) version: &'a str,
}

impl Place<'_> {
    /// What seals of the object are bound to.
    pub(crate) fn binding(&self, purpose: &str) -> Binding {
        let parts = [self.bucket.name.as_str(), self.key.as_str(), self.version];
        parts.iter().fold(Binding::new(purpose), |binding, part| binding.part(part.as_bytes()))
    }

    fn key_binding(&self) -> Binding {
        self.binding("keywright object content key")
    }

    fn outer_key_binding(&self) -> Binding {
        self.binding("keywright object outer content key")
    }

    pub(crate) fn domain(&self) -> Domain {
        Domain::region(self.bucket.region)
    }
}

impl Objects {
    /// Seals a new content key as the request wants it.
    ///
    /// # Errors
    /// The key service refuses, or something fails.
    pub(crate) async fn protect(
        &self,
        call: &Call,
        place: Place<'_>,
        wanted: &Wanted,
        keys: &ContentKeys,
    ) -> Result<StoredEncryption, ObjectsError> {
        let secret = keys.inner.expose_for_sealing().expose();
        match wanted {
            Wanted::Service => {
                let key = self.domain_keys.seal(&place.domain(), &place.key_binding(), secret).await?;
                Ok(StoredEncryption::Service { key })
            }
            Wanted::Customer(customer) => {
                Ok(StoredEncryption::Customer { key: self.seal_under(&customer.key, place, secret)? })
            }
            Wanted::Kms { key, context, kind } => {
                refuse_kms(call)?;
                let key = key.as_deref().unwrap_or(AWS_MANAGED_KEY);
                let context = self.kms_context(call, place, context, *kind)?;
                self.protect_under_kms(call, place, (key, context, *kind), keys).await
            }
        }
    }

    async fn protect_under_kms(
        &self,
        call: &Call,
        place: Place<'_>,
        (key, context, kind): (&str, BTreeMap<String, String>, KmsKind),
        keys: &ContentKeys,
    ) -> Result<StoredEncryption, ObjectsError> {
        let secret = keys.inner.expose_for_sealing().expose();
        match kind {
            KmsKind::DataKey | KmsKind::TwoLayers => {
                let form = self.protect_outer(place, keys).await?;
                let made = self.data_keys.generate(call, key, purpose(place.bucket, &context)).await;
                let DataKey { plaintext, ciphertext, key_arn } = made.map_err(refused_by_kms)?;
                let key = self.seal_under(&SealingKey::from_secret(plaintext), place, secret)?;
                let data_key = STANDARD.encode_to_string(ciphertext);
                Ok(StoredEncryption::Kms { key, data_key, key_arn, context, form })
            }
            KmsKind::BucketKey => {
                let used = self.bucket_key_for_writing(call, place.bucket, key, &context).await?;
                let bucket_key = used.key()?;
                let key = self.seal_under(&bucket_key.sealing, place, secret)?;
                let (data_key, key_arn) = (bucket_key.ciphertext.clone(), bucket_key.key_arn.clone());
                Ok(StoredEncryption::Kms { key, data_key, key_arn, context, form: KmsForm::BucketKey })
            }
        }
    }

    /// Seals the key of the outer layer, if there is one: no key of the key service has to do with it.
    async fn protect_outer(&self, place: Place<'_>, keys: &ContentKeys) -> Result<KmsForm, ObjectsError> {
        let Some(outer) = &keys.outer else { return Ok(KmsForm::DataKey) };
        let secret = outer.expose_for_sealing().expose();
        let outer = self.domain_keys.seal(&place.domain(), &place.outer_key_binding(), secret).await?;
        Ok(KmsForm::TwoLayers { outer })
    }

    /// Opens the content keys of an object that is there.
    ///
    /// # Errors
    /// The request has not the key that it takes, the key service refuses, or something fails.
    pub(crate) async fn unlock(
        &self,
        call: &Call,
        place: Place<'_>,
        stored: &StoredEncryption,
        customer: Option<&CustomerKey>,
    ) -> Result<ContentKeys, ObjectsError> {
        let binding = place.key_binding();
        let mut outer = None;
        let secret = match (stored, customer) {
            (StoredEncryption::Service { key }, _) => {
                self.domain_keys.open(&place.domain(), &binding, key).await?
            }
            (StoredEncryption::Customer { key }, Some(customer)) => {
                customer.key.open(&binding, key).map_err(|_| CustomerKey::another())?
            }
            (StoredEncryption::Customer { .. }, None) => return Err(CustomerKey::missing()),
            (StoredEncryption::Kms { key, data_key, key_arn, context, form }, _) => {
                refuse_kms(call)?;
                let (sealed_key, bucket) = ((key_arn.as_str(), data_key.as_str()), place.bucket);
                if let KmsForm::TwoLayers { outer: sealed } = form {
                    let binding = place.outer_key_binding();
                    let secret = self.domain_keys.open(&place.domain(), &binding, sealed).await?;
                    outer = Some(content_key(&secret)?);
                }
                let opened = match form {
                    KmsForm::DataKey | KmsForm::TwoLayers { .. } => {
                        self.open_data_key(call, bucket, sealed_key, context).await?.open(&binding, key)
                    }
                    KmsForm::BucketKey => {
                        let used = self.bucket_key_for_reading(call, bucket, sealed_key, context).await?;
                        used.key()?.sealing.open(&binding, key)
                    }
                };
                opened.map_err(|_| ObjectsError::Damaged("the seal of a content key"))?
            }
        };
        Ok(ContentKeys { inner: content_key(&secret)?, outer })
    }

    /// Seals the content key of an object that is there anew, under a key of the key service. What the caller gave the old
    /// encryption context stays in the new one.
    ///
    /// # Errors
    /// As those of [`Objects::unlock`] and [`Objects::protect`].
    pub(crate) async fn reseal(
        &self,
        call: &Call,
        place: Place<'_>,
        stored: &StoredEncryption,
        (key_arn, kind): (&str, KmsKind),
    ) -> Result<StoredEncryption, ObjectsError> {
        let keys = self.unlock(call, place, stored, None).await?;
        let mut context = match stored {
            StoredEncryption::Kms { context, .. } => context.clone(),
            StoredEncryption::Service { .. } | StoredEncryption::Customer { .. } => BTreeMap::new(),
        };
        context.remove(RESOURCE_PAIR);
        let wanted = Wanted::Kms { key: Some(key_arn.to_owned()), context, kind };
        self.protect(call, place, &wanted, &keys).await
    }

    /// The encryption that a write into a bucket asks for, or that the bucket has as its default.
    ///
    /// # Errors
    /// Those of [`Wanted::read`].
    pub(crate) fn wanted(
        &self,
        call: &Call,
        headers: &Headers,
        bucket: &Bucket,
    ) -> Result<Wanted, ObjectsError> {
        Wanted::read(headers, self.keys_in_clear(call), &bucket.record.encryption)
    }

    /// Whether customers' keys may come with a call.
    pub(crate) fn keys_in_clear(&self, call: &Call) -> KeysInClear {
        KeysInClear { may_come: call.is_secure() || self.takes_customer_keys_in_clear }
    }

    /// Has the key service decrypt a data key that is stored.
    async fn open_data_key(
        &self,
        call: &Call,
        bucket: &Bucket,
        (key_arn, ciphertext): (&str, &str),
        context: &BTreeMap<String, String>,
    ) -> Result<SealingKey, ObjectsError> {
        let ciphertext = STANDARD.decode_to_vec(ciphertext.as_bytes());
        let ciphertext = ciphertext.map_err(|_| ObjectsError::Damaged("a data key is no base64"))?;
        let plaintext = self.data_keys.decrypt(call, key_arn, &ciphertext, purpose(bucket, context)).await;
        Ok(SealingKey::from_secret(plaintext.map_err(refused_by_kms)?))
    }

    fn seal_under(&self, key: &SealingKey, place: Place<'_>, secret: &[u8]) -> Result<Sealed, ObjectsError> {
        key.seal(&place.key_binding(), secret, &*self.randomness).map_err(|error| match error {
            SealError::Randomness(error) => error.into(),
            SealError::SecretTooLong | SealError::Library => {
                ObjectsError::Bug("a content key cannot be sealed")
            }
        })
    }

    /// The caller's pairs and the one that S3 adds: a bucket key is for the whole bucket.
    fn kms_context(
        &self,
        call: &Call,
        place: Place<'_>,
        pairs: &BTreeMap<String, String>,
        kind: KmsKind,
    ) -> Result<BTreeMap<String, String>, ObjectsError> {
        let arn = match kind {
            KmsKind::DataKey | KmsKind::TwoLayers => place.bucket.object_arn(call.region, place.key),
            KmsKind::BucketKey => place.bucket.arn(call.region),
        };
        let mut context = pairs.clone();
        match context.insert(RESOURCE_PAIR.to_owned(), arn.clone()) {
            Some(other) if other != arn => {
                let text = "The encryption context has a pair aws:s3:arn that is not the ARN which S3 sends.";
                Err(ObjectsError::bad("InvalidArgument", text))
            }
            Some(_) | None => Ok(context),
        }
    }
}

/// Refuses a part whose headers do not fit the encryption of its upload.
///
/// # Errors
/// There is a customer's key where none belongs, or none where one does, or headers of a write.
pub(crate) fn check_part(headers: &Headers, is_customers: bool, has_key: bool) -> Result<(), ObjectsError> {
    check_no_write(headers)?;
    if is_customers == has_key {
        return Ok(());
    }
    let text = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
    Err(ObjectsError::bad("InvalidRequest", text))
}

/// Refuses headers that say how to encrypt, where nothing of that is decided.
///
/// # Errors
/// There is one.
pub(crate) fn check_no_write(headers: &Headers) -> Result<(), ObjectsError> {
    for name in [wanted::ALGORITHM, wanted::KEY_ID] {
        if let Some(value) = headers.get(name) {
            let text = format!("{name} header is not supported for this operation.");
            return Err(ObjectsError::invalid_argument(text, name, value));
        }
    }
    Ok(())
}

/// Refuses what is read without the customer's key that it takes, or with one that it does not take.
///
/// # Errors
/// So it is.
pub(crate) fn check_source(is_customers: bool, has_key: bool) -> Result<(), ObjectsError> {
    match (is_customers, has_key) {
        (true, false) => Err(CustomerKey::missing()),
        (false, true) => {
            let text = "The encryption parameters are not applicable to this object.";
            Err(ObjectsError::bad("InvalidRequest", text))
        }
        (true, true) | (false, false) => Ok(()),
    }
}

impl StoredEncryption {
    pub(crate) fn is_of_kms(&self) -> bool {
        matches!(self, Self::Kms { .. })
    }

    pub(crate) fn is_customers(&self) -> bool {
        matches!(self, Self::Customer { .. })
    }

    /// Whether the entity tag is the MD5 digest of the plaintext.
    pub(crate) fn has_digest_as_tag(&self) -> bool {
        matches!(self, Self::Service { .. })
    }

    /// Puts into an answer what S3 tells of the encryption.
    pub(crate) fn tell(&self, answer: Answer, customer: Option<&CustomerKey>) -> Answer {
        match (self, customer) {
            (Self::Service { .. }, _) => answer.header(wanted::ALGORITHM, "AES256"),
            (Self::Customer { .. }, Some(customer)) => customer.tell(answer),
            (Self::Customer { .. }, None) => answer,
            (Self::Kms { key_arn, form, .. }, _) => {
                let answer = answer.header(wanted::KEY_ID, key_arn);
                match form {
                    KmsForm::DataKey => answer.header(wanted::ALGORITHM, "aws:kms"),
                    KmsForm::BucketKey => {
                        answer.header(wanted::ALGORITHM, "aws:kms").header(wanted::BUCKET_KEY, "true")
                    }
                    KmsForm::TwoLayers { .. } => answer.header(wanted::ALGORITHM, "aws:kms:dsse"),
                }
            }
        }
    }
}

fn content_key(secret: &SecretBytes) -> Result<ContentKey, ObjectsError> {
    let secret = SecretArray::copy_from(secret.expose());
    secret.map(ContentKey::from_secret).ok_or(ObjectsError::Damaged("the length of a content key"))
}

fn purpose<'a>(bucket: &'a Bucket, context: &'a BTreeMap<String, String>) -> DataKeyUse<'a> {
    DataKeyUse { context, bucket: bucket.name.as_str(), bucket_owner: bucket.owner }
}

/// The key service's refusal as S3 passes it on: code `X` becomes `KMS.X`, its text stays.
fn refused_by_kms(error: DataKeyError) -> ObjectsError {
    let fault = match error {
        DataKeyError::Refused(fault) if fault.status < 500 => fault,
        DataKeyError::Refused(fault) => {
            return ObjectsError::Port(crate::ports::PortError(fault.code.into()));
        }
        DataKeyError::Failed(error) => return ObjectsError::Port(crate::ports::PortError(error)),
    };
    let code = match fault.code {
        "AccessDeniedException" => {
            return ObjectsError::access_denied(fault.message.unwrap_or_default());
        }
        "DisabledException" => "KMS.DisabledException",
        "InvalidArnException" => "KMS.InvalidArnException",
        "InvalidCiphertextException" => "KMS.InvalidCiphertextException",
        "InvalidKeyUsageException" => "KMS.InvalidKeyUsageException",
        "KMSInvalidStateException" => "KMS.KMSInvalidStateException",
        "NotFoundException" => "KMS.NotFoundException",
        "ThrottlingException" => "KMS.ThrottlingException",
        _ => "KMS.ValidationException",
    };
    ObjectsError::of_fault(Fault { code, status: 400, message: fault.message })
}
