//! Who can still change a key policy once it is in force.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>

use base::AccountId;

use super::super::document::{Document, Entry, Findings};
use super::super::rule::{KEY, Rule, Severity};
use super::Family;
use crate::action::{Action, KmsAction};
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, KmsKey, OriginKey, PrincipalKey, ServiceKey};
use crate::permissions::{Presence, presence};
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;
use crate::statement::Effect;
use crate::value::Value;

const LOCKOUT: Rule = Rule {
    name: "key-policy-lockout",
    severity: Severity::Error,
    kinds: KEY,
    finds: "No statement lets anybody change the key policy again.",
    why: "A key whose policy nobody can change cannot be administered, disabled or shared any more, not even \
          by the root user of its account.",
    remedy: "Allow kms:* to the root of the account that owns the key, or kms:PutKeyPolicy to an \
             administrator.",
};

const FRAGILE: Rule = Rule {
    name: "key-policy-may-lock-out",
    severity: Severity::Warning,
    kinds: KEY,
    finds: "Whether anybody can change the key policy again hangs on circumstances: an address, a date, a \
            tag, a deleted principal.",
    why: "When the circumstances are gone, nobody can change the policy any more.",
    remedy: "Allow kms:PutKeyPolicy to the root of the account or to an administrator in a statement without \
             such conditions.",
};

const DENIED: Rule = Rule {
    name: "deny-locks-everybody-out",
    severity: Severity::Error,
    kinds: KEY,
    finds: "A Deny of kms:PutKeyPolicy hits everybody who could change the key policy.",
    why: "A deny wins over every allow, so that nobody can change the policy any more, not even to take the \
          deny out.",
    remedy: "Take kms:PutKeyPolicy out of the statement, or add a condition that spares an administrator, \
             for example ArnNotEquals on aws:PrincipalArn.",
};

pub(super) const FAMILY: Family = Family { rules: &[LOCKOUT, FRAGILE, DENIED], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    let Some(action) = Action::new("kms", "PutKeyPolicy").number() else { return };
    if document.kind != PolicyKind::Key {
        return;
    }
    let standings = document.with(Effect::Allow).map(|entry| standing(document, entry, action));
    match standings.max().unwrap_or(Standing::Nobody) {
        Standing::Nobody => {
            let what = "No statement allows kms:PutKeyPolicy to anybody who could use it.";
            findings.add_to_document(&LOCKOUT, what.to_owned());
        }
        Standing::Perhaps => {
            let what = "Every statement that allows kms:PutKeyPolicy may stop to do so for everybody.";
            findings.add_to_document(&FRAGILE, what.to_owned());
        }
        Standing::Somebody => {}
    }
    for entry in document.with(Effect::Deny).filter(|entry| hits_everybody(document, entry, action)) {
        findings.add(
            &DENIED,
            entry,
            "It denies kms:PutKeyPolicy to everybody, administrators too.".to_owned(),
        );
    }
}

/// Whom a statement leaves in control of the policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Nobody,
    /// Somebody, as long as circumstances last.
    Perhaps,
    Somebody,
}

fn standing(document: &Document<'_>, entry: &Entry<'_>, action: KmsAction) -> Standing {
    let can_match = entry.statement.actions.has(action)
        && document.can_be_about_the_key(entry)
        && entry.can_hold(action)
        && entry.statement.conditions.iter().all(|condition| admits_owner(document, condition));
    if !can_match {
        return Standing::Nobody;
    }
    let principals = entry.statement.principals.entries().iter();
    let best = principals.map(|principal| standing_of(principal, document.account)).max();
    let hangs = entry.statement.conditions.iter().any(|condition| may_end(document, condition));
    best.map_or(Standing::Nobody, |best| if hangs { best.min(Standing::Perhaps) } else { best })
}

/// PutKeyPolicy is for principals of the key's own account only; the unique id of somebody is that of somebody deleted.
fn standing_of(principal: &PrincipalEntry, owner: Option<AccountId>) -> Standing {
    match principal {
        PrincipalEntry::Anybody => Standing::Somebody,
        PrincipalEntry::Account(account)
        | PrincipalEntry::User { account, .. }
        | PrincipalEntry::Role { account, .. }
        | PrincipalEntry::RoleSession { account, .. }
        | PrincipalEntry::FederatedUser { account, .. } => {
            if owner.is_none_or(|owner| owner == *account) {
                Standing::Somebody
            } else {
                Standing::Nobody
            }
        }
        PrincipalEntry::UniqueId(_) => Standing::Perhaps,
        PrincipalEntry::Service(_) | PrincipalEntry::Federated(_) => Standing::Nobody,
    }
}

/// Whether a condition can hold for principals of the owner's account.
fn admits_owner(document: &Document<'_>, condition: &Condition) -> bool {
    let is_account =
        matches!(condition.key(), ContextKey::Principal(PrincipalKey::CallerAccount | PrincipalKey::Account));
    let Some(owner) = document.account.filter(|_| is_account) else { return true };
    document.probe.holds(condition, Value::Account(owner)) != Some(false)
}

/// Whether what a condition asks for may be gone one day, for everybody.
fn may_end(document: &Document<'_>, condition: &Condition) -> bool {
    if document.probe.holds_without_key(condition) {
        return false;
    }
    match condition.key() {
        ContextKey::Origin(OriginKey::Time) => condition.operator().is_upper_bound(),
        ContextKey::Origin(OriginKey::SecureTransport | OriginKey::RequestedRegion)
        | ContextKey::Forwarded(ForwardedKey::ViaAwsService) => false,
        ContextKey::Origin(_) | ContextKey::Forwarded(_) | ContextKey::ResourceTag(_) => true,
        ContextKey::Service(ServiceKey::Kms(KmsKey::ResourceAliases | KmsKey::RequestAlias)) => true,
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Owner(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::EncryptionContext(_)
        | ContextKey::PrincipalTag(_)
        | ContextKey::RequestTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => false,
    }
}

fn hits_everybody(document: &Document<'_>, entry: &Entry<'_>, action: KmsAction) -> bool {
    let principals = &entry.statement.principals;
    let names = |principal: &PrincipalEntry| principals.entries().contains(principal);
    let names_owner = || document.account.is_some_and(|owner| names(&PrincipalEntry::Account(owner)));
    let is_account = |principal: &PrincipalEntry| matches!(principal, PrincipalEntry::Account(_));
    let spares_nobody = || match document.account {
        Some(owner) => !names(&PrincipalEntry::Account(owner)),
        None => !principals.entries().iter().any(is_account),
    };
    let is_for_all = if principals.is_negated() {
        !names(&PrincipalEntry::Anybody) && spares_nobody()
    } else {
        names(&PrincipalEntry::Anybody) || names_owner()
    };
    let always_holds = |condition: &Condition| {
        presence(condition.key(), action) == Presence::Never && document.probe.holds_without_key(condition)
    };
    is_for_all
        && entry.statement.actions.has(action)
        && document.is_about_the_key(entry)
        && entry.statement.conditions.iter().all(always_holds)
}
