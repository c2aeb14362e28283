//! Policies of organisations.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>

use super::super::document::{Document, Findings};
use super::super::rule::{Rule, Severity};
use super::Family;
use super::breadth::allows_everything;
use crate::policy::PolicyKind;
use crate::statement::Effect;

const TOO_LARGE: Rule = Rule {
    name: "policy-too-large",
    severity: Severity::Error,
    kinds: &[PolicyKind::Key, PolicyKind::ServiceControl, PolicyKind::ResourceControl],
    finds: "A document above the quota of its kind: 32768 characters for a key policy, 5120 for a service \
            or resource control policy.",
    why: "AWS does not take it.",
    remedy: "Take out white space and what the notes about covered statements name, or divide the policy.",
};

const ALLOW: Rule = Rule {
    name: "resource-control-allows",
    severity: Severity::Error,
    kinds: &[PolicyKind::ResourceControl],
    finds: "An Allow in a resource control policy.",
    why: "AWS takes no Allow but that of its own policy RCPFullAWSAccess, which is always attached; others \
          can only deny.",
    remedy: "Write what must not be as a Deny.",
};

pub(super) const FAMILY: Family = Family { rules: &[TOO_LARGE, ALLOW], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    let most = match document.kind {
        PolicyKind::Key => 32_768,
        PolicyKind::Bucket => 20_480,
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => 5_120,
        // Their quotas leave white space out and hang on what the policy is attached to.
        PolicyKind::Identity | PolicyKind::Trust => usize::MAX,
    };
    if document.characters > most {
        let what = format!("It has {} characters, {most} are allowed.", document.characters);
        findings.add_to_document(&TOO_LARGE, what);
    }
    if document.kind == PolicyKind::ResourceControl && !is_full_access(document) {
        for entry in document.with(Effect::Allow) {
            findings.add(&ALLOW, entry, "It is an Allow.".to_owned());
        }
    }
}

/// Whether the document is AWS's own RCPFullAWSAccess.
fn is_full_access(document: &Document<'_>) -> bool {
    matches!(document.statements.as_slice(), [only] if allows_everything(only))
}
