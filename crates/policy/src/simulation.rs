//! Decisions about requests that nobody makes, with what each layer of policies says and the statements that decided: what
//! the policy simulation of IAM reports.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>

use crate::decide::Conclusion;
use crate::denial::DenialReason;
use crate::entries::ContextEntries;
use crate::evidence::{Evidence, Layer};
use crate::facts::{Facts, View};
use crate::policy::Policy;
use crate::request::Request;
use crate::sides::{AttachedPolicy, IdentitySide, ResourceSide};
use crate::statement::Effect;

/// What a layer of policies says, or all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Something allows and nothing denies.
    Allowed,
    /// Nothing allows.
    ImplicitlyDenied,
    /// A statement denies.
    ExplicitlyDenied,
}

/// What came of a simulated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// What would be decided.
    pub verdict: Verdict,
    /// What the service control policies say, if there are any. If they do not allow, nothing else counts.
    pub organization: Option<Verdict>,
    /// What the identity policies say.
    pub identity: Verdict,
    /// What the permissions boundary says, if there is one.
    pub boundary: Option<Verdict>,
    /// What the resource's policy says, if there is one.
    pub resource: Option<Verdict>,
    /// The statements behind the verdict: of identity policies, of the resource's policy and, if it denies, of the
    /// boundary. None behind an implicit denial and behind one by service control policies.
    pub statements: Vec<MatchedStatement>,
}

/// A statement behind a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchedStatement {
    /// The layer of its policy.
    pub layer: Layer,
    /// The place of the policy in its layer, from 0.
    pub policy: usize,
    /// The place of the statement in the document, from 0.
    pub statement: usize,
}

/// Decides as [`decide`](crate::decide) does, about a request whose condition keys are `entries` and nothing else: neither
/// its origin nor its context counts.
pub fn simulate(
    request: &Request<'_>,
    entries: &ContextEntries,
    identity: &IdentitySide<'_>,
    resource: &ResourceSide<'_>,
) -> Simulation {
    let facts = Facts { request, identity, resource, view: View::Stated(entries) };
    let evidence = Evidence { facts, by_index: true };
    let organization = (!identity.service_control.is_empty()).then(|| of_organization(&evidence));
    let verdict = match organization {
        Some(denied @ (Verdict::ImplicitlyDenied | Verdict::ExplicitlyDenied)) => denied,
        Some(Verdict::Allowed) | None => of_all(evidence),
    };
    let attached = |layer, attached: &[AttachedPolicy]| {
        Said::by(&evidence, layer, attached.iter().map(|attached| &*attached.policy))
    };
    let by_identity = attached(Layer::Identity, identity.policies);
    let by_boundary = identity.boundary.map(|one| attached(Layer::Boundary, std::slice::from_ref(one)));
    let by_resource = resource.policy.map(|one| Said::by(&evidence, Layer::Resource, std::iter::once(one)));
    let verdict_of = |said: &Option<Said>| said.as_ref().map(Said::verdict);
    Simulation {
        verdict,
        organization,
        identity: by_identity.verdict(),
        boundary: verdict_of(&by_boundary),
        resource: verdict_of(&by_resource),
        statements: match (organization, verdict) {
            (Some(Verdict::ImplicitlyDenied | Verdict::ExplicitlyDenied), _)
            | (_, Verdict::ImplicitlyDenied) => Vec::new(),
            (_, Verdict::Allowed) => {
                let said = std::iter::once(by_identity).chain(by_resource);
                said.flat_map(|said| said.allowing).collect()
            }
            (_, Verdict::ExplicitlyDenied) => {
                let said = std::iter::once(by_identity).chain(by_boundary).chain(by_resource);
                said.flat_map(|said| said.denying).collect()
            }
        },
    }
}

/// The statements of a layer that match.
struct Said {
    allowing: Vec<MatchedStatement>,
    denying: Vec<MatchedStatement>,
}

impl Said {
    fn by<'a>(
        evidence: &Evidence<'a>,
        layer: Layer,
        policies: impl Iterator<Item = &'a Policy> + Clone,
    ) -> Self {
        let matching = |effect| {
            let places = policies.clone().enumerate().flat_map(move |(policy, one)| {
                evidence.places(one, effect).map(move |statement| MatchedStatement {
                    layer,
                    policy,
                    statement,
                })
            });
            places.collect()
        };
        Self { allowing: matching(Effect::Allow), denying: matching(Effect::Deny) }
    }

    fn verdict(&self) -> Verdict {
        verdict(!self.denying.is_empty(), !self.allowing.is_empty())
    }
}

fn of_all(evidence: Evidence<'_>) -> Verdict {
    match Conclusion::of(evidence) {
        Ok(_) => Verdict::Allowed,
        Err(DenialReason::Explicit(_)) => Verdict::ExplicitlyDenied,
        Err(DenialReason::Implicit(_) | DenialReason::OutOfReach) => Verdict::ImplicitlyDenied,
    }
}

fn of_organization(evidence: &Evidence<'_>) -> Verdict {
    let layer = Layer::ServiceControl;
    verdict(evidence.explicit_deny(layer).is_some(), evidence.every_level_allows(layer))
}

fn verdict(denies: bool, allows: bool) -> Verdict {
    match (denies, allows) {
        (true, _) => Verdict::ExplicitlyDenied,
        (false, true) => Verdict::Allowed,
        (false, false) => Verdict::ImplicitlyDenied,
    }
}
