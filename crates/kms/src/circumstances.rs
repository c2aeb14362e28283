//! The condition keys of a check, answered from the request's parameters and from the key that it is about.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>

use std::collections::BTreeMap;

use base::Call;
use policy::{Context, KmsKey, ServiceKey, Value};
use wire::kms::{KeySpec, KeyUsageType, OriginType};

use crate::facts::{Facts, GrantFacts};
use crate::keys::LoadedKey;

/// What there is to know about one check.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) facts: &'a Facts<'a>,
    /// Absent for actions on an account or an alias.
    pub(crate) key: Option<&'a LoadedKey>,
    /// `kms:GrantIsForAWSResource`, of the operations that have it; whether a service makes the call.
    pub(crate) is_for_aws_resource: Option<bool>,
}

impl<'a> Circumstances<'a> {
    /// What there is to know about taking an action in a call.
    pub(crate) fn of(call: &Call, action: &str, facts: &'a Facts<'a>, key: Option<&'a LoadedKey>) -> Self {
        let is_about_grants = matches!(action, "CreateGrant" | "ListGrants" | "RevokeGrant");
        let is_for_aws_resource = is_about_grants.then_some(call.service.is_some());
        Self { facts, key, is_for_aws_resource }
    }
}

/// The properties of a key, be it there or asked for.
struct Properties {
    spec: KeySpec,
    usage: KeyUsageType,
    origin: OriginType,
    multi_region_type: Option<&'static str>,
}

impl Context for Circumstances<'_> {
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        match key {
            ServiceKey::Kms(key) => self.kms(*key),
            ServiceKey::TagKeys => self.facts.tag_keys.map_or(Value::Absent, |keys| Value::Many(keys)),
            ServiceKey::RecipientAttestation(name) => {
                Value::of_text(self.facts.measurements.and_then(|measurements| measurements.get(name)))
            }
            ServiceKey::Other(_) => Value::Absent,
        }
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        let of_grant = || self.facts.grant.and_then(GrantFacts::context);
        self.facts.encryption_context.or_else(of_grant).filter(|context| !context.is_empty())
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.key.map(|key| &key.record.tags)
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.facts.tags.filter(|tags| !tags.is_empty())
    }
}

impl<'a> Circumstances<'a> {
    fn kms(&self, key: KmsKey) -> Value<'_> {
        use KmsKey as Key;
        let facts = self.facts;
        match key {
            Key::BypassPolicyLockoutSafetyCheck => bool_or_absent(facts.bypass_policy_lockout_safety_check),
            Key::DataKeyPairSpec => Value::of_text(facts.data_key_pair_spec),
            Key::EncryptionAlgorithm => Value::of_text(facts.encryption_algorithm),
            Key::ExpirationModel => Value::of_text(facts.expiration_model),
            Key::KeyAgreementAlgorithm => Value::of_text(facts.key_agreement_algorithm),
            Key::MacAlgorithm => Value::of_text(facts.mac_algorithm),
            Key::MessageType => Value::of_text(facts.message_type),
            Key::PrimaryRegion => Value::of_text(facts.primary_region),
            Key::ReEncryptOnSameKey => bool_or_absent(facts.re_encrypt_on_same_key),
            Key::ReplicaRegion => Value::of_text(facts.replica_region),
            Key::RequestAlias => Value::of_text(facts.request_alias),
            Key::ResourceAliases => self.key.map_or(Value::Absent, |key| Value::Many(&key.aliases)),
            Key::RotationPeriodInDays => number_or_absent(facts.rotation_period_in_days),
            Key::ScheduleKeyDeletionPendingWindowInDays => number_or_absent(facts.pending_window_in_days),
            Key::SigningAlgorithm => Value::of_text(facts.signing_algorithm),
            Key::TrailingDaysWithoutKeyUsage => number_or_absent(facts.days_without_use),
            Key::ValidTo => facts.valid_to.map_or(Value::Absent, Value::Time),
            Key::WrappingAlgorithm => Value::of_text(facts.wrapping.map(|(algorithm, _)| algorithm)),
            Key::WrappingKeySpec => Value::of_text(facts.wrapping.map(|(_, spec)| spec)),
            Key::KeyOrigin => self.property(|key| Value::Text(key.origin.as_str())),
            Key::KeySpec => self.property(|key| Value::Text(key.spec.as_str())),
            Key::KeyUsage => self.property(|key| Value::Text(key.usage.as_str())),
            Key::MultiRegion => self.property(|key| Value::Bool(key.multi_region_type.is_some())),
            Key::MultiRegionKeyType => self.property(|key| Value::of_text(key.multi_region_type)),
            Key::GrantConstraintSourceArn => self.of_grant(|grant| grant.source_arn),
            Key::GrantConstraintType => self.of_grant(|grant| grant.constraint_type()),
            Key::GrantIsForAwsResource => bool_or_absent(self.is_for_aws_resource),
            Key::GrantOperations => facts.grant.map_or(Value::Absent, |grant| Value::Many(&grant.operations)),
            Key::GranteePrincipal => self.of_grant(|grant| grant.grantee),
            Key::GranteeServicePrincipal => self.of_grant(|grant| grant.grantee_service),
            Key::RetiringPrincipal => self.of_grant(|grant| grant.retiring),
            Key::RetiringServicePrincipal => self.of_grant(|grant| grant.retiring_service),
        }
    }

    fn property(&self, of: impl Fn(&Properties) -> Value<'static>) -> Value<'static> {
        self.properties().map_or(Value::Absent, |properties| of(&properties))
    }

    fn of_grant(&self, of: impl Fn(&GrantFacts<'a>) -> Option<&'a str>) -> Value<'a> {
        Value::of_text(self.facts.grant.and_then(of))
    }

    fn properties(&self) -> Option<Properties> {
        let of_key = |key: &LoadedKey| Properties {
            spec: key.record.spec,
            usage: key.record.usage,
            origin: key.record.origin,
            multi_region_type: key
                .record
                .multi_region
                .as_ref()
                .map(|_| role(key.record.leads_in(key.arn.region))),
        };
        let asked = self.facts.new_key.map(|new| Properties {
            spec: new.spec,
            usage: new.usage,
            origin: new.origin,
            multi_region_type: new.multi_region.then_some(role(true)),
        });
        self.key.map(of_key).or(asked)
    }
}

fn role(is_primary: bool) -> &'static str {
    if is_primary { "PRIMARY" } else { "REPLICA" }
}

fn bool_or_absent(value: Option<bool>) -> Value<'static> {
    value.map_or(Value::Absent, Value::Bool)
}

fn number_or_absent(value: Option<i32>) -> Value<'static> {
    value.map_or(Value::Absent, |value| Value::Number(value.into()))
}
