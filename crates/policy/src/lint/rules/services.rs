//! Services that work for others, and grants.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>

use super::super::document::{Document, Entry, Findings, list};
use super::super::rule::{KEY, Rule, Severity};
use super::Family;
use crate::action::{Action, KmsAction};
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, KmsKey, PrincipalKey, ServiceKey};
use crate::permissions::only_tells;
use crate::policy::PolicyKind;
use crate::principal::PrincipalEntry;
use crate::statement::Effect;

const CONFUSED_DEPUTY: Rule = Rule {
    name: "confused-deputy",
    severity: Severity::Warning,
    kinds: KEY,
    finds: "An Allow for a service without a condition on aws:SourceArn, aws:SourceAccount, aws:SourceOrgID \
            or the encryption context.",
    why: "The service calls for whoever has told it to, so that somebody of another account may make it use \
          this key.",
    remedy: "Add StringEquals on aws:SourceAccount or ArnLike on aws:SourceArn, or on the encryption context \
             if the service sends one, as CloudWatch Logs does.",
};

const UNLIMITED_GRANTS: Rule = Rule {
    name: "grants-without-limit",
    severity: Severity::Note,
    kinds: KEY,
    finds: "An Allow of kms:CreateGrant to single principals without a condition on \
            kms:GrantIsForAWSResource, kms:GrantOperations or another key about the grant.",
    why: "Whoever creates grants can give everybody every operation that a grant can have, without a change \
          of the policy.",
    remedy: "Add Bool on kms:GrantIsForAWSResource, or limit the grants by kms:GrantOperations, \
             kms:GranteePrincipal or kms:ViaService.",
};

pub(super) const FAMILY: Family = Family { rules: &[CONFUSED_DEPUTY, UNLIMITED_GRANTS], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    if document.kind != PolicyKind::Key {
        return;
    }
    for entry in document.with(Effect::Allow) {
        confused_deputy(document, entry, findings);
        unlimited_grants(document, entry, findings);
    }
}

fn confused_deputy(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let service = |principal: &PrincipalEntry| match principal {
        PrincipalEntry::Service(name) => Some(name.clone()),
        PrincipalEntry::Anybody
        | PrincipalEntry::Account(_)
        | PrincipalEntry::User { .. }
        | PrincipalEntry::Role { .. }
        | PrincipalEntry::RoleSession { .. }
        | PrincipalEntry::FederatedUser { .. }
        | PrincipalEntry::UniqueId(_)
        | PrincipalEntry::Federated(_) => None,
    };
    let services: Vec<_> = entry.statement.principals.entries().iter().filter_map(service).collect();
    let does = |action: &KmsAction| !only_tells(*action) && entry.can_hold(*action);
    let is_harmless = !document.actions(entry).iter().any(does) || !document.can_be_about_the_key(entry);
    if services.is_empty() || is_harmless || entry.statement.conditions.iter().any(says_for_whom) {
        return;
    }
    let what = format!("It allows {} to use the key, whomever the service works for.", list(services));
    findings.add(&CONFUSED_DEPUTY, entry, what);
}

/// Whether a condition is about the one for whom a service works.
fn says_for_whom(condition: &Condition) -> bool {
    !condition.operator().is_presence()
        && matches!(
            condition.key(),
            ContextKey::Forwarded(
                ForwardedKey::SourceAccount
                    | ForwardedKey::SourceArn
                    | ForwardedKey::SourceOrgId
                    | ForwardedKey::SourceOrgPaths
            ) | ContextKey::Principal(PrincipalKey::CallerAccount)
                | ContextKey::EncryptionContext(_)
                | ContextKey::EncryptionContextKeys
        )
}

fn unlimited_grants(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let Some(create) = Action::new("kms", "CreateGrant").number() else { return };
    let actions = document.actions(entry);
    // Whoever may change the policy needs no grants.
    let controls = actions.iter().any(|action| action.name() == "PutKeyPolicy");
    let creates = actions.contains(&create) && entry.can_hold(create);
    let is_limited = entry.statement.conditions.iter().any(limits_grants);
    if creates && !controls && !is_limited && names_somebody(entry) && document.can_be_about_the_key(entry) {
        let what = "It allows kms:CreateGrant with any operation for any grantee.";
        findings.add(&UNLIMITED_GRANTS, entry, what.to_owned());
    }
}

fn limits_grants(condition: &Condition) -> bool {
    matches!(
        condition.key(),
        ContextKey::Service(ServiceKey::Kms(
            KmsKey::GrantConstraintSourceArn
                | KmsKey::GrantConstraintType
                | KmsKey::GrantIsForAwsResource
                | KmsKey::GrantOperations
                | KmsKey::GranteePrincipal
                | KmsKey::GranteeServicePrincipal
        )) | ContextKey::Forwarded(_)
            | ContextKey::EncryptionContext(_)
            | ContextKey::EncryptionContextKeys
    )
}

/// Whether it names more than whole accounts, whose identity policies decide on.
fn names_somebody(entry: &Entry<'_>) -> bool {
    let is_account = |principal: &PrincipalEntry| matches!(principal, PrincipalEntry::Account(_));
    !entry.statement.principals.entries().iter().all(is_account)
}
