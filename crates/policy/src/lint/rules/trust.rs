//! Trust policies: who may become a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>

use super::super::document::{Document, Entry, Findings, list};
use super::super::rule::{Rule, Severity, TRUST};
use super::Family;
use super::callers::foreign_accounts;
use super::outsider::{Opening, opening};
use crate::action::Action;
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, PrincipalKey, ServiceKey};
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;
use crate::statement::Effect;

const ANYBODY: Rule = Rule {
    name: "role-for-anybody",
    severity: Severity::Error,
    kinds: TRUST,
    finds: "An Allow for everybody without a condition that narrows the callers.",
    why: "Everybody in every account can become the role and do what it may do.",
    remedy: "Name the principals, or add a condition such as StringEquals on aws:PrincipalOrgID.",
};

const EXTERNAL_ID: Rule = Rule {
    name: "external-id-missing",
    severity: Severity::Note,
    kinds: TRUST,
    finds: "An Allow for another account without a condition on sts:ExternalId, aws:PrincipalOrgID or \
            aws:PrincipalArn.",
    why: "If the account belongs to somebody who works for many, one of them may make it use your role.",
    remedy: "If the account is a third party's, agree on an external id and add StringEquals on \
             sts:ExternalId.",
};

const FEDERATED: Rule = Rule {
    name: "federated-for-anybody",
    severity: Severity::Error,
    kinds: TRUST,
    finds: "An Allow for an identity provider without a condition on the audience or the subject of the \
            token.",
    why: "Everybody who gets a token of the provider, for whatever purpose, can become the role.",
    remedy: "Add StringEquals on the provider's :aud key and, if others use the provider too, on its :sub \
             key.",
};

pub(super) const FAMILY: Family = Family { rules: &[ANYBODY, EXTERNAL_ID, FEDERATED], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    if document.kind != PolicyKind::Trust {
        return;
    }
    for entry in document.with(Effect::Allow).filter(|entry| assumes(entry)) {
        anybody(document, entry, findings);
        external_id(document, entry, findings);
        federated(document, entry, findings);
    }
}

/// Whether the statement lets somebody become the role; the other actions only go along.
fn assumes(entry: &Entry<'_>) -> bool {
    let names = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];
    let covers = |name: &&str| entry.statement.actions.covers(&Action::new("sts", name));
    names.iter().any(covers) && entry.groups.iter().all(|group| group.can_ever_hold())
}

fn anybody(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let is_for_anybody = entry.statement.principals.entries().contains(&PrincipalEntry::Anybody);
    if is_for_anybody && opening(&document.probe, entry) == Opening::Everybody {
        findings.add(&ANYBODY, entry, "It lets everybody become the role.".to_owned());
    }
}

fn external_id(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let Some(owner) = document.account else { return };
    let mut accounts = foreign_accounts(entry);
    accounts.remove(&owner);
    if !accounts.is_empty() && !entry.statement.conditions.iter().any(knows_the_caller) {
        let noun = if accounts.len() == 1 { "account" } else { "accounts" };
        let what = format!("It lets {noun} {} become the role without an external id.", list(accounts));
        findings.add(&EXTERNAL_ID, entry, what);
    }
}

fn knows_the_caller(condition: &Condition) -> bool {
    match condition.key() {
        ContextKey::Principal(PrincipalKey::OrgId | PrincipalKey::OrgPaths | PrincipalKey::Arn) => true,
        ContextKey::Forwarded(ForwardedKey::SourceArn | ForwardedKey::SourceAccount) => true,
        ContextKey::Service(ServiceKey::Other(name)) => &**name == "sts:externalid",
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::Owner(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::EncryptionContext(_)
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::RequestTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => false,
    }
}

fn federated(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let principals = entry.statement.principals.entries().iter().zip(&entry.outline.principals);
    let providers = principals.filter(|(principal, _)| matches!(principal, PrincipalEntry::Federated(_)));
    let checks_token = |condition: &Condition| {
        // A token has its claims under the provider's name, `HOST:sub`; what holds without them checks nothing.
        let is_claim = matches!(condition.key(), ContextKey::Service(ServiceKey::Other(_)));
        is_claim && !document.probe.holds_without_key(condition)
    };
    if entry.statement.conditions.iter().any(checks_token) {
        return;
    }
    for (_, written) in providers {
        let what = format!("It lets every holder of a token of {} become the role.", written.text);
        findings.add_at(&FEDERATED, entry, written.start, what);
    }
}
