//! What policies can ask about an IAM call: its parameters, and the tags and boundary of what it is about.
//!
//! Which operation has which condition keys:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>

use std::collections::BTreeMap;

use policy::{Context, ServiceKey, Value};
use wire::iam::Tag;

use super::resource::{Kind, Resource};
use crate::record::TagRecord;

/// The parameters of a call that are condition keys. Most operations have none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// `iam:PolicyARN`: the policy that is attached or detached.
    pub(crate) policy_arn: Option<&'a str>,
    /// `iam:PermissionsBoundary`: the boundary that is asked for.
    pub(crate) boundary: Option<&'a str>,
    /// `aws:RequestTag/…` and `aws:TagKeys`.
    pub(crate) tags: &'a [Tag],
    /// `aws:TagKeys` of a request that names keys only.
    pub(crate) tag_keys: Option<&'a Vec<String>>,
}

impl<'a> Facts<'a> {
    /// Of a call that attaches or detaches this policy.
    pub(crate) fn of_policy(arn: &'a str) -> Self {
        Self { policy_arn: Some(arn), ..Self::default() }
    }

    /// Of a call that bounds something by this policy.
    pub(crate) fn of_boundary(arn: &'a str) -> Self {
        Self { boundary: Some(arn), ..Self::default() }
    }

    /// Of a call that gives these tags.
    pub(crate) fn of_tags(tags: &'a [Tag]) -> Self {
        Self { tags, ..Self::default() }
    }

    /// Of a call that takes the tags of these keys away.
    pub(crate) fn of_tag_keys(keys: &'a Vec<String>) -> Self {
        Self { tag_keys: Some(keys), ..Self::default() }
    }

    /// Of a call that makes something with these tags, within this boundary.
    pub(crate) fn of_new(tags: Option<&'a Vec<Tag>>, boundary: Option<&'a String>) -> Self {
        let tags = tags.map_or(&[][..], Vec::as_slice);
        Self { tags, boundary: boundary.map(String::as_str), ..Self::default() }
    }
}

/// What there is to know of the thing that a call is about; nothing, if it is not there.
#[derive(Clone, Copy, Default)]
pub(crate) struct Properties<'a> {
    pub(crate) tags: &'a [TagRecord],
    /// The ARN of the policy that bounds it.
    pub(crate) boundary: Option<&'a str>,
}

/// Operations whose key `iam:PermissionsBoundary` is the boundary that the user or role has. For those that ask for a
/// boundary it is the one that they ask for, and no other operation has the key.
const ABOUT_WHO_IS_BOUNDED: [&str; 15] = [
    "AttachRolePolicy",
    "AttachUserPolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "GetRole",
    "PutRolePolicy",
    "PutUserPolicy",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
];

/// What this room tells policies of a call.
pub(crate) struct Circumstances<'a> {
    facts: Facts<'a>,
    boundary: Option<&'a str>,
    /// What `iam:ResourceTag/…` asks about: the tags of users and roles.
    principal_tags: &'a [TagRecord],
    resource_tags: BTreeMap<String, String>,
    request_tags: BTreeMap<String, String>,
}

impl<'a> Circumstances<'a> {
    /// Of a call of this operation.
    pub(crate) fn new(
        operation: &str,
        resource: &Resource,
        properties: Properties<'a>,
        facts: Facts<'a>,
    ) -> Self {
        let held = properties.boundary.filter(|_| ABOUT_WHO_IS_BOUNDED.contains(&operation));
        let is_principal = matches!(resource, Resource::One { kind: Kind::User | Kind::Role, .. });
        Self {
            facts,
            boundary: facts.boundary.or(held),
            principal_tags: if is_principal { properties.tags } else { &[] },
            resource_tags: properties.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
            request_tags: facts.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        }
    }
}

impl Context for Circumstances<'_> {
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        match key {
            ServiceKey::Other(name) => match &**name {
                "iam:policyarn" => Value::of_text(self.facts.policy_arn),
                "iam:permissionsboundary" => Value::of_text(self.boundary),
                name => name.strip_prefix("iam:resourcetag/").map_or(Value::Absent, |name| {
                    let tags = self.principal_tags.iter();
                    Value::of_pair(tags.map(|tag| (tag.key.as_str(), tag.value.as_str())), name)
                }),
            },
            ServiceKey::TagKeys => self.facts.tag_keys.map_or(Value::Absent, |keys| Value::Many(keys)),
            ServiceKey::Kms(_) | ServiceKey::RecipientAttestation(_) => Value::Absent,
        }
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.resource_tags)
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.request_tags).filter(|tags| !tags.is_empty())
    }
}
