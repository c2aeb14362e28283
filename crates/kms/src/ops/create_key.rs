//! CreateKey: a customer managed key in the caller's account and Region.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>
//!
//! Differs from AWS: custom key stores and SM2 are refused.

use std::collections::BTreeMap;

use base::{Call, KeyArn, KeyId};
use wire::event;
use wire::kms::{CreateKey, CreateKeyRequest, CreateKeyResponse, KeySpec, KeyUsageType, OriginType};

use crate::authorize::AccountAction;
use crate::change::{Attempts, Committed, Edit};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::{Facts, NewKeyFacts};
use crate::key_policy::{Guarded, KeyPolicy};
use crate::kind::{self, KeyKind};
use crate::multi_region::MultiRegion;
use crate::record::{KeyRecord, KeyState};
use crate::table::Handle;
use crate::{Kms, metadata, tags};

impl AccountAction for CreateKey {
    const NAME: &'static str = "CreateKey";
}

impl Handle for CreateKey {
    const READ_ONLY: bool = false;

    /// With what is left to defaults, as CloudTrail has it.
    fn parameters(request: &CreateKeyRequest) -> Option<Vec<u8>> {
        let asked = offered(request).ok();
        let spec = asked.as_ref().map(|asked| asked.spec);
        let policy_check = request.bypass_policy_lockout_safety_check;
        event::shown(&CreateKeyRequest {
            description: Some(request.description.clone().unwrap_or_default()),
            key_usage: asked.as_ref().map(|asked| asked.usage).or(request.key_usage),
            key_spec: spec.or(request.key_spec),
            customer_master_key_spec: spec.and_then(|spec| spec.as_str().parse().ok()),
            origin: Some(request.origin.unwrap_or(OriginType::AwsKms)),
            multi_region: Some(request.multi_region.unwrap_or(false)),
            bypass_policy_lockout_safety_check: Some(policy_check.unwrap_or(false)),
            ..request.clone()
        })
    }

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CreateKeyRequest,
    ) -> Result<CreateKeyResponse, KmsError> {
        let asked = offered(&request)?;
        let named = tags::named(request.tags.as_deref().unwrap_or_default());
        let facts = Facts {
            bypass_policy_lockout_safety_check: request.bypass_policy_lockout_safety_check,
            new_key: Some(asked.facts()),
            tags: Some(&named),
            ..Facts::default()
        };
        let place = kms.authorize_account::<Self>(call, &facts).await?.place;
        kms.authorize_tags_of_new_key(call, &facts).await?;
        let policy = match &request.policy {
            Some(policy) => {
                let bypass = request.bypass_policy_lockout_safety_check == Some(true);
                // The key has no id yet that a policy could name.
                let arn = place.key_arn(KeyId::single_region([0; 16]));
                kms.check_policy(call, policy, Guarded { arn, key: None, facts: &facts }, bypass).await?
            }
            None => KeyPolicy::default_of(place.account, place.region),
        };
        let new = NewKey::from_request(request, &asked, policy, call)?;
        let mut attempts = Attempts::new();
        loop {
            let mut random = [0; 16];
            kms.randomness.fill(&mut random)?;
            let id = if asked.multi_region { KeyId::multi_region } else { KeyId::single_region };
            let arn = place.key_arn(id(random));
            let mut edit = Edit::create(arn, new.record(&arn))?;
            if asked.origin == OriginType::AwsKms {
                edit.begin_with(&kms.materials.generate(&arn, asked.kind).await?)?;
            }
            let turn = kms.count_shards.take().await;
            kms.count_shards.count_new_key(&mut edit, &turn).await?;
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
    pub(crate) origin: OriginType,
    pub(crate) created_at: i64,
    pub(crate) description: String,
    pub(crate) policy: KeyPolicy,
    pub(crate) tags: BTreeMap<String, String>,
}

impl NewKey {
    fn from_request(
        request: CreateKeyRequest,
        asked: &Asked,
        policy: KeyPolicy,
        call: &Call,
    ) -> Result<Self, KmsError> {
        let mut held = BTreeMap::new();
        tags::add(&mut held, request.tags.as_deref().unwrap_or_default())?;
        Ok(Self {
            spec: asked.spec,
            usage: asked.usage,
            origin: asked.origin,
            created_at: call.time.millis(),
            description: request.description.unwrap_or_default(),
            policy,
            tags: held,
        })
    }

    /// The record of a key that has no material yet. It is enabled unless its material comes from outside.
    pub(crate) fn record(&self, arn: &KeyArn) -> KeyRecord {
        let is_multi_region = matches!(arn.id, KeyId::MultiRegion(_));
        let imports = self.origin == OriginType::External;
        KeyRecord {
            created_at: self.created_at,
            description: self.description.clone(),
            spec: self.spec,
            usage: self.usage,
            origin: self.origin,
            state: if imports { KeyState::PendingImport } else { KeyState::Enabled },
            policy: self.policy.text.clone(),
            policy_principals: self.policy.principals.clone(),
            tags: self.tags.clone(),
            aliases: 0,
            grants: 0,
            current_material: None,
            materials: 0,
            retired: 0,
            imported: Vec::new(),
            pending_material: None,
            on_demand_rotations: 0,
            rotation: None,
            deletion: None,
            window_after_replicas: None,
            managed_by: None,
            multi_region: is_multi_region.then(|| MultiRegion::alone_in(arn.region)),
        }
    }
}

/// What kind of key is asked for.
struct Asked {
    spec: KeySpec,
    usage: KeyUsageType,
    kind: KeyKind,
    origin: OriginType,
    multi_region: bool,
}

impl Asked {
    fn facts(&self) -> NewKeyFacts {
        NewKeyFacts {
            spec: self.spec,
            usage: self.usage,
            origin: self.origin,
            multi_region: self.multi_region,
        }
    }
}

/// Refuses what AWS refuses, in its words, and then what this version does not offer, in ours.
fn offered(request: &CreateKeyRequest) -> Result<Asked, KmsError> {
    let spec = key_spec(request)?;
    let usage = usage(spec, request.key_usage)?;
    if let Some(id) = &request.custom_key_store_id {
        return Err(KmsError::CustomKeyStoreNotFound(id.clone()));
    }
    if request.xks_key_id.is_some() {
        return Err(unsupported("XksKeyId", "without a custom key store"));
    }
    let kind = KeyKind::of(spec).ok_or_else(|| unsupported("KeySpec", spec.as_str()))?;
    let origin = request.origin.unwrap_or(OriginType::AwsKms);
    match origin {
        OriginType::AwsKms => {}
        OriginType::External if kind.is_importable() => {}
        OriginType::External => {
            let text = format!("KeySpec {spec} is not supported for Origin EXTERNAL.");
            return Err(KmsError::Unsupported(text));
        }
        OriginType::AwsCloudhsm | OriginType::ExternalKeyStore => {
            return Err(unsupported("Origin", origin.as_str()));
        }
    }
    Ok(Asked { spec, usage, kind, origin, multi_region: request.multi_region == Some(true) })
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
