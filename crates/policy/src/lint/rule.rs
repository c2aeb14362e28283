//! Rules and what they find.

use std::fmt;

use crate::policy::PolicyKind;
use crate::position::Position;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not meant, or more than is needed.
    Warning,
    /// It cannot do what it says, or gives the key away.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A rule. Its name stays the same from version to version.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Words in lower case joined by dashes.
    pub name: &'static str,
    /// How much its findings weigh.
    pub severity: Severity,
    /// The kinds of policies that it looks at.
    pub kinds: &'static [PolicyKind],
    /// What it finds.
    pub finds: &'static str,
    /// Why that matters, in one sentence.
    pub why: &'static str,
    /// What to do, in one sentence.
    pub remedy: &'static str,
}

/// Something that a rule found. Why it matters and what to do stand with the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The place of the statement in the document, from 0; `None` if it is about the whole document.
    pub statement: Option<usize>,
    /// The statement's Sid, if it has one.
    pub sid: Option<String>,
    /// Where to look: the element, if the finding is about one, or the statement.
    pub position: Position,
    /// What was found, in one sentence.
    pub what: String,
}

pub(super) const ALL: &[PolicyKind] = &[
    PolicyKind::Key,
    PolicyKind::Identity,
    PolicyKind::Trust,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];
pub(super) const KEY: &[PolicyKind] = &[PolicyKind::Key];
pub(super) const IDENTITY: &[PolicyKind] = &[PolicyKind::Identity];
pub(super) const TRUST: &[PolicyKind] = &[PolicyKind::Trust];
/// Kinds whose statements are about resources of any service.
pub(super) const ON_ANY_RESOURCE: &[PolicyKind] =
    &[PolicyKind::Identity, PolicyKind::ServiceControl, PolicyKind::ResourceControl];
/// Kinds that can be about actions of KMS.
pub(super) const ON_KMS: &[PolicyKind] =
    &[PolicyKind::Key, PolicyKind::Identity, PolicyKind::ServiceControl, PolicyKind::ResourceControl];
