//! Values that are not taken as they look.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use super::super::document::{Document, Entry, Findings, list};
use super::super::rule::{ALL, Rule, Severity};
use super::Family;
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, KmsKey, OriginKey, OwnerKey, PrincipalKey, ServiceKey};
use crate::policy::Version;

const UNREADABLE: Rule = Rule {
    name: "unreadable-condition-value",
    severity: Severity::Error,
    kinds: ALL,
    finds: "A value that the operator cannot read, such as a word for NumericLessThan.",
    why: "It matches nothing, whatever the request says.",
    remedy: "Write the value in the form that the operator takes: a number, an ISO 8601 date, true or false, \
             a CIDR block, an ARN of six parts.",
};

const WILDCARD: Rule = Rule {
    name: "wildcard-taken-literally",
    severity: Severity::Error,
    kinds: ALL,
    finds: "A * or ? as value of StringEquals for a key whose values have no such characters.",
    why: "StringEquals knows no wildcards, so that the value matches nothing.",
    remedy: "Use StringLike, or ArnLike for ARNs.",
};

const VARIABLE: Rule = Rule {
    name: "variable-taken-literally",
    severity: Severity::Warning,
    kinds: ALL,
    finds: "${…} in a policy of version 2008-10-17 or without Version, or before the last part of a \
            Resource's ARN.",
    why: "There it is no variable but those very characters, so that hardly anything matches.",
    remedy: "Write \"Version\": \"2012-10-17\", and variables in the last part of an ARN only.",
};

pub(super) const FAMILY: Family = Family { rules: &[UNREADABLE, WILDCARD, VARIABLE], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    for entry in &document.statements {
        for (condition, written) in entry.conditions() {
            unreadable(entry, condition, written.start, findings);
            wildcard(entry, condition, (&written.text, written.start), findings);
            if document.version == Version::V2008 && condition.wanted().any(looks_like_variable) {
                let what =
                    format!("A value of {} has a variable, which version 2008-10-17 does not.", written.text);
                findings.add_at(&VARIABLE, entry, written.start, what);
            }
        }
        variables_in_resources(document, entry, findings);
    }
}

fn unreadable(entry: &Entry<'_>, condition: &Condition, start: usize, findings: &mut Findings) {
    let values: Vec<&str> = condition.unreadable().collect();
    if !values.is_empty() {
        let operator = condition.operator_name();
        findings.add_at(&UNREADABLE, entry, start, format!("{operator} cannot read {}.", list(values)));
    }
}

fn wildcard(entry: &Entry<'_>, condition: &Condition, (key, start): (&str, usize), findings: &mut Findings) {
    let operator = condition.operator();
    if !operator.is_literal_text() || !has_plain_values(condition.key()) {
        return;
    }
    let values: Vec<&str> = condition.wanted().filter(|value| value.contains(['*', '?'])).collect();
    if !values.is_empty() {
        let operator = condition.operator_name();
        let what = format!("{operator} takes {} literally, which is no value of {key}.", list(values));
        findings.add_at(&WILDCARD, entry, start, what);
    }
}

/// Keys whose values have neither `*` nor `?`.
fn has_plain_values(key: &ContextKey) -> bool {
    match key {
        ContextKey::Principal(
            PrincipalKey::CallerAccount
            | PrincipalKey::Account
            | PrincipalKey::Arn
            | PrincipalKey::OrgId
            | PrincipalKey::OrgPaths
            | PrincipalKey::ServiceName
            | PrincipalKey::ServiceNamesList
            | PrincipalKey::Type
            | PrincipalKey::Username,
        )
        | ContextKey::Forwarded(
            ForwardedKey::CalledVia
            | ForwardedKey::CalledViaFirst
            | ForwardedKey::CalledViaLast
            | ForwardedKey::SourceAccount
            | ForwardedKey::SourceOrgId
            | ForwardedKey::SourceOrgPaths
            | ForwardedKey::ViaService,
        )
        | ContextKey::Origin(OriginKey::RequestedRegion | OriginKey::SourceVpc | OriginKey::SourceVpce)
        | ContextKey::Owner(OwnerKey::Account | OwnerKey::OrgId | OwnerKey::OrgPaths)
        | ContextKey::Service(ServiceKey::Kms(
            KmsKey::GrantOperations
            | KmsKey::GranteePrincipal
            | KmsKey::KeySpec
            | KmsKey::KeyUsage
            | KmsKey::ReplicaRegion
            | KmsKey::RequestAlias
            | KmsKey::ResourceAliases,
        )) => true,
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::EncryptionContext(_)
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::RequestTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => false,
    }
}

fn variables_in_resources(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    for written in &entry.outline.resources {
        let before = || written.text.splitn(6, ':').take(5).any(|part| part.contains("${"));
        let what = if document.version == Version::V2008 && looks_like_variable(&written.text) {
            format!("{} has a variable, which version 2008-10-17 does not.", written.text)
        } else if before() {
            format!("{} has a variable before its last part.", written.text)
        } else {
            continue;
        };
        findings.add_at(&VARIABLE, entry, written.start, what);
    }
}

fn looks_like_variable(text: &str) -> bool {
    text.split_once("${").is_some_and(|(_, rest)| rest.contains('}'))
}
