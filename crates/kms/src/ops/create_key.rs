//! CreateKey: a customer managed key in the caller's account and Region.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>
//!
//! Differs from AWS: symmetric encryption keys with material made here are offered; the other kinds are refused.

use std::collections::BTreeMap;

use base::{Call, KeyId};
use wire::kms::{
    CreateKey, CreateKeyRequest, CreateKeyResponse, CustomerMasterKeySpec, KeySpec, KeyUsageType, OriginType,
};

use crate::authorize::{AccountAction, authorize_account};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{InvalidRequest, KmsError};
use crate::paths::Place;
use crate::record::{self, KeyRecord, KeyState};
use crate::table::Handle;
use crate::{Kms, key_policy, metadata, tags};

impl AccountAction for CreateKey {
    const NAME: &'static str = "CreateKey";
}

impl Handle for CreateKey {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CreateKeyRequest,
    ) -> Result<CreateKeyResponse, KmsError> {
        offered(&request)?;
        let place = authorize_account::<Self>(call)?.place;
        if let Some(policy) = &request.policy {
            let bypass = request.bypass_policy_lockout_safety_check == Some(true);
            kms.check_policy(call, policy, bypass).await?;
        }
        let new = NewKey::from_request(request, place, call)?;
        let mut attempts = Attempts::new();
        loop {
            let mut random = [0; 16];
            kms.randomness.fill(&mut random)?;
            let arn = place.key_arn(KeyId::single_region(random));
            let material = kms.materials.generate(&arn).await?;
            let mut edit = Edit::create(arn, new.record())?;
            edit.begin_with(&material)?;
            kms.count_new_key(&mut edit).await?;
            let response = CreateKeyResponse { key_metadata: Some(metadata::of(&arn, &edit.record)) };
            let record = kms.call_record(call, <Self as AccountAction>::NAME, &[arn])?;
            match kms.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(response),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}

/// What a new key begins with, checked.
pub(crate) struct NewKey {
    pub(crate) created_at: i64,
    pub(crate) description: String,
    pub(crate) policy: String,
    pub(crate) tags: BTreeMap<String, String>,
}

impl NewKey {
    fn from_request(request: CreateKeyRequest, place: Place, call: &Call) -> Result<Self, KmsError> {
        let default = || key_policy::default_policy(place.account, place.region);
        let mut held = BTreeMap::new();
        tags::add(&mut held, request.tags.as_deref().unwrap_or_default())?;
        Ok(Self {
            created_at: call.time.millis(),
            description: request.description.unwrap_or_default(),
            policy: request.policy.unwrap_or_else(default),
            tags: held,
        })
    }

    /// The record of an enabled key that has no material yet.
    pub(crate) fn record(&self) -> KeyRecord {
        KeyRecord {
            created_at: self.created_at,
            description: self.description.clone(),
            spec: record::KeySpec::SymmetricDefault,
            usage: record::KeyUsage::EncryptDecrypt,
            state: KeyState::Enabled,
            policy: self.policy.clone(),
            tags: self.tags.clone(),
            aliases: 0,
            current_material: String::new(),
            materials: 0,
            on_demand_rotations: 0,
            rotation: None,
            deletion: None,
        }
    }
}

/// Refuses what AWS refuses, in its words, and then what this version does not offer, in ours.
fn offered(request: &CreateKeyRequest) -> Result<(), KmsError> {
    let spec = key_spec(request)?;
    usage_fits(spec, request.key_usage)?;
    if let Some(id) = &request.custom_key_store_id {
        return Err(KmsError::CustomKeyStoreNotFound(id.clone()));
    }
    let origin = request.origin.unwrap_or(OriginType::AwsKms);
    if origin != OriginType::AwsKms {
        return Err(unsupported("Origin", origin.as_str()));
    }
    if request.multi_region == Some(true) {
        return Err(unsupported("MultiRegion", "true"));
    }
    if spec != KeySpec::SymmetricDefault.as_str() {
        return Err(unsupported("KeySpec", spec));
    }
    if request.xks_key_id.is_some() {
        return Err(unsupported("XksKeyId", "with Origin AWS_KMS"));
    }
    Ok(())
}

/// KeySpec and the deprecated CustomerMasterKeySpec are two names for one thing.
fn key_spec(request: &CreateKeyRequest) -> Result<&'static str, KmsError> {
    let newer = request.key_spec.map(KeySpec::as_str);
    let older = request.customer_master_key_spec.map(CustomerMasterKeySpec::as_str);
    match (newer, older) {
        (Some(_), Some(_)) => Err(InvalidRequest::KeySpecTwice.into()),
        (Some(spec), None) | (None, Some(spec)) => Ok(spec),
        (None, None) => Ok(KeySpec::SymmetricDefault.as_str()),
    }
}

fn usage_fits(spec: &'static str, usage: Option<KeyUsageType>) -> Result<(), KmsError> {
    let allowed: &[KeyUsageType] = match spec {
        "SYMMETRIC_DEFAULT" => &[KeyUsageType::EncryptDecrypt],
        "HMAC_224" | "HMAC_256" | "HMAC_384" | "HMAC_512" => &[KeyUsageType::GenerateVerifyMac],
        "RSA_2048" | "RSA_3072" | "RSA_4096" => &[KeyUsageType::EncryptDecrypt, KeyUsageType::SignVerify],
        "ECC_NIST_P256" | "ECC_NIST_P384" | "ECC_NIST_P521" => {
            &[KeyUsageType::SignVerify, KeyUsageType::KeyAgreement]
        }
        "SM2" => &[KeyUsageType::EncryptDecrypt, KeyUsageType::SignVerify, KeyUsageType::KeyAgreement],
        "ML_KEM_512" | "ML_KEM_768" | "ML_KEM_1024" => &[KeyUsageType::EncapsulateDecapsulate],
        _ => &[KeyUsageType::SignVerify],
    };
    let usage = match usage {
        Some(usage) => usage,
        None if spec == "SYMMETRIC_DEFAULT" => KeyUsageType::EncryptDecrypt,
        None => return Err(InvalidRequest::KeyUsageRequired.into()),
    };
    if allowed.contains(&usage) {
        Ok(())
    } else {
        Err(InvalidRequest::KeyUsageIncompatible { usage: usage.as_str(), spec }.into())
    }
}

fn unsupported(parameter: &str, value: &str) -> KmsError {
    KmsError::Unsupported(format!("{parameter} {value} is not offered by this version of Keywright."))
}
