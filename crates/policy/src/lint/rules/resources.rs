//! Resources that cannot be what a statement is about.

use super::super::document::{Document, Entry, Findings, covered, list, list_actions};
use super::super::fit::{can_be, names_service};
use super::super::rule::{KEY, ON_ANY_RESOURCE, Rule, Severity};
use super::Family;
use crate::action::{ActionPattern, KmsAction};
use crate::permissions::{Target, target};
use crate::policy::PolicyKind;
use crate::resource::ResourcePattern;

const NOT_THIS_KEY: Rule = Rule {
    name: "resource-is-not-the-key",
    severity: Severity::Error,
    kinds: KEY,
    finds: "A Resource in a key policy that is neither * nor the key.",
    why: "A key policy is about its own key only, so that the statement never applies.",
    remedy: "Write \"Resource\": \"*\", which in a key policy is the key itself.",
};

const MATCHES_NOTHING: Rule = Rule {
    name: "resource-matches-nothing",
    severity: Severity::Error,
    kinds: ON_ANY_RESOURCE,
    finds: "A Resource that no key and no alias can have, such as a key id without key/ before it.",
    why: "No request is about it, so that the entry does nothing.",
    remedy: "Write arn:aws:kms:REGION:ACCOUNT:key/KEY-ID with the whole id, or * in places.",
};

const ALIAS: Rule = Rule {
    name: "alias-as-resource",
    severity: Severity::Error,
    kinds: ON_ANY_RESOURCE,
    finds: "The ARN of an alias as Resource of actions that are on keys.",
    why: "An operation on a key is checked with the key's ARN, also if the request names an alias; only \
          CreateAlias, UpdateAlias and DeleteAlias are on aliases.",
    remedy: "Write the key's ARN, or all keys with a condition on kms:ResourceAliases or kms:RequestAlias.",
};

const NEEDS_ANY: Rule = Rule {
    name: "action-needs-any-resource",
    severity: Severity::Error,
    kinds: ON_ANY_RESOURCE,
    finds: "An action that is on no resource, such as kms:CreateKey or kms:ListKeys, with nothing but ARNs \
            as Resource.",
    why: "Such an action matches \"Resource\": \"*\" only, so that the entry does nothing.",
    remedy: "Put the action into a statement of its own with \"Resource\": \"*\".",
};

const MISMATCH: Rule = Rule {
    name: "action-resource-mismatch",
    severity: Severity::Error,
    kinds: ON_ANY_RESOURCE,
    finds: "An action with nothing but resources of another service.",
    why: "No request for the action is about such a resource, so that the entry does nothing.",
    remedy: "Add a resource of the action's own service, or put the action into a statement of its own.",
};

pub(super) const FAMILY: Family =
    Family { rules: &[NOT_THIS_KEY, MATCHES_NOTHING, ALIAS, NEEDS_ANY, MISMATCH], check };

/// Services whose actions are on their own resources and no others.
const KEEPS_TO_ITSELF: [&str; 3] = ["iam", "s3", "sts"];

fn check(document: &Document<'_>, findings: &mut Findings) {
    for entry in &document.statements {
        match document.kind {
            PolicyKind::Key => not_this_key(document, entry, findings),
            PolicyKind::Identity | PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
                if !entry.statement.resources.is_negated() {
                    let is_told = of_resources(document, entry, findings);
                    of_actions(document, entry, is_told, findings);
                }
            }
            PolicyKind::Bucket | PolicyKind::Trust => {}
        }
    }
}

fn not_this_key(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    if entry.statement.resources.patterns().is_empty() || document.can_be_about_the_key(entry) {
        return;
    }
    let element = if entry.statement.resources.is_negated() { "NotResource" } else { "Resource" };
    let written = entry.outline.resources.iter().map(|written| &written.text);
    let what = format!("Its {element} {} leaves this key out.", list(written));
    let start = entry.outline.resources.first().map_or(entry.outline.start, |written| written.start);
    findings.add_at(&NOT_THIS_KEY, entry, start, what);
}

/// Looks at each entry of Resource and says whether something was found.
fn of_resources(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) -> bool {
    let only_kms = document.is_only_about_kms(entry);
    let aliases = document.actions(entry).iter().any(|action| target(*action) == Target::Alias);
    let resources = entry.statement.resources.patterns().iter().zip(&entry.outline.resources);
    let mut is_told = false;
    for (pattern, written) in resources {
        let fits = |target| can_be(&document.probe, pattern, target);
        if !(only_kms || names_service(pattern, "kms")) || fits(Target::Key) {
            continue;
        }
        // Of variables out of place another rule tells.
        if written.text.contains("${") {
            is_told = true;
            continue;
        }
        let (rule, what) = if !fits(Target::Alias) {
            (&MATCHES_NOTHING, format!("No key and no alias has the ARN {}.", written.text))
        } else if !aliases {
            (&ALIAS, format!("{} is an alias, but its actions are not on aliases.", written.text))
        } else {
            continue;
        };
        findings.add_at(rule, entry, written.start, what);
        is_told = true;
    }
    is_told
}

/// Looks at each entry of Action. What an entry of Resource was found to be is not told again.
fn of_actions(document: &Document<'_>, entry: &Entry<'_>, is_told: bool, findings: &mut Findings) {
    let resources = entry.statement.resources.patterns();
    let fits = |target| resources.iter().any(|pattern| can_be(&document.probe, pattern, target));
    for (pattern, written) in entry.listed_actions() {
        let actions: Vec<KmsAction> = covered(pattern).collect();
        let are_on = |wanted| !actions.is_empty() && actions.iter().all(|action| target(*action) == wanted);
        if pattern.service() != Some("kms") {
            of_another_service(pattern, entry, written.start, findings);
        } else if are_on(Target::Nothing) && !fits(Target::Nothing) {
            let what = format!("{} needs \"Resource\": \"*\".", list_actions(actions));
            findings.add_at(&NEEDS_ANY, entry, written.start, what);
        } else if are_on(Target::Key) && !fits(Target::Key) && !is_told {
            let what = format!("{} is on keys, and no Resource is one.", written.text);
            findings.add_at(&MISMATCH, entry, written.start, what);
        }
    }
}

fn of_another_service(pattern: &ActionPattern, entry: &Entry<'_>, start: usize, findings: &mut Findings) {
    let Some(service) = pattern.service().filter(|service| KEEPS_TO_ITSELF.contains(service)) else { return };
    let is_kms = |pattern: &ResourcePattern| names_service(pattern, "kms");
    if entry.statement.resources.patterns().iter().all(is_kms) {
        let what = format!("{service}:{} is on no resource of KMS.", pattern.name());
        findings.add_at(&MISMATCH, entry, start, what);
    }
}
