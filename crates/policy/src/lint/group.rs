//! Conditions over one key, which only hold together.

use std::collections::HashMap;

use super::probe::Probe;
use crate::action::KmsAction;
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, KmsKey, OwnerKey, PrincipalKey, ServiceKey};
use crate::permissions::{Presence, presence};
use crate::value::Value;

/// The conditions of a statement over one key.
pub(super) struct Group<'a> {
    pub(super) key: &'a ContextKey,
    /// Places among the statement's conditions.
    pub(super) places: Vec<usize>,
    pub(super) conditions: Vec<&'a Condition>,
    /// Whether they hold for requests without the key.
    pub(super) holds_without_key: bool,
    /// Whether they can hold for requests with it.
    pub(super) can_hold_with_key: bool,
}

/// The conditions of a statement by their keys, in the order in which the keys come first.
pub(super) fn groups<'a>(conditions: &'a [Condition], probe: &Probe) -> Vec<Group<'a>> {
    let mut places: HashMap<&ContextKey, usize> = HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (place, condition) in conditions.iter().enumerate() {
        let key = condition.key();
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => {
                group.places.push(place);
                group.conditions.push(condition);
            }
            None => groups.push(Group {
                key,
                places: vec![place],
                conditions: vec![condition],
                holds_without_key: false,
                can_hold_with_key: false,
            }),
        }
    }
    for group in &mut groups {
        group.holds_without_key = group.conditions.iter().all(|one| probe.holds_without_key(one));
        group.can_hold_with_key = can_hold_with_key(group.key, &group.conditions, probe);
    }
    groups
}

impl Group<'_> {
    /// Whether some request for `action` can meet all of them.
    pub(super) fn can_hold(&self, action: KmsAction) -> bool {
        match presence(self.key, action) {
            Presence::Never => self.holds_without_key,
            Presence::Perhaps => self.can_ever_hold(),
            Presence::Always => self.can_hold_with_key,
        }
    }

    /// Whether any request can.
    pub(super) fn can_ever_hold(&self) -> bool {
        self.holds_without_key || self.can_hold_with_key
    }
}

/// Only what is certain counts: that the key must be absent, or that none of the values that one condition wants
/// satisfies the others.
fn can_hold_with_key(key: &ContextKey, conditions: &[&Condition], probe: &Probe) -> bool {
    let wants_absence = |condition: &&&Condition| {
        condition.operator().is_presence() && probe.holds(condition, Value::Text("")) == Some(false)
    };
    if conditions.iter().any(|condition| wants_absence(&condition)) {
        return false;
    }
    if has_many_values(key) {
        return true;
    }
    let Some(wanted) = conditions.iter().find_map(|condition| wanted_values(condition)) else { return true };
    let suits = |value: &str| {
        conditions.iter().all(|condition| probe.holds(condition, Value::Text(value)) != Some(false))
    };
    wanted.into_iter().any(suits)
}

/// The values of which a condition wants one exactly.
fn wanted_values(condition: &Condition) -> Option<Vec<&str>> {
    let values = || condition.templates().map(|template| template.literal()).collect::<Option<Vec<_>>>();
    if condition.operator().is_exact() { values() } else { None }
}

/// Whether requests may have several values for a key, or whether nobody knows.
fn has_many_values(key: &ContextKey) -> bool {
    match key {
        ContextKey::EncryptionContextKeys
        | ContextKey::Principal(PrincipalKey::OrgPaths | PrincipalKey::ServiceNamesList)
        | ContextKey::Forwarded(ForwardedKey::CalledVia | ForwardedKey::SourceOrgPaths)
        | ContextKey::Owner(OwnerKey::OrgPaths)
        | ContextKey::Service(
            ServiceKey::Kms(KmsKey::GrantOperations | KmsKey::ResourceAliases)
            | ServiceKey::TagKeys
            | ServiceKey::Other(_),
        )
        | ContextKey::Nowhere => true,
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::Owner(_)
        | ContextKey::EncryptionContext(_)
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::RequestTag(_)
        | ContextKey::Service(_) => false,
    }
}
