//! The whole reason of a decision: every statement and grant that could have counted, and why it did or did not.

use crate::decide::{Conclusion, Decision};
use crate::denial::Denial;
use crate::evidence::{Evidence, Layer, StatementRef};
use crate::facts::{Facts, View};
use crate::grant::Grant;
use crate::principal::MatchKind;
use crate::request::Request;
use crate::sides::{AttachedPolicy, IdentitySide, ResourceSide};
use crate::statement::{Effect, Statement};

/// A decision with everything that was looked at.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What was decided, which is what [`decide`](crate::decide) decides.
    pub decision: Decision<'a>,
    /// Every statement of every policy that applies.
    pub statements: Vec<ExplainedStatement<'a>>,
    /// Every grant that was handed over.
    pub grants: Vec<ExplainedGrant<'a>>,
}

/// A grant, and how it matches if it does.
#[derive(Debug)]
pub struct ExplainedGrant<'a> {
    /// Which one it is.
    pub grant: &'a Grant,
    /// How it matches the whole request, if it does.
    pub matches: Option<MatchKind>,
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
    let facts = Facts { request, identity, resource, view: View::Request };
    let decision = match Conclusion::of(Evidence { facts, by_index: false }) {
        Ok(allowance) => Decision::Allow(allowance),
        Err(reason) => Decision::Deny(Denial::new(request, reason)),
    };
    Explanation::of(decision, request, identity, resource)
}

impl<'a> Explanation<'a> {
    /// What led to a decision about a request that was taken before.
    pub fn of(
        decision: Decision<'a>,
        request: &'a Request<'a>,
        identity: &'a IdentitySide<'a>,
        resource: &'a ResourceSide<'a>,
    ) -> Self {
        let facts = Facts { request, identity, resource, view: View::Request };
        let grants =
            resource.grants.iter().map(|grant| ExplainedGrant { grant, matches: grant.matches(&facts) });
        let statements = placed_statements(identity, resource);
        let statements = statements.map(|(told, statement)| explain_statement(&facts, told, statement));
        Self { decision, statements: statements.collect(), grants: grants.collect() }
    }
}

/// Every statement of every policy on either side.
pub(crate) fn placed_statements<'a>(
    identity: &'a IdentitySide<'a>,
    resource: &'a ResourceSide<'a>,
) -> impl Iterator<Item = (StatementRef<'a>, &'a Statement)> {
    let levels = |layer, levels: &'a [Vec<AttachedPolicy>]| {
        levels.iter().flatten().map(move |attached| (layer, Some(&attached.source), &*attached.policy))
    };
    let attached = |layer, attached: &'a [AttachedPolicy]| {
        attached.iter().map(move |attached| (layer, Some(&attached.source), &*attached.policy))
    };
    let boundary = identity.boundary.map_or(&[][..], std::slice::from_ref);
    let own = resource.policy.map(|policy| (Layer::Resource, None, policy));
    levels(Layer::ServiceControl, identity.service_control)
        .chain(levels(Layer::ResourceControl, resource.resource_control))
        .chain(attached(Layer::Identity, identity.policies))
        .chain(attached(Layer::Boundary, boundary))
        .chain(attached(Layer::Session, identity.session))
        .chain(own)
        .flat_map(|(layer, source, policy)| {
            policy.statements().iter().enumerate().map(move |(index, statement)| {
                (StatementRef { layer, source, index, sid: statement.sid.as_deref() }, statement)
            })
        })
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
        resource: statement.resources.covers(facts, statement.effect),
        conditions: conditions.collect(),
    }
}
