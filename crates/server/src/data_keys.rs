//! How S3 gets data keys: by calls to the key service on behalf of whoever calls S3, which pass the same gates and
//! leave the same events as any call.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::{Call, CallIds, CallingService, EventId, Randomness, RequestId, SecretArray, SecretBytes};
use base64_simd::STANDARD;
use kms::{Kms, Refused};
use objects::{DataKey, DataKeyError, DataKeyUse, DataKeys, PortError};
use serde::{Deserialize, Serialize};
use wire::Fault;

/// The key service as S3 asks it.
pub(crate) struct DataKeysOfKms {
    kms: Arc<Kms>,
    randomness: Arc<dyn Randomness>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey<'a> {
    key_id: &'a str,
    key_spec: &'a str,
    encryption_context: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt<'a> {
    key_id: &'a str,
    ciphertext_blob: String,
    encryption_context: &'a BTreeMap<String, String>,
}

/// The members of both answers that S3 reads; the plaintext stays in the answer's bytes, which are wiped.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    #[serde(borrow)]
    plaintext: &'a str,
    ciphertext_blob: Option<String>,
    key_id: String,
}

impl DataKeysOfKms {
    pub(crate) fn new(kms: Arc<Kms>, randomness: Arc<dyn Randomness>) -> Self {
        Self { kms, randomness }
    }

    async fn ask(
        &self,
        call: &Call,
        purpose: DataKeyUse<'_>,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<SecretBytes, DataKeyError> {
        let service = CallingService {
            name: "s3",
            source_arn: Some(format!("arn:{}:s3:::{}", call.region.partition(), purpose.bucket)),
            source_account: Some(purpose.bucket_owner),
        };
        let ids = CallIds { request: RequestId::new(self.random()?), event: EventId::new(self.random()?) };
        let forwarded = call.forwarded_by(service, ids);
        let body = serde_json::to_vec(body).map_err(|error| DataKeyError::Failed(error.into()))?;
        let known = Kms::operation(operation).ok_or_else(|| missing(operation))?;
        let answer = self.kms.call(known, &forwarded, &body).await;
        answer.map(SecretBytes::new).map_err(|refused| refused_in_its_words(&refused))
    }

    fn random(&self) -> Result<[u8; 16], DataKeyError> {
        let mut random = [0; 16];
        self.randomness.fill(&mut random).map_err(|error| DataKeyError::Failed(error.into()))?;
        Ok(random)
    }
}

#[async_trait]
impl DataKeys for DataKeysOfKms {
    async fn generate(
        &self,
        call: &Call,
        key: &str,
        purpose: DataKeyUse<'_>,
    ) -> Result<DataKey, DataKeyError> {
        let body = GenerateDataKey { key_id: key, key_spec: "AES_256", encryption_context: purpose.context };
        let answer = self.ask(call, purpose, "GenerateDataKey", &body).await?;
        let told = read(&answer)?;
        let ciphertext = told.ciphertext_blob.as_deref().unwrap_or_default();
        let ciphertext = STANDARD.decode_to_vec(ciphertext.as_bytes());
        let ciphertext = ciphertext.map_err(|error| DataKeyError::Failed(error.into()))?;
        Ok(DataKey { plaintext: secret(&told)?, ciphertext, key_arn: told.key_id })
    }

    async fn arn_of(&self, call: &Call, key: &str) -> Result<Option<String>, PortError> {
        let arn = self.kms.key_arn(call, key).await.map_err(|error| PortError(error.into()))?;
        Ok(arn.map(|arn| arn.to_string()))
    }

    async fn decrypt(
        &self,
        call: &Call,
        key_arn: &str,
        ciphertext: &[u8],
        purpose: DataKeyUse<'_>,
    ) -> Result<SecretArray<32>, DataKeyError> {
        let ciphertext_blob = STANDARD.encode_to_string(ciphertext);
        let body = Decrypt { key_id: key_arn, ciphertext_blob, encryption_context: purpose.context };
        secret(&read(&self.ask(call, purpose, "Decrypt", &body).await?)?)
    }
}

fn read(answer: &SecretBytes) -> Result<Told<'_>, DataKeyError> {
    // The error of the parser can quote what it read, which may be the key.
    serde_json::from_slice(answer.expose()).map_err(|_| missing("a data key in the answer"))
}

fn secret(told: &Told<'_>) -> Result<SecretArray<32>, DataKeyError> {
    let mut secret = SecretArray::<32>::zeroed();
    let decoded =
        STANDARD.decode(told.plaintext.as_bytes(), base64_simd::Out::from_slice(secret.expose_mut()));
    match decoded.map(|decoded| decoded.len()) {
        Ok(32) => Ok(secret),
        Ok(_) | Err(_) => Err(missing("a data key of 256 bits")),
    }
}

fn missing(what: &str) -> DataKeyError {
    DataKeyError::Failed(format!("the key service has not {what}").into())
}

/// What is the key service's own failure is S3's as well; the log has the cause.
fn refused_in_its_words(refused: &Refused) -> DataKeyError {
    let fault: Fault = refused.to_fault();
    if fault.status >= 500 {
        return DataKeyError::Failed(format!("the key service fails: {refused:?}").into());
    }
    DataKeyError::Refused(fault)
}
