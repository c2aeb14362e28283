//! The gate that STS calls pass. A role's trust policy guards it as a key policy guards a key; about everything else identity
//! policies decide alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{AccountId, Call, UnsignedCall};
use policy::{
    Action, CallerFacts, Context, Decision, IdentitySide, Origin, Policy, Request, Resource, ResourceSide,
    ServiceKey, Value, decide,
};

use super::error::StsError;
use crate::Identity;

/// What a request says that policies can ask about.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>
#[derive(Clone, Copy, Default)]
pub(super) struct Facts<'a> {
    /// `sts:RoleSessionName`.
    pub(super) role_session_name: Option<&'a str>,
    /// `sts:ExternalId`.
    pub(super) external_id: Option<&'a str>,
    /// `sts:SourceIdentity`.
    pub(super) source_identity: Option<&'a str>,
    /// `sts:TransitiveTagKeys`.
    pub(super) transitive_tag_keys: Option<&'a Vec<String>>,
    /// `sts:DurationSeconds`.
    pub(super) duration_seconds: Option<i32>,
    /// `aws:RequestTag/…` and `aws:TagKeys`.
    pub(super) tags: Option<&'a BTreeMap<String, String>>,
    /// `aws:ResourceTag/…` and `iam:ResourceTag/…`: the tags of the role.
    pub(super) role_tags: Option<&'a BTreeMap<String, String>>,
}

/// What an action is taken on.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// None: on nothing in particular.
    pub(super) arn: Option<&'a str>,
    pub(super) owner: AccountId,
    /// The trust policy, if it is a role.
    pub(super) trust: Option<&'a Policy>,
}

impl Context for Facts<'_> {
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        let ServiceKey::Other(name) = key else { return Value::Absent };
        match &**name {
            "sts:rolesessionname" => Value::of_text(self.role_session_name),
            "sts:externalid" => Value::of_text(self.external_id),
            "sts:sourceidentity" => Value::of_text(self.source_identity),
            "sts:transitivetagkeys" => {
                self.transitive_tag_keys.map_or(Value::Absent, |keys| Value::Many(keys))
            }
            "sts:durationseconds" => {
                self.duration_seconds.map_or(Value::Absent, |seconds| Value::Number(seconds.into()))
            }
            name => match (name.strip_prefix("iam:resourcetag/"), self.role_tags) {
                (Some(key), Some(tags)) => {
                    Value::of_pair(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())), key)
                }
                _ => Value::Absent,
            },
        }
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.role_tags
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags.filter(|tags| !tags.is_empty())
    }
}

/// What a token holder is told who may not do something, or asks for a role that is not there.
pub(super) fn not_authorized(action: &str) -> StsError {
    StsError::AccessDenied(format!("Not authorized to perform sts:{action}"))
}

impl Identity {
    /// Decides one check for the holder of a token: the trust policy alone has a say, for a token holder is of no account.
    ///
    /// # Errors
    /// AccessDenied; the text does not say why.
    pub(super) fn authorize_token_holder(
        &self,
        call: &UnsignedCall,
        holder: &CallerFacts,
        action: &'static str,
        target: Target<'_>,
        facts: &Facts<'_>,
    ) -> Result<(), StsError> {
        let request = Request {
            action: Action::new("sts", action),
            resource: Resource { arn: target.arn, owner: target.owner },
            caller: holder,
            origin: Origin::of_unsigned(call),
            context: facts,
        };
        let (side, resource) = (IdentitySide::default(), self.resource_side(target));
        let decision = decide(&request, &side, &resource);
        match decision.witnessed((&*self.witness, call.request_id), &request, &side, &resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(_) => Err(not_authorized(action)),
        }
    }

    /// A role is guarded by its trust policy, and by what its account's organisation says about roles.
    fn resource_side<'a>(&'a self, target: Target<'a>) -> ResourceSide<'a> {
        let Some(trust) = target.trust else { return ResourceSide::without_policy() };
        let mut side = ResourceSide::guarded_by(trust);
        if let Some(guardrails) = self.guardrails.of(target.owner) {
            side.resource_control = &guardrails.resource_control;
            side.organization = Some(&guardrails.organization);
        }
        side
    }

    /// Decides one check of a signed call.
    ///
    /// # Errors
    /// AccessDenied, or the caller's policies could not be read.
    pub(super) async fn authorize_sts(
        &self,
        call: &Call,
        action: &'static str,
        target: Target<'_>,
        facts: &Facts<'_>,
    ) -> Result<(), StsError> {
        let held = self.policies_of(&call.caller).await?;
        let caller = CallerFacts::of(Arc::clone(&call.caller));
        let request = Request {
            action: Action::new("sts", action),
            resource: Resource { arn: target.arn, owner: target.owner },
            caller: &caller,
            origin: Origin::of(call),
            context: facts,
        };
        let (side, resource) = (held.side(), self.resource_side(target));
        let decision = decide(&request, &side, &resource);
        match decision.witnessed((&*self.witness, call.request_id), &request, &side, &resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(StsError::AccessDenied(denial.message())),
        }
    }
}
