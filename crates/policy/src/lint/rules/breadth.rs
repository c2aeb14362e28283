//! Statements that allow more than anybody needs.

use super::super::document::{Document, Entry, Findings, list};
use super::super::rule::{IDENTITY, KEY, Rule, Severity};
use super::Family;
use crate::action::{Action, KmsAction};
use crate::permissions::is_for_key_policies;
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;
use crate::resource::ResourcePattern;
use crate::statement::Effect;

const FULL_ACCESS: Rule = Rule {
    name: "full-access",
    severity: Severity::Warning,
    kinds: IDENTITY,
    finds: "An Allow of every action, or of every action of KMS, on every resource.",
    why: "Whoever has the policy may read all data under all keys, and delete the keys.",
    remedy: "List the actions that are needed, on the keys that are needed.",
};

const EVERY_KEY: Rule = Rule {
    name: "decrypt-on-every-key",
    severity: Severity::Warning,
    kinds: IDENTITY,
    finds: "An Allow of kms:Decrypt or kms:ReEncryptFrom on all keys of all accounts, without a condition.",
    why: "It reaches every key whose key policy lets the account in, those of other accounts too.",
    remedy: "Name the keys, or at least the account and Region, or add a condition on kms:ResourceAliases or \
             a tag.",
};

const EVERYTHING_ON_THE_KEY: Rule = Rule {
    name: "full-access-beside-account",
    severity: Severity::Note,
    kinds: KEY,
    finds: "An Allow of every action on the key to a user, role, session or other account.",
    why: "One principal both reads the data and administers the key; AWS advises to keep the two apart.",
    remedy: "Give administrators the actions on the key and users the cryptographic ones, in two statements.",
};

pub(super) const FAMILY: Family = Family { rules: &[FULL_ACCESS, EVERY_KEY, EVERYTHING_ON_THE_KEY], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    for entry in document.with(Effect::Allow) {
        match document.kind {
            PolicyKind::Identity => on_every_resource(document, entry, findings),
            PolicyKind::Key => on_the_key(document, entry, findings),
            PolicyKind::Bucket
            | PolicyKind::Trust
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl => {}
        }
    }
}

/// Whether a statement allows every action on every resource.
pub(super) fn allows_everything(entry: &Entry<'_>) -> bool {
    let actions = &entry.statement.actions;
    let is_any = actions.patterns().iter().any(|pattern| pattern.service().is_none());
    entry.allows() && is_on_everything(entry) && !actions.is_negated() && is_any
}

fn is_on_everything(entry: &Entry<'_>) -> bool {
    let resources = &entry.statement.resources;
    let is_any = resources.patterns().contains(&ResourcePattern::Any) && !resources.is_negated();
    is_any && entry.statement.conditions.is_empty()
}

fn on_every_resource(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let has_all = KmsAction::all().all(|action| entry.statement.actions.has(action));
    if allows_everything(entry) {
        findings.add(&FULL_ACCESS, entry, "It allows every action on every resource.".to_owned());
    } else if has_all && is_on_everything(entry) {
        findings.add(&FULL_ACCESS, entry, "It allows every action of KMS on every resource.".to_owned());
    } else if is_on_every_key(document, entry) {
        let decrypts = ["Decrypt", "ReEncryptFrom"].map(|name| Action::new("kms", name));
        let allowed = decrypts.iter().filter(|action| entry.statement.actions.covers(action));
        let what = format!("It allows {} on every key of every account.", list(allowed));
        findings.add(&EVERY_KEY, entry, what);
    }
}

fn is_on_every_key(document: &Document<'_>, entry: &Entry<'_>) -> bool {
    // Keys that have nothing in common.
    const KEYS: [&str; 2] = [
        "arn:aws:kms:eu-north-1:987650000000:key/0f0e0d0c-0b0a-4090-8070-605040302010",
        "arn:aws:kms:us-west-2:123450000000:key/mrk-f1f2f3f4f5f6f7f8f9fafbfcfdfeff00",
    ];
    let decrypts = ["Decrypt", "ReEncryptFrom"].map(|name| Action::new("kms", name));
    let covers = |key: &&str| document.probe.covers(&entry.statement.resources, key) == Some(true);
    decrypts.iter().any(|action| entry.statement.actions.covers(action))
        && entry.statement.conditions.is_empty()
        && KEYS.iter().all(covers)
}

fn on_the_key(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let mut on_keys = KmsAction::all().filter(|action| is_for_key_policies(*action));
    let has_all = on_keys.all(|action| entry.statement.actions.has(action));
    if !has_all || !document.can_be_about_the_key(entry) || !entry.statement.conditions.is_empty() {
        return;
    }
    let listed = entry.statement.principals.entries().iter().zip(&entry.outline.principals);
    let few = listed.filter(|(principal, _)| is_somebody(principal, document));
    let few: Vec<&String> = few.map(|(_, written)| &written.text).collect();
    if !few.is_empty() {
        findings.add(
            &EVERYTHING_ON_THE_KEY,
            entry,
            format!("It allows {} every action on the key.", list(few)),
        );
    }
}

/// Whether a principal is neither the owner's account, which delegates, nor said to be an administrator.
fn is_somebody(principal: &PrincipalEntry, document: &Document<'_>) -> bool {
    let is_administrator = |name: &str| name.to_ascii_lowercase().contains("admin");
    match principal {
        PrincipalEntry::Account(account) => document.account.is_some_and(|owner| owner != *account),
        PrincipalEntry::User { path_and_name: name, .. }
        | PrincipalEntry::Role { path_and_name: name, .. }
        | PrincipalEntry::RoleSession { role: name, .. }
        | PrincipalEntry::FederatedUser { name, .. } => !is_administrator(name),
        PrincipalEntry::UniqueId(_) | PrincipalEntry::Service(_) => true,
        // Everybody is another rule's.
        PrincipalEntry::Anybody | PrincipalEntry::Federated(_) => false,
    }
}
