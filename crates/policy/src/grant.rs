//! Grants: what they allow, and when.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use std::collections::BTreeMap;

use crate::action::KmsActions;
use crate::facts::{Facts, View};
use crate::principal::{MatchKind, PrincipalEntry};
use crate::statement::Effect;

/// A grant, as far as it decides. It can be made once and kept.
///
/// Only grants that are in force belong here. For `kms:CreateGrant` it must be those that cover the whole new grant:
/// whether one does is not judged here.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The grant's id, for reasons.
    pub id: String,
    /// Whom it allows something.
    pub grantee: PrincipalEntry,
    /// What it allows.
    pub operations: KmsActions,
    /// What the encryption context must be for operations that have one.
    pub context: Option<ContextConstraint>,
    /// The resource on whose behalf a service must call. It is not looked at for direct calls of other grantees.
    pub source_arn: Option<String>,
}

/// A constraint on the encryption context. Keys and values match exactly.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ContextConstraint {
    /// It has these pairs and no others.
    Equals(BTreeMap<String, String>),
    /// It has at least these pairs.
    Subset(BTreeMap<String, String>),
}

/// Operations that the context of a grant says nothing about.
const WITHOUT_CONTEXT: [&str; 3] = ["CreateGrant", "DescribeKey", "RetireGrant"];

impl Grant {
    /// How the grant matches a request, if it does.
    pub(crate) fn matches(&self, facts: &Facts<'_>) -> Option<MatchKind> {
        let action = facts.request.action;
        let allows = action.number().is_some_and(|number| self.operations.has(number));
        if !allows || !self.source_holds(facts) {
            return None;
        }
        let is_bound = !WITHOUT_CONTEXT.contains(&action.name());
        let context = || facts.request.context.encryption_context();
        let satisfies = |constraint: &ContextConstraint| match facts.view {
            View::Any(doubt, _) => doubt.holds(Effect::Allow),
            View::Request | View::Stated(_) => constraint.holds(context()),
        };
        let holds = self.context.as_ref().is_none_or(|constraint| !is_bound || satisfies(constraint));
        if holds { self.grantee.matches(facts.request.caller) } else { None }
    }

    fn source_holds(&self, facts: &Facts<'_>) -> bool {
        let Some(wanted) = self.source_arn.as_deref() else { return true };
        if facts.request.action.name() == "RetireGrant" {
            return true;
        }
        if let View::Any(doubt, _) = facts.view {
            return doubt.holds(Effect::Allow);
        }
        match &facts.request.origin.service {
            Some(service) => service.source_arn == Some(wanted),
            None => !matches!(self.grantee, PrincipalEntry::Service(_)),
        }
    }
}

impl ContextConstraint {
    /// Whether a request with this encryption context satisfies the constraint. None is the same as an empty one.
    pub fn holds(&self, context: Option<&BTreeMap<String, String>>) -> bool {
        let none = BTreeMap::new();
        let context = context.unwrap_or(&none);
        match self {
            Self::Equals(pairs) => pairs == context,
            Self::Subset(pairs) => pairs.iter().all(|(key, value)| context.get(key) == Some(value)),
        }
    }
}
