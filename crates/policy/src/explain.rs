//! The whole reason of a decision: every statement and grant that could have counted, and why it did or did not.

use crate::decide::{Conclusion, Decision};
use crate::denial::Denial;
use crate::evidence::{Evidence, Layer, StatementRef};
use crate::facts::Facts;
use crate::policy::Policy;
use crate::principal::MatchKind;
use crate::request::Request;
use crate::sides::{AttachedPolicy, IdentitySide, PolicySource, ResourceSide};
use crate::statement::{Effect, Statement};

/// A decision with everything that was looked at.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What was decided, which is what [`decide`](crate::decide) decides.
    pub decision: Decision<'a>,
    /// Every statement of every policy that applies.
    pub statements: Vec<ExplainedStatement<'a>>,
    /// Every grant that was handed over: its id, and how it matches if it does.
    pub grants: Vec<(&'a str, Option<MatchKind>)>,
}

/// A statement, element by element.
#[derive(Debug)]
pub struct ExplainedStatement<'a> {
    /// Which one it is.
    pub statement: StatementRef<'a>,
    /// What it does to what it matches.
    pub effect: Effect,
    /// Whether Action or NotAction matches.
    pub action: bool,
    /// How Principal or NotPrincipal matches, if it does; whoever has an identity policy is named by it.
    pub principal: Option<MatchKind>,
    /// Whether Resource or NotResource matches.
    pub resource: bool,
    /// Its conditions, all of which must hold.
    pub conditions: Vec<ExplainedCondition<'a>>,
}

/// A condition: what was wanted, what was seen.
#[derive(Debug, PartialEq, Eq)]
pub struct ExplainedCondition<'a> {
    /// The operator, as the policy writes it.
    pub operator: &'a str,
    /// The key, as the policy writes it.
    pub key: &'a str,
    /// The values, as the policy writes them.
    pub wanted: Vec<&'a str>,
    /// What the request says.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

impl ExplainedStatement<'_> {
    /// Whether the whole statement matches.
    pub fn matches(&self) -> bool {
        self.action
            && self.principal.is_some()
            && self.resource
            && self.conditions.iter().all(|one| one.holds)
    }
}

/// Decides one check as [`decide`](crate::decide) does and tells all that led there. It looks at every statement there is
/// and is for people who ask why, not for each request.
pub fn explain<'a>(
    request: &'a Request<'a>,
    identity: &'a IdentitySide<'a>,
    resource: &'a ResourceSide<'a>,
) -> Explanation<'a> {
    let facts = Facts { request, identity, resource, entries: None };
    let decision = match Conclusion::of(Evidence { facts, by_index: false }) {
        Ok(allowance) => Decision::Allow(allowance),
        Err(reason) => Decision::Deny(Denial::new(request, reason)),
    };
    let grants = resource.grants.iter().map(|grant| (grant.id.as_str(), grant.matches(&facts)));
    Explanation { decision, statements: statements(&facts), grants: grants.collect() }
}

fn statements<'a>(facts: &Facts<'a>) -> Vec<ExplainedStatement<'a>> {
    let Facts { identity, resource, .. } = *facts;
    let mut explained = Vec::new();
    let mut add = |layer, source: Option<&'a PolicySource>, policy: &'a Policy| {
        for (index, statement) in policy.statements().iter().enumerate() {
            let sid = statement.sid.as_deref();
            explained.push(explain_statement(facts, StatementRef { layer, source, index, sid }, statement));
        }
    };
    let mut add_all = |layer, policies: &mut dyn Iterator<Item = &'a AttachedPolicy>| {
        policies.for_each(|attached| add(layer, Some(&attached.source), &attached.policy));
    };
    add_all(Layer::ServiceControl, &mut identity.service_control.iter().flatten());
    add_all(Layer::ResourceControl, &mut resource.resource_control.iter().flatten());
    add_all(Layer::Identity, &mut identity.policies.iter());
    add_all(Layer::Boundary, &mut identity.boundary.into_iter());
    add_all(Layer::Session, &mut identity.session.iter());
    if let Some(policy) = resource.policy {
        add(Layer::Resource, None, policy);
    }
    explained
}

fn explain_statement<'a>(
    facts: &Facts<'a>,
    told: StatementRef<'a>,
    statement: &'a Statement,
) -> ExplainedStatement<'a> {
    let conditions = statement.conditions.iter().map(|condition| ExplainedCondition {
        operator: condition.operator_name(),
        key: condition.key_name(),
        wanted: condition.wanted().collect(),
        seen: condition.seen(facts),
        holds: condition.holds(facts, statement.effect),
    });
    ExplainedStatement {
        statement: told,
        effect: statement.effect,
        action: statement.actions.covers(&facts.request.action),
        principal: statement.principals.matches(facts.request.caller),
        resource: statement.resources.covers(facts),
        conditions: conditions.collect(),
    }
}
