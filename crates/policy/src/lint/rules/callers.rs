//! Statements that let in everybody, or other accounts.

use std::collections::BTreeSet;

use base::{AccountId, Arn};

use super::super::document::{Document, Entry, Findings, list, list_actions};
use super::super::rule::{KEY, Rule, Severity};
use super::Family;
use super::outsider::{Opening, keeps_out, opening};
use crate::action::KmsAction;
use crate::key::{ContextKey, PrincipalKey};
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;
use crate::statement::Effect;

const PUBLIC: Rule = Rule {
    name: "public-access",
    severity: Severity::Error,
    kinds: KEY,
    finds: "An Allow for everybody without a condition that narrows the callers. Negated operators and those \
            with IfExists do not narrow.",
    why: "Everybody in every account may use the key, as far as that account's own policies allow.",
    remedy: "Name the principals, or add a condition such as StringEquals on kms:CallerAccount or \
             aws:PrincipalOrgID.",
};

const THROUGH_SERVICES: Rule = Rule {
    name: "public-access-through-service",
    severity: Severity::Warning,
    kinds: KEY,
    finds: "An Allow for everybody that only kms:ViaService or a similar condition narrows.",
    why: "Every account may use the key through that service, for a service works for whoever calls it.",
    remedy: "Add a condition on kms:CallerAccount, as AWS managed keys have it, or on aws:PrincipalOrgID.",
};

const FOREIGN: Rule = Rule {
    name: "foreign-account",
    severity: Severity::Note,
    kinds: KEY,
    finds: "An Allow for principals of an account that does not own the key.",
    why: "Whoever administers that account decides who of it uses the key.",
    remedy: "See that the account is meant, and that it may do no more than it needs.",
};

pub(super) const FAMILY: Family = Family { rules: &[PUBLIC, THROUGH_SERVICES, FOREIGN], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    if document.kind != PolicyKind::Key {
        return;
    }
    for entry in document.with(Effect::Allow) {
        public(document, entry, findings);
        if let Some(owner) = document.account {
            foreign(document, entry, owner, findings);
        }
    }
}

fn public(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    if !entry.statement.principals.entries().contains(&PrincipalEntry::Anybody) {
        return;
    }
    let actions = open_actions(document, entry);
    let told = list_actions(actions.iter().copied());
    match opening(&document.probe, entry) {
        _ if actions.is_empty() => {}
        Opening::Everybody => findings.add(&PUBLIC, entry, format!("It allows {told} to everybody.")),
        Opening::ThroughServices => {
            findings.add(
                &THROUGH_SERVICES,
                entry,
                format!("It allows {told} to everybody through a service."),
            );
        }
        Opening::Narrowed => {}
    }
}

/// The actions that a statement can allow and that no statement denies to outsiders.
fn open_actions(document: &Document<'_>, entry: &Entry<'_>) -> Vec<KmsAction> {
    let denies =
        |other: &&Entry<'_>| document.can_be_about_the_key(other) && keeps_out(&document.probe, other);
    let denying: Vec<&Entry<'_>> = document.with(Effect::Deny).filter(denies).collect();
    let is_open = |action: &KmsAction| {
        entry.can_hold(*action) && !denying.iter().any(|other| other.statement.actions.has(*action))
    };
    if document.can_be_about_the_key(entry) {
        document.actions(entry).into_iter().filter(is_open).collect()
    } else {
        Vec::new()
    }
}

fn foreign(document: &Document<'_>, entry: &Entry<'_>, owner: AccountId, findings: &mut Findings) {
    let mut accounts = foreign_accounts(entry);
    accounts.remove(&owner);
    let applies = !document.actions(entry).is_empty() && document.can_be_about_the_key(entry);
    if !accounts.is_empty() && applies {
        let noun = if accounts.len() == 1 { "account" } else { "accounts" };
        findings.add(&FOREIGN, entry, format!("It allows principals of {noun} {}.", list(accounts)));
    }
}

/// The accounts that a statement names, as principals or in a condition that wants one of them.
pub(super) fn foreign_accounts(entry: &Entry<'_>) -> BTreeSet<AccountId> {
    let principals = entry.statement.principals.entries().iter().filter_map(PrincipalEntry::account);
    let conditions = entry.statement.conditions.iter().filter(|condition| !condition.operator().is_negated());
    let named = conditions.flat_map(|condition| {
        let is_key =
            |keys: &[PrincipalKey]| keys.iter().any(|key| *condition.key() == ContextKey::Principal(*key));
        let is_account = is_key(&[PrincipalKey::CallerAccount, PrincipalKey::Account]);
        let is_arn = is_key(&[PrincipalKey::Arn]);
        condition.wanted().filter_map(move |text| {
            let account = if is_arn { Arn::parse(text).ok()?.account } else { text };
            account.parse().ok().filter(|_| is_arn || is_account)
        })
    });
    principals.chain(named).collect()
}
