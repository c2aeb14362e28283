//! Decisions and accesses in the form in which they are told.

use policy::{
    Access, Cause, ConditionReasons, ContextConstraint, Effect, GrantReasons, Layer, MatchKind, Outcome,
    Permission, Reasons, Side, StatementReasons, UncertainStatement,
};
use wire::keywright::{
    ActionAccess, CauseType, ConditionExplanation, ConditionalStatement, ConstraintType, Decision,
    EffectType, ExtentType, GrantExplanation, LayerType, OutcomeType, PrincipalMatchType, SideType,
    StatementExplanation, StatementName,
};

use crate::ports::PossibleAction;

/// A decision with its reasons.
pub(crate) fn decision(reasons: Reasons) -> Decision {
    let changes = reasons.remedies();
    let told = Told::of(reasons.outcome);
    Decision {
        action: reasons.action,
        resource: reasons.resource,
        resource_account: reasons.resource_account.to_string(),
        principal: reasons.caller,
        outcome: told.outcome,
        cause: told.cause,
        layer: told.layer,
        message: told.message,
        decided_by: told.by,
        grant_id: told.grant,
        statements: reasons.statements.into_iter().map(statement).collect(),
        grants: reasons.grants.into_iter().map(grant).collect(),
        changes,
        hidden_side: reasons.hidden.map(side),
    }
}

/// What somebody can do with a key: actions that hang on the same things together.
pub(crate) fn accesses(possible: Vec<PossibleAction>) -> Vec<ActionAccess> {
    let mut accesses: Vec<ActionAccess> = Vec::new();
    for PossibleAction { action, access } in possible {
        let Some(one) = action_access(access) else { continue };
        let same =
            |other: &&mut ActionAccess| ActionAccess { actions: Vec::new(), ..(**other).clone() } == one;
        match accesses.iter_mut().find(same) {
            Some(known) => known.actions.push(action),
            None => accesses.push(ActionAccess { actions: vec![action], ..one }),
        }
    }
    accesses
}

fn action_access(access: Access) -> Option<ActionAccess> {
    let (extent, Permission { by, grant }, statements, grants) = match access {
        Access::Always(permission) => (ExtentType::Always, permission, Vec::new(), Vec::new()),
        Access::Sometimes { by, statements, grants } => (ExtentType::Sometimes, by, statements, grants),
        Access::Never(_) => return None,
    };
    Some(ActionAccess {
        actions: Vec::new(),
        extent,
        allowed_by: by.into_iter().map(name).collect(),
        grant_id: grant,
        depends_on: statements.into_iter().map(conditional).collect(),
        depends_on_grants: grants,
    })
}

struct Told {
    outcome: OutcomeType,
    cause: Option<CauseType>,
    layer: Option<LayerType>,
    message: Option<String>,
    by: Vec<StatementName>,
    grant: Option<String>,
}

impl Told {
    fn of(outcome: Outcome) -> Self {
        let (cause, message) = match outcome {
            Outcome::Allowed(Permission { by, grant }) => {
                let by = by.into_iter().map(name).collect();
                return Self {
                    outcome: OutcomeType::Allowed,
                    cause: None,
                    layer: None,
                    message: None,
                    by,
                    grant,
                };
            }
            Outcome::Denied { cause, message } => (cause, message),
        };
        let (cause, of_layer, by) = match cause {
            Cause::Explicit(statement) => {
                (CauseType::ExplicitDeny, Some(layer(statement.layer)), vec![name(statement)])
            }
            Cause::Implicit(silent) => (CauseType::ImplicitDeny, Some(layer(silent)), Vec::new()),
            Cause::OutOfReach => (CauseType::OutOfReach, Some(LayerType::ResourcePolicy), Vec::new()),
            Cause::Refused(_) => (CauseType::NotForPolicies, None, Vec::new()),
            Cause::Hidden(_) => (CauseType::OtherAccount, None, Vec::new()),
        };
        let (cause, message) = (Some(cause), Some(message));
        Self { outcome: OutcomeType::Denied, cause, layer: of_layer, message, by, grant: None }
    }
}

fn name(name: policy::StatementName) -> StatementName {
    StatementName {
        layer: layer(name.layer),
        policy: name.policy,
        index: i32::try_from(name.index).map_or(i32::MAX, |index| index.saturating_add(1)),
        sid: name.sid,
    }
}

fn statement(reasons: StatementReasons) -> StatementExplanation {
    StatementExplanation {
        matches: reasons.matches(),
        statement: name(reasons.statement),
        effect: effect(reasons.effect),
        principal_match: reasons.principal.map(principal_match),
        resource_matches: reasons.resource,
        conditions: reasons.conditions.into_iter().map(condition).collect(),
    }
}

fn condition(reasons: ConditionReasons) -> ConditionExplanation {
    let ConditionReasons { operator, key, wanted, seen, holds } = reasons;
    ConditionExplanation { operator, key, wanted, seen: Some(seen), holds: Some(holds) }
}

fn conditional(uncertain: UncertainStatement) -> ConditionalStatement {
    let conditions = uncertain.conditions.into_iter().map(|one| ConditionExplanation {
        operator: one.operator,
        key: one.key,
        wanted: one.wanted,
        seen: None,
        holds: None,
    });
    ConditionalStatement {
        statement: name(uncertain.statement),
        effect: effect(uncertain.effect),
        conditions: conditions.collect(),
    }
}

fn grant(reasons: GrantReasons) -> GrantExplanation {
    let (constraint_type, encryption_context) = match reasons.context {
        Some(ContextConstraint::Equals(pairs)) => (Some(ConstraintType::Equals), Some(pairs)),
        Some(ContextConstraint::Subset(pairs)) => (Some(ConstraintType::Subset), Some(pairs)),
        None => (None, None),
    };
    GrantExplanation {
        grant_id: reasons.id,
        grantee_principal: reasons.grantee,
        matches: reasons.matches.is_some(),
        constraint_type,
        encryption_context,
        source_arn: reasons.source_arn,
    }
}

fn layer(layer: Layer) -> LayerType {
    match layer {
        Layer::ServiceControl => LayerType::ServiceControlPolicy,
        Layer::ResourceControl => LayerType::ResourceControlPolicy,
        Layer::Resource => LayerType::ResourcePolicy,
        Layer::Identity => LayerType::IdentityPolicy,
        Layer::Boundary => LayerType::PermissionsBoundary,
        Layer::Session => LayerType::SessionPolicy,
    }
}

fn effect(effect: Effect) -> EffectType {
    match effect {
        Effect::Allow => EffectType::Allow,
        Effect::Deny => EffectType::Deny,
    }
}

fn principal_match(kind: MatchKind) -> PrincipalMatchType {
    match kind {
        MatchKind::Account => PrincipalMatchType::Account,
        MatchKind::SessionParent => PrincipalMatchType::SessionParent,
        MatchKind::Direct => PrincipalMatchType::Direct,
    }
}

fn side(side: Side) -> SideType {
    match side {
        Side::Caller => SideType::Principal,
        Side::Resource => SideType::Resource,
    }
}
