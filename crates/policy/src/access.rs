//! Whether somebody can take an action at all: decided for every request at once, of which only caller, action and resource
//! are known.

use crate::decide::{Allowance, Conclusion};
use crate::denial::DenialReason;
use crate::evidence::{Evidence, StatementRef};
use crate::explain::placed_statements;
use crate::facts::{Doubt, Facts, View};
use crate::grant::Grant;
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};
use crate::statement::{Effect, Statement};

/// What a caller can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Access<'a> {
    /// Every request is allowed.
    Always(Allowance<'a>),
    /// Some requests are allowed.
    Sometimes {
        /// What allows them.
        by: Allowance<'a>,
        /// Statements that match some requests only, and why.
        statements: Vec<UncertainStatement<'a>>,
        /// The ids of grants that allow some requests only.
        grants: Vec<&'a str>,
    },
    /// No request is allowed.
    Never(DenialReason<'a>),
}

/// A statement that matches some requests and others not.
#[derive(Clone, Debug, PartialEq)]
pub struct UncertainStatement<'a> {
    /// Which one.
    pub statement: StatementRef<'a>,
    /// What it does to those that it matches.
    pub effect: Effect,
    /// The conditions that it depends on. None if it is a variable in Resource.
    pub conditions: Vec<UncertainCondition<'a>>,
}

/// A condition that holds for some requests and for others not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncertainCondition<'a> {
    /// The operator, as the policy writes it.
    pub operator: &'a str,
    /// The key, as the policy writes it.
    pub key: &'a str,
    /// The values, as the policy writes them.
    pub wanted: Vec<&'a str>,
}

/// Tells whether the caller of a request can take its action on its resource. Of the request's origin only the Region
/// counts, of its context only what is about the resource: everything else differs from request to request. That the
/// sessions of a role can have policies of their own is left out of account.
pub fn assess<'a>(
    request: &'a Request<'a>,
    identity: &'a IdentitySide<'a>,
    resource: &'a ResourceSide<'a>,
) -> Access<'a> {
    let facts = |doubt| Facts { request, identity, resource, view: View::Any(doubt) };
    let conclude = |doubt| Conclusion::of(Evidence { facts: facts(doubt), by_index: true });
    match (conclude(Doubt::Allows), conclude(Doubt::Denies)) {
        (Err(reason), _) => Access::Never(reason),
        (Ok(_), Ok(allowance)) => Access::Always(allowance),
        (Ok(by), Err(_)) => {
            let both = Both { allows: facts(Doubt::Allows), denies: facts(Doubt::Denies) };
            let statements = placed_statements(identity, resource);
            Access::Sometimes {
                by,
                statements: statements.filter_map(|(told, one)| both.uncertain(told, one)).collect(),
                grants: resource
                    .grants
                    .iter()
                    .filter(|one| both.is_uncertain(one))
                    .map(|one| one.id.as_str())
                    .collect(),
            }
        }
    }
}

/// The same request, seen with either doubt.
struct Both<'a> {
    allows: Facts<'a>,
    denies: Facts<'a>,
}

impl<'a> Both<'a> {
    fn uncertain(&self, told: StatementRef<'a>, statement: &'a Statement) -> Option<UncertainStatement<'a>> {
        if statement.matches(&self.allows) == statement.matches(&self.denies) {
            return None;
        }
        let effect = statement.effect;
        let conditions = statement.conditions.iter();
        let uncertain =
            conditions.filter(|one| one.holds(&self.allows, effect) != one.holds(&self.denies, effect));
        let conditions = uncertain.map(|one| UncertainCondition {
            operator: one.operator_name(),
            key: one.key_name(),
            wanted: one.wanted().collect(),
        });
        Some(UncertainStatement { statement: told, effect, conditions: conditions.collect() })
    }

    fn is_uncertain(&self, grant: &Grant) -> bool {
        grant.matches(&self.allows) != grant.matches(&self.denies)
    }
}
