//! CreateKey: a customer managed key in the caller's account and Region.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>
//!
//! Differs from AWS: keys with material made here in one Region are offered; imported material, multi-Region keys,
//! custom key stores and SM2 are refused.

use std::collections::BTreeMap;

use base::{Call, KeyId};
use wire::kms::{CreateKey, CreateKeyRequest, CreateKeyResponse, KeySpec, KeyUsageType, OriginType};

use crate::authorize::{AccountAction, authorize_account};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{InvalidRequest, KmsError};
use crate::kind::{self, KeyKind};
use crate::paths::Place;
use crate::record::{KeyRecord, KeyState};
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
        let (spec, usage, kind) = offered(&request)?;
        let place = authorize_account::<Self>(call)?.place;
        if let Some(policy) = &request.policy {
            let bypass = request.bypass_policy_lockout_safety_check == Some(true);
            kms.check_policy(call, policy, bypass).await?;
        }
        let new = NewKey::from_request(request, spec, usage, place, call)?;
        let mut attempts = Attempts::new();
        loop {
            let mut random = [0; 16];
            kms.randomness.fill(&mut random)?;
            let arn = place.key_arn(KeyId::single_region(random));
            let material = kms.materials.generate(&arn, kind).await?;
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
    pub(crate) spec: KeySpec,
    pub(crate) usage: KeyUsageType,
    pub(crate) created_at: i64,
    pub(crate) description: String,
    pub(crate) policy: String,
    pub(crate) tags: BTreeMap<String, String>,
}

impl NewKey {
    fn from_request(
        request: CreateKeyRequest,
        spec: KeySpec,
        usage: KeyUsageType,
        place: Place,
        call: &Call,
    ) -> Result<Self, KmsError> {
        let default = || key_policy::default_policy(place.account, place.region);
        let mut held = BTreeMap::new();
        tags::add(&mut held, request.tags.as_deref().unwrap_or_default())?;
        Ok(Self {
            spec,
            usage,
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
            spec: self.spec,
            usage: self.usage,
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

/// What kind of key is asked for. Refuses what AWS refuses, in its words, and then what this version does not offer, in
/// ours.
fn offered(request: &CreateKeyRequest) -> Result<(KeySpec, KeyUsageType, KeyKind), KmsError> {
    let spec = key_spec(request)?;
    let usage = usage(spec, request.key_usage)?;
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
    if request.xks_key_id.is_some() {
        return Err(unsupported("XksKeyId", "with Origin AWS_KMS"));
    }
    let kind = KeyKind::of(spec).ok_or_else(|| unsupported("KeySpec", spec.as_str()))?;
    Ok((spec, usage, kind))
}

/// KeySpec and the deprecated CustomerMasterKeySpec are two names for one thing.
fn key_spec(request: &CreateKeyRequest) -> Result<KeySpec, KmsError> {
    match (request.key_spec, request.customer_master_key_spec) {
        (Some(_), Some(_)) => Err(InvalidRequest::KeySpecTwice.into()),
        (Some(spec), None) => Ok(spec),
        (None, Some(older)) => {
            older.as_str().parse().map_err(|_| KmsError::Bug("a spec without its newer name"))
        }
        (None, None) => Ok(KeySpec::SymmetricDefault),
    }
}

fn usage(spec: KeySpec, asked: Option<KeyUsageType>) -> Result<KeyUsageType, KmsError> {
    let usage = match asked {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsageType::EncryptDecrypt,
        None => return Err(InvalidRequest::KeyUsageRequired.into()),
    };
    if kind::usages(spec).contains(&usage) {
        Ok(usage)
    } else {
        Err(InvalidRequest::KeyUsageIncompatible { usage: usage.as_str(), spec: spec.as_str() }.into())
    }
}

fn unsupported(parameter: &str, value: &str) -> KmsError {
    KmsError::Unsupported(format!("{parameter} {value} is not offered by this version of Keywright."))
}
