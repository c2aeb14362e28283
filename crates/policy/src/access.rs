//! Whether somebody can take an action at all: decided for every request at once, of which only caller, action and resource
//! are known.

use crate::decide::{Allowance, Conclusion};
use crate::evidence::{Evidence, StatementRef};
use crate::explain::placed_statements;
use crate::facts::{CallersSide, Doubt, Facts, View};
use crate::grant::Grant;
use crate::organization::Organization;
use crate::reasons::{Cause, StatementName};
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};
use crate::statement::{Effect, Statement};

/// What a caller can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every request is allowed.
    Always(Permission),
    /// Some requests are allowed.
    Sometimes {
        /// What allows them.
        by: Permission,
        /// Statements that match some requests only, and why.
        statements: Vec<UncertainStatement>,
        /// The ids of grants that allow some requests only.
        grants: Vec<String>,
    },
    /// No request is allowed.
    Never(Cause),
}

/// What allows something.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Permission {
    /// The statements that do: of the resource's policy, of an identity policy.
    pub by: Vec<StatementName>,
    /// The id of the grant that does.
    pub grant: Option<String>,
}

/// A statement that matches some requests and others not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncertainStatement {
    /// Which one.
    pub statement: StatementName,
    /// What it does to those that it matches.
    pub effect: Effect,
    /// The conditions that it depends on. None if it is a variable in Resource.
    pub conditions: Vec<UncertainCondition>,
}

/// A condition that holds for some requests and for others not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncertainCondition {
    /// The operator, as the policy writes it.
    pub operator: String,
    /// The key, as the policy writes it.
    pub key: String,
    /// The values, as the policy writes them.
    pub wanted: Vec<String>,
}

/// Tells whether the caller of a request can take its action on its resource. Of the request's origin only the Region
/// counts, of its context only what is about the resource: everything else differs from request to request. That the
/// sessions of a role can have policies of their own is left out of account.
pub fn assess(request: &Request<'_>, identity: &IdentitySide<'_>, resource: &ResourceSide<'_>) -> Access {
    assess_seeing(CallersSide::Counts, request, identity, resource)
}

/// The same for whoever may not know what the policies of the caller's account say: what the resource's side gives, as far
/// as that account lets the caller. Of it nothing counts but where it stands in an organisation.
pub fn assess_resource_side(
    request: &Request<'_>,
    organization: Option<&Organization>,
    resource: &ResourceSide<'_>,
) -> Access {
    let identity = IdentitySide { organization, ..IdentitySide::default() };
    assess_seeing(CallersSide::IsHidden, request, &identity, resource)
}

fn assess_seeing(
    side: CallersSide,
    request: &Request<'_>,
    identity: &IdentitySide<'_>,
    resource: &ResourceSide<'_>,
) -> Access {
    let facts = |doubt| Facts { request, identity, resource, view: View::Any(doubt, side) };
    let conclude = |doubt| Conclusion::of(Evidence { facts: facts(doubt), by_index: true });
    match (conclude(Doubt::Allows), conclude(Doubt::Denies)) {
        (Err(reason), _) => Access::Never(Cause::of(reason)),
        (Ok(_), Ok(allowance)) => Access::Always(Permission::of(allowance)),
        (Ok(by), Err(_)) => {
            let both = Both { allows: facts(Doubt::Allows), denies: facts(Doubt::Denies) };
            let statements = placed_statements(identity, resource);
            let grants = resource.grants.iter().filter(|one| both.is_uncertain(one));
            Access::Sometimes {
                by: Permission::of(by),
                statements: statements.filter_map(|(told, one)| both.uncertain(told, one)).collect(),
                grants: grants.map(|one| one.id.clone()).collect(),
            }
        }
    }
}

impl Permission {
    pub(crate) fn of(allowance: Allowance<'_>) -> Self {
        let by = [allowance.resource, allowance.identity].into_iter().flatten();
        Self { by: by.map(StatementName::of).collect(), grant: allowance.grant.map(str::to_owned) }
    }
}

/// The same request, seen with either doubt.
struct Both<'a> {
    allows: Facts<'a>,
    denies: Facts<'a>,
}

impl Both<'_> {
    fn uncertain(&self, told: StatementRef<'_>, statement: &Statement) -> Option<UncertainStatement> {
        if statement.matches(&self.allows) == statement.matches(&self.denies) {
            return None;
        }
        let effect = statement.effect;
        let conditions = statement.conditions.iter();
        let uncertain =
            conditions.filter(|one| one.holds(&self.allows, effect) != one.holds(&self.denies, effect));
        let conditions = uncertain.map(|one| UncertainCondition {
            operator: one.operator_name().to_owned(),
            key: one.key_name().to_owned(),
            wanted: one.wanted().map(str::to_owned).collect(),
        });
        Some(UncertainStatement {
            statement: StatementName::of(told),
            effect,
            conditions: conditions.collect(),
        })
    }

    fn is_uncertain(&self, grant: &Grant) -> bool {
        grant.matches(&self.allows) != grant.matches(&self.denies)
    }
}
