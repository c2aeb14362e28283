//! Principals that are not what they seem.

use std::sync::Arc;

use base::{Caller, Principal};

use super::super::document::{Document, Entry, Findings, list};
use super::super::rule::{KEY, Rule, Severity};
use super::Family;
use crate::caller::CallerFacts;
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;

const UNIQUE_ID: Rule = Rule {
    name: "unique-id-principal",
    severity: Severity::Warning,
    kinds: &[PolicyKind::Key, PolicyKind::Trust],
    finds: "A principal that is the unique id of a user or role, AIDA… or AROA….",
    why: "AWS shows an id where the user or role of a stored policy was deleted; one of the same name that \
          is made later gets nothing.",
    remedy: "Take the entry out, or write the ARN of the principal that is meant.",
};

const NOT_PRINCIPAL: Rule = Rule {
    name: "not-principal-without-account",
    severity: Severity::Error,
    kinds: KEY,
    finds: "A Deny with NotPrincipal that lists a user, role or session without the account.",
    why: "The deny still hits the account of the principal, and so the principal itself.",
    remedy: "List the account's root ARN too, or deny everybody with ArnNotEquals on aws:PrincipalArn.",
};

pub(super) const FAMILY: Family = Family { rules: &[UNIQUE_ID, NOT_PRINCIPAL], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    if matches!(document.kind, PolicyKind::Key | PolicyKind::Trust) {
        for entry in &document.statements {
            unique_ids(entry, findings);
            spares_nobody(entry, findings);
        }
    }
}

fn unique_ids(entry: &Entry<'_>, findings: &mut Findings) {
    let principals = entry.statement.principals.entries().iter().zip(&entry.outline.principals);
    for (principal, written) in principals {
        if let PrincipalEntry::UniqueId(id) = principal {
            let what = format!("The principal {id} is an id, probably that of somebody deleted.");
            findings.add_at(&UNIQUE_ID, entry, written.start, what);
        }
    }
}

/// NotPrincipal only denies; what it does to each of its entries the engine knows.
fn spares_nobody(entry: &Entry<'_>, findings: &mut Findings) {
    let principals = &entry.statement.principals;
    if !principals.is_negated() {
        return;
    }
    let is_hit = |principal: &PrincipalEntry| {
        caller_named(principal).is_some_and(|caller| principals.matches(&caller).is_some())
    };
    let listed = principals.entries().iter().zip(&entry.outline.principals);
    let hit: Vec<_> = listed.filter(|(principal, _)| is_hit(principal)).map(|(_, written)| written).collect();
    if let Some(first) = hit.first() {
        let names = list(hit.iter().map(|written| &written.text));
        let what = format!("NotPrincipal does not spare {names}, for the account is not listed.");
        findings.add_at(&NOT_PRINCIPAL, entry, first.start, what);
    }
}

/// A caller whom an entry names.
fn caller_named(entry: &PrincipalEntry) -> Option<CallerFacts> {
    let name = || "x".to_owned();
    let principal = match entry {
        PrincipalEntry::User { path_and_name, .. } => {
            Principal::User { path_and_name: path_and_name.to_string(), unique_id: name() }
        }
        PrincipalEntry::Role { path_and_name, .. } => Principal::RoleSession {
            path_and_name: path_and_name.to_string(),
            unique_id: name(),
            session_name: name(),
        },
        PrincipalEntry::RoleSession { role, session, .. } => Principal::RoleSession {
            path_and_name: role.to_string(),
            unique_id: name(),
            session_name: session.to_string(),
        },
        PrincipalEntry::FederatedUser { name: own, .. } => Principal::FederatedUser {
            name: own.to_string(),
            user_path_and_name: name(),
            user_unique_id: name(),
        },
        PrincipalEntry::Anybody
        | PrincipalEntry::Account(_)
        | PrincipalEntry::UniqueId(_)
        | PrincipalEntry::Service(_)
        | PrincipalEntry::Federated(_) => return None,
    };
    let account = entry.account()?;
    Some(CallerFacts::of(Arc::new(Caller {
        account,
        principal,
        access_key_id: String::new(),
        session: None,
    })))
}
