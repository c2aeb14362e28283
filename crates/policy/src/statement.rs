//! One statement, compiled.

use crate::action::ActionSet;
use crate::condition::Condition;
use crate::facts::Facts;
use crate::principal::{MatchKind, PrincipalSet};
use crate::resource::ResourceSet;

/// What a statement does to the requests that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Effect {
    /// It allows them, unless something denies.
    Allow,
    /// It denies them, whatever else allows.
    Deny,
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    pub(crate) principals: PrincipalSet,
    pub(crate) actions: ActionSet,
    pub(crate) resources: ResourceSet,
    pub(crate) conditions: Box<[Condition]>,
}

impl Statement {
    /// The condition keys that the statement asks about, in conditions and in variables, as it writes them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.resources.key_names().chain(self.conditions.iter().flat_map(Condition::key_names))
    }

    /// How the statement matches a request, if it does: all of its elements must.
    pub(crate) fn matches(&self, facts: &Facts<'_>) -> Option<MatchKind> {
        if !self.actions.covers(&facts.request.action) {
            return None;
        }
        let kind = self.principals.matches(facts.request.caller)?;
        let holds = |condition: &Condition| condition.holds(facts, self.effect);
        (self.resources.covers(facts, self.effect) && self.conditions.iter().all(holds)).then_some(kind)
    }
}
