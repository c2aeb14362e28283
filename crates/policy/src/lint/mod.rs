//! What is probably wrong with a policy that can be read: statements that never apply, that let in too many, or that
//! lock everybody out.
//!
//! The engine's own matching judges, so that what is said here is what happens. A rule speaks only where it is certain,
//! or says that it is not.

mod cover;
mod document;
mod fit;
mod group;
mod outline;
mod probe;
mod rule;
mod rules;

use base::{AccountId, KeyArn};

use crate::error::MalformedPolicy;
use crate::policy::{Policy, PolicyKind};
use document::{Document, Findings};
use outline::Outline;
pub use rule::{Finding, Rule, Severity};

/// What is known beside the document. More is found with more of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The account that owns the key or role. Without it, the one in `key`.
    pub account: Option<AccountId>,
    /// The key whose key policy it is.
    pub key: Option<KeyArn>,
}

/// Looks for what is probably wrong with a document of this kind. Findings stand in the order of the text.
///
/// # Errors
/// The document is not a policy of this kind.
pub fn lint(
    text: &str,
    kind: PolicyKind,
    circumstances: &Circumstances,
) -> Result<Vec<Finding>, MalformedPolicy> {
    let policy = Policy::parse(text, kind)?;
    let outline = Outline::read(text).unwrap_or_default();
    let start = outline.start;
    let document = Document::new(text, (kind, &policy), outline.statements, circumstances);
    let mut findings = Findings::default();
    for family in rules::FAMILIES {
        (family.check)(&document, &mut findings);
    }
    Ok(findings.finish(text, start))
}

/// Every rule, in the order of the documentation.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::FAMILIES.iter().flat_map(|family| family.rules)
}

/// The kind that a document probably is of: with principals a key policy, or a trust policy if all its actions are of
/// STS; without, an identity policy. `None` if it is no JSON object with a Statement.
pub fn guess_kind(text: &str) -> Option<PolicyKind> {
    let statements = Outline::read(text)?.statements;
    if statements.is_empty() {
        return None;
    }
    let mut actions = statements.iter().flat_map(|statement| &statement.actions).peekable();
    let is_of_sts = |action: &str| action.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sts:"));
    let has_principals = statements.iter().any(|statement| !statement.principals.is_empty());
    Some(if !has_principals {
        PolicyKind::Identity
    } else if actions.peek().is_some() && actions.all(|action| is_of_sts(&action.text)) {
        PolicyKind::Trust
    } else {
        PolicyKind::Key
    })
}
