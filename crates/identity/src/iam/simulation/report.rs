//! What the simulator answers.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>. AWS's answers name the kind of policy in
//! other words than its model does, call an inline policy after its holder, and echo the resource if there is one alone.

use std::collections::BTreeMap;

use policy::{Action, Layer, MatchedStatement, Simulation, Verdict};
use wire::iam::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType, PolicySourceType, Position, ResourceSpecificResult, Statement,
};

use super::scenario::{Part, Scenario};

/// Statements that one result tells; further ones are left out.
const STATEMENTS_MAX: usize = 100;

/// The ARN of a key, as AWS writes what stands for one.
const ANY_KEY: &str = "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}";

/// Actions of KMS that are on no key.
const WITHOUT_KEY: [&str; 11] = [
    "kms:ConnectCustomKeyStore",
    "kms:CreateCustomKeyStore",
    "kms:CreateKey",
    "kms:DeleteCustomKeyStore",
    "kms:DescribeCustomKeyStores",
    "kms:DisconnectCustomKeyStore",
    "kms:GenerateRandom",
    "kms:ListAliases",
    "kms:ListKeys",
    "kms:ListRetirableGrants",
    "kms:UpdateCustomKeyStore",
];

impl Scenario<'_> {
    /// The result of an action, out of what came of it on each resource.
    pub(super) fn report(
        &self,
        name: &str,
        action: &Action<'_>,
        simulated: &[Simulation],
    ) -> EvaluationResult {
        let most_restrictive = simulated.iter().map(|one| one.verdict).max();
        let verdict = most_restrictive.unwrap_or(Verdict::ImplicitlyDenied);
        let is_on_resources = !self.resources.contains(&None);
        let details = self.details(simulated.iter().zip(&self.resources));
        EvaluationResult {
            eval_action_name: name.to_owned(),
            eval_resource_name: Some(self.resource_name(action)),
            eval_decision: decision(verdict),
            matched_statements: Some(self.statements(simulated.iter().filter(|one| one.verdict == verdict))),
            missing_context_values: Some(self.missing_behind(verdict, simulated)),
            organizations_decision_detail: all(simulated.iter().map(|one| one.organization))
                .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: Some(allowed) }),
            permissions_boundary_decision_detail: boundary_detail(simulated),
            eval_decision_details: details.or_else(|| {
                let is_looked_at = is_on_resources && !simulated.iter().any(ended_early);
                is_looked_at.then(BTreeMap::new)
            }),
            resource_specific_results: is_on_resources.then(|| {
                let told = simulated.iter().zip(&self.resources);
                told.filter_map(|(one, resource)| Some(self.on_resource(one, (*resource)?))).collect()
            }),
        }
    }

    fn on_resource(&self, simulated: &Simulation, resource: &str) -> ResourceSpecificResult {
        let alone = std::slice::from_ref(simulated);
        ResourceSpecificResult {
            eval_resource_name: resource.to_owned(),
            eval_resource_decision: decision(simulated.verdict),
            matched_statements: Some(self.statements(alone.iter())),
            missing_context_values: Some(self.missing_behind(simulated.verdict, alone)),
            eval_decision_details: self.details(std::iter::once((simulated, &Some(resource)))),
            permissions_boundary_decision_detail: boundary_detail(alone),
        }
    }

    fn resource_name(&self, action: &Action<'_>) -> String {
        let is_on_key = action.service() == "kms" && !WITHOUT_KEY.contains(&action.to_string().as_str());
        match self.resources.as_slice() {
            [Some(one)] => (*one).to_owned(),
            [Some(_), Some(_), ..] if is_on_key => ANY_KEY.to_owned(),
            _ => "*".to_owned(),
        }
    }

    /// Only who is not allowed, and by nothing in particular, misses something.
    fn missing_behind(&self, verdict: Verdict, simulated: &[Simulation]) -> Vec<String> {
        let misses = |one: &Simulation| one.verdict == Verdict::ImplicitlyDenied && !ended_early(one);
        let is_wanted = verdict != Verdict::Allowed && simulated.iter().any(misses);
        if is_wanted { self.missing.clone() } else { Vec::new() }
    }

    /// What each kind of policy says about a resource of another account; of several, what is most restrictive.
    fn details<'s>(
        &self,
        simulated: impl Iterator<Item = (&'s Simulation, &'s Option<&'s str>)>,
    ) -> Option<BTreeMap<String, PolicyEvaluationDecisionType>> {
        let across = simulated.filter(|(one, resource)| {
            one.resource.is_some() && !ended_early(one) && self.owner_of(**resource) != self.account
        });
        let mut details: BTreeMap<&str, Verdict> = BTreeMap::new();
        for (one, _) in across {
            let said = [
                (PolicySourceType::IamPolicy, Some(one.identity)),
                (PolicySourceType::ResourcePolicy, one.resource),
                (PolicySourceType::PermissionsBoundaryPolicy, one.boundary),
            ];
            for (kind, verdict) in said {
                let Some(verdict) = verdict else { continue };
                let told = details.entry(kind.as_str()).or_insert(verdict);
                *told = (*told).max(verdict);
            }
        }
        let told =
            || details.iter().map(|(kind, verdict)| ((*kind).to_owned(), decision(*verdict))).collect();
        (!details.is_empty()).then(told)
    }

    fn statements<'s>(&self, simulated: impl Iterator<Item = &'s Simulation>) -> Vec<Statement> {
        let mut told: Vec<MatchedStatement> = Vec::new();
        for statement in simulated.flat_map(|one| &one.statements) {
            if told.len() == STATEMENTS_MAX {
                break;
            }
            if !told.contains(statement) {
                told.push(*statement);
            }
        }
        told.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, matched: &MatchedStatement) -> Option<Statement> {
        let (parts, kind): (&[Part], _) = match matched.layer {
            Layer::Identity => (&self.parts.identity, PolicySourceType::IamPolicy),
            Layer::Boundary => (&self.parts.boundary, PolicySourceType::PermissionsBoundaryPolicy),
            Layer::Resource => (&self.parts.resource, PolicySourceType::ResourcePolicy),
            Layer::ServiceControl | Layer::ResourceControl | Layer::Session => return None,
        };
        let part = parts.get(matched.policy)?;
        let position = part.positions.get(matched.statement)?;
        Some(Statement {
            source_policy_id: Some(part.id.clone()),
            source_policy_type: Some(kind),
            start_position: Some(place(position.reported_start)),
            end_position: Some(place(position.end)),
        })
    }
}

fn place(position: policy::Position) -> Position {
    Position { line: i32::try_from(position.line).ok(), column: i32::try_from(position.column).ok() }
}

fn decision(verdict: Verdict) -> PolicyEvaluationDecisionType {
    match verdict {
        Verdict::Allowed => PolicyEvaluationDecisionType::Allowed,
        Verdict::ImplicitlyDenied => PolicyEvaluationDecisionType::ImplicitDeny,
        Verdict::ExplicitlyDenied => PolicyEvaluationDecisionType::ExplicitDeny,
    }
}

/// Whether service control policies ended the simulation.
fn ended_early(simulated: &Simulation) -> bool {
    simulated.organization.is_some_and(|organization| organization != Verdict::Allowed)
}

/// Whether a layer allows wherever it was asked; `None` if it is not there.
fn all(said: impl Iterator<Item = Option<Verdict>>) -> Option<bool> {
    said.flatten().map(|verdict| verdict == Verdict::Allowed).reduce(|one, other| one && other)
}

fn boundary_detail(simulated: &[Simulation]) -> Option<PermissionsBoundaryDecisionDetail> {
    let looked_at = simulated.iter().filter(|one| !ended_early(one));
    let allowed = all(looked_at.map(|one| one.boundary))?;
    Some(PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: Some(allowed) })
}
