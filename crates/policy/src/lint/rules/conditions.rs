//! Conditions over keys that requests do not have, and conditions that cannot hold.

use super::super::document::{Document, Entry, Findings, covered, list_actions};
use super::super::group::Group;
use super::super::rule::{ALL, ON_KMS, Rule, Severity};
use super::Family;
use crate::action::KmsAction;
use crate::key::{ContextKey, ServiceKey};
use crate::permissions::{Presence, presence};

const NEVER_HOLDS: Rule = Rule {
    name: "condition-never-holds",
    severity: Severity::Error,
    kinds: ALL,
    finds: "Conditions over one key that cannot hold together, such as Null true beside StringEquals.",
    why: "All conditions must hold, so that the statement never applies.",
    remedy: "Take one of the conditions out, or put them into statements of their own.",
};

const UNKNOWN_KEY: Rule = Rule {
    name: "unknown-condition-key",
    severity: Severity::Error,
    kinds: ALL,
    finds: "A condition key or variable with the prefix kms: or aws: that AWS does not list.",
    why: "No request has the key, so that a plain operator never holds and a negated one always does.",
    remedy: "Write the name as AWS does.",
};

const NOT_SUPPORTED: Rule = Rule {
    name: "condition-key-not-supported",
    severity: Severity::Note,
    kinds: ALL,
    finds: "A condition key that AWS has and Keywright does not.",
    why: "No request to Keywright has it; on AWS the statement may do something else.",
    remedy: "Where the policy is for Keywright, use another key, such as aws:SourceIp.",
};

const CONTEXT: Rule = Rule {
    name: "encryption-context-without-context",
    severity: Severity::Error,
    kinds: ON_KMS,
    finds: "A condition on the encryption context for an action that has none, such as kms:DescribeKey or \
            kms:Sign.",
    why: "Without the key a plain operator never holds and a negated one always does, so that an Allow does \
          not allow the action, and a Deny spares it or hits it every time.",
    remedy: "Put actions without an encryption context into a statement of their own.",
};

const NOT_IN_ACTION: Rule = Rule {
    name: "condition-key-not-in-action",
    severity: Severity::Error,
    kinds: ON_KMS,
    finds: "A condition key that requests for an action never have.",
    why: "Without the key a plain operator never holds and a negated one always does, so that an Allow does \
          not allow the action, and a Deny spares it or hits it every time.",
    remedy: "Put the action into a statement of its own, without the condition.",
};

const FOR_ALL_VALUES: Rule = Rule {
    name: "for-all-values-without-null",
    severity: Severity::Warning,
    kinds: ALL,
    finds: "An Allow with ForAllValues and no condition that the key is there.",
    why: "ForAllValues holds for every request without the key, which is more than it looks like.",
    remedy: "Use ForAnyValue, or add \"Null\": {\"THE-KEY\": \"false\"}; for a key with one value leave \
             ForAllValues out.",
};

pub(super) const FAMILY: Family = Family {
    rules: &[NEVER_HOLDS, UNKNOWN_KEY, NOT_SUPPORTED, CONTEXT, NOT_IN_ACTION, FOR_ALL_VALUES],
    check,
};

/// Keys of AWS, in lower case, that the engine does not know.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
const OF_AWS: [&str; 12] = [
    "aws:assumedroot",
    "aws:calledviaawsmcp",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:ismcpserviceaction",
    "aws:signinsessionarn",
    "aws:sourcevpcarn",
    "aws:viaawsmcpservice",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
];

fn check(document: &Document<'_>, findings: &mut Findings) {
    for entry in &document.statements {
        unknown_keys(entry, findings);
        unknown_variables(entry, findings);
        for group in &entry.groups {
            never_holds(entry, group, findings);
            for_all_values(document, entry, group, findings);
            not_in_action(document, entry, group, findings);
        }
    }
}

/// The name of a key with the prefix kms: or aws: that the engine does not know, in lower case.
fn unknown(key: &ContextKey) -> Option<&str> {
    let ContextKey::Service(ServiceKey::Other(name)) = key else { return None };
    ["kms:", "aws:"].iter().any(|prefix| name.starts_with(prefix)).then_some(name)
}

fn unknown_keys(entry: &Entry<'_>, findings: &mut Findings) {
    for (condition, written) in entry.conditions() {
        match unknown(condition.key()) {
            None => {}
            Some(name) if OF_AWS.contains(&name) => {
                let what = format!("Keywright does not have the condition key {}.", written.text);
                findings.add_at(&NOT_SUPPORTED, entry, written.start, what);
            }
            Some(_) => {
                let what = format!("No condition key {} is known.", written.text);
                findings.add_at(&UNKNOWN_KEY, entry, written.start, what);
            }
        }
    }
}

fn unknown_variables(entry: &Entry<'_>, findings: &mut Findings) {
    for (condition, written) in entry.conditions() {
        let variables = condition.templates().flat_map(|template| template.variables());
        for name in variables.filter_map(unknown).filter(|name| !OF_AWS.contains(name)) {
            let what = format!("No key {name} is known, so that the variable never has a value.");
            findings.add_at(&UNKNOWN_KEY, entry, written.start, what);
        }
    }
}

fn never_holds(entry: &Entry<'_>, group: &Group<'_>, findings: &mut Findings) {
    if group.can_ever_hold() || unknown(group.key).is_some() || group.conditions.len() < 2 {
        return;
    }
    let what = format!("Its conditions on {} never hold together.", name_of(entry, group));
    findings.add_at(&NEVER_HOLDS, entry, start_of(entry, group), what);
}

fn for_all_values(document: &Document<'_>, entry: &Entry<'_>, group: &Group<'_>, findings: &mut Findings) {
    let is_lax = |place: &usize| {
        entry.statement.conditions.get(*place).is_some_and(|condition| {
            let operator = condition.operator();
            operator.is_for_all_values() && !operator.is_negated()
        })
    };
    let Some(place) = group.places.iter().find(|place| is_lax(place)) else { return };
    let always = |action: &KmsAction| presence(group.key, *action) == Presence::Always;
    let actions = document.actions(entry);
    let is_always_there =
        document.is_only_about_kms(entry) && !actions.is_empty() && actions.iter().all(always);
    let is_there = is_always_there || entry.groups.iter().any(|other| implies(other, group.key));
    if entry.allows() && group.holds_without_key && !is_there {
        let name = name_of(entry, group);
        let what = format!("It also allows requests without {name}, for which ForAllValues holds.");
        let start = entry.outline.conditions.get(*place).map_or(entry.outline.start, |key| key.start);
        findings.add_at(&FOR_ALL_VALUES, entry, start, what);
    }
}

/// Whether requests that meet the conditions of a group have this key, too: whoever sends a tag or a pair sends names.
fn implies(group: &Group<'_>, key: &ContextKey) -> bool {
    let is_name = match group.key {
        ContextKey::RequestTag(_) => *key == ContextKey::Service(ServiceKey::TagKeys),
        ContextKey::EncryptionContext(_) => *key == ContextKey::EncryptionContextKeys,
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::Owner(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => false,
    };
    is_name && !group.holds_without_key
}

/// Actions that never have the key of some conditions. Of those that only a wildcard covers nothing is told, unless
/// there are no others.
fn not_in_action(document: &Document<'_>, entry: &Entry<'_>, group: &Group<'_>, findings: &mut Findings) {
    // An Allow that holds without the key is meant to, or does no harm.
    let is_meant = entry.allows() && group.holds_without_key;
    if unknown(group.key).is_some() || !group.can_ever_hold() || is_meant {
        return;
    }
    let lacks = |action: &KmsAction| presence(group.key, *action) == Presence::Never;
    let mut lacking = document.actions(entry);
    if !document.is_only_about_kms(entry) || !lacking.iter().all(lacks) {
        let named = named(entry);
        lacking.retain(|action| named.contains(action) && lacks(action));
    }
    if lacking.is_empty() {
        return;
    }
    let is_context =
        matches!(group.key, ContextKey::EncryptionContext(_) | ContextKey::EncryptionContextKeys);
    let rule = if is_context { &CONTEXT } else { &NOT_IN_ACTION };
    let often = if group.holds_without_key { "always" } else { "never" };
    let name = name_of(entry, group);
    let actions = list_actions(lacking);
    let what = format!("The condition on {name} {often} holds for {actions}: no such request has the key.");
    findings.add_at(rule, entry, start_of(entry, group), what);
}

/// The actions that are listed by their names.
fn named(entry: &Entry<'_>) -> Vec<KmsAction> {
    let named = entry.listed_actions().filter(|(pattern, _)| !pattern.name().contains(['*', '?']));
    named.flat_map(|(pattern, _)| covered(pattern)).collect()
}

/// The key of a group as it is written first.
fn name_of<'e>(entry: &'e Entry<'_>, group: &Group<'_>) -> &'e str {
    let first = group.places.first().and_then(|place| entry.outline.conditions.get(*place));
    first.map_or("", |written| &written.text)
}

fn start_of(entry: &Entry<'_>, group: &Group<'_>) -> usize {
    let first = group.places.first().and_then(|place| entry.outline.conditions.get(*place));
    first.map_or(entry.outline.start, |written| written.start)
}
