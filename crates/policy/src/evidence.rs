//! What each layer of policies says about a request, found when the decision needs it.

use std::fmt;

use crate::facts::Facts;
use crate::policy::Policy;
use crate::principal::MatchKind;
use crate::reasons::StatementName;
use crate::sides::{AttachedPolicy, PolicySource};
use crate::statement::{Effect, Statement};

/// The kinds of policies that decide.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Layer {
    /// Service control policies of the caller's organisation.
    ServiceControl,
    /// Resource control policies of the resource's organisation.
    ResourceControl,
    /// The resource's policy and grants: of a key its key policy, of a role its trust policy.
    Resource,
    /// Identity policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

/// A statement that decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatementRef<'a> {
    /// The layer of its policy.
    pub layer: Layer,
    /// Where its policy comes from; `None` for the resource's own policy.
    pub source: Option<&'a PolicySource>,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its Sid.
    pub sid: Option<&'a str>,
}

impl fmt::Display for StatementRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        StatementName::of(*self).fmt(f)
    }
}

/// Something on the resource's side that allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Support<'a> {
    Statement(StatementRef<'a>),
    /// A grant, by its id.
    Grant(&'a str),
}

/// The best that the resource's side offers of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offers<'a> {
    pub(crate) direct: Option<Support<'a>>,
    pub(crate) session_parent: Option<Support<'a>>,
    pub(crate) account: Option<Support<'a>>,
}

/// Finds statements for a decision. There are two ways that must agree: by the policies' indexes, or looking at every
/// statement there is.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) facts: Facts<'a>,
    /// Whether indexes are used.
    pub(crate) by_index: bool,
}

impl<'a> Offers<'a> {
    pub(crate) fn add(&mut self, kind: MatchKind, support: Support<'a>) {
        let place = match kind {
            MatchKind::Direct => &mut self.direct,
            MatchKind::SessionParent => &mut self.session_parent,
            MatchKind::Account => &mut self.account,
        };
        place.get_or_insert(support);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.direct.is_none() && self.session_parent.is_none() && self.account.is_none()
    }
}

impl<'a> Evidence<'a> {
    /// A statement in this layer that denies.
    pub(crate) fn explicit_deny(&self, layer: Layer) -> Option<StatementRef<'a>> {
        let identity = self.facts.identity;
        let levels = |levels: &'a [Vec<AttachedPolicy>]| {
            levels.iter().find_map(|level| self.first(layer, level, Effect::Deny))
        };
        match layer {
            Layer::ServiceControl => levels(identity.service_control),
            // Retiring a grant is none of the organisation's business that owns the key.
            Layer::ResourceControl if self.facts.request.action.is_kms("RetireGrant") => None,
            Layer::ResourceControl => levels(self.facts.resource.resource_control),
            Layer::Resource => {
                let policy = self.facts.resource.policy?;
                let (statement, _) = self.matching(policy, Effect::Deny).next()?;
                Some(statement.told(layer, None))
            }
            Layer::Identity => self.first(layer, identity.policies, Effect::Deny),
            Layer::Boundary => self.first(layer, one(identity.boundary), Effect::Deny),
            Layer::Session => self.first(layer, identity.session, Effect::Deny),
        }
    }

    /// A statement in this layer of the caller's side that allows.
    pub(crate) fn allowed_by(&self, layer: Layer) -> Option<StatementRef<'a>> {
        let identity = self.facts.identity;
        let policies = match layer {
            Layer::Identity => identity.policies,
            Layer::Boundary => one(identity.boundary),
            Layer::Session => identity.session,
            Layer::ServiceControl | Layer::ResourceControl | Layer::Resource => return None,
        };
        self.first(layer, policies, Effect::Allow)
    }

    /// Whether each level of an organisation's policies allows, if there are any.
    pub(crate) fn every_level_allows(&self, layer: Layer) -> bool {
        let levels = match layer {
            Layer::ServiceControl => self.facts.identity.service_control,
            Layer::ResourceControl if self.facts.request.action.is_kms("RetireGrant") => return true,
            Layer::ResourceControl => self.facts.resource.resource_control,
            Layer::Resource | Layer::Identity | Layer::Boundary | Layer::Session => return true,
        };
        levels.iter().all(|level| self.first(layer, level, Effect::Allow).is_some())
    }

    /// What the resource's own policy allows.
    pub(crate) fn offers_of_policy(&self) -> Offers<'a> {
        let mut offers = Offers::default();
        let Some(policy) = self.facts.resource.policy else { return offers };
        for (statement, kind) in self.matching(policy, Effect::Allow) {
            offers.add(kind, Support::Statement(statement.told(Layer::Resource, None)));
            if kind == MatchKind::Direct {
                break;
            }
        }
        offers
    }

    /// What grants on the key allow.
    pub(crate) fn offers_of_grants(&self) -> Offers<'a> {
        let mut offers = Offers::default();
        for grant in self.facts.resource.grants {
            if let Some(kind) = grant.matches(&self.facts) {
                offers.add(kind, Support::Grant(&grant.id));
            }
        }
        offers
    }

    /// The places of a policy's statements that match and have this effect.
    pub(crate) fn places(&self, policy: &'a Policy, effect: Effect) -> impl Iterator<Item = usize> {
        self.matching(policy, effect).map(|(placed, _)| placed.index)
    }

    fn first(
        &self,
        layer: Layer,
        policies: &'a [AttachedPolicy],
        effect: Effect,
    ) -> Option<StatementRef<'a>> {
        policies.iter().find_map(|attached| {
            let (statement, _) = self.matching(&attached.policy, effect).next()?;
            Some(statement.told(layer, Some(&attached.source)))
        })
    }

    fn matching(&self, policy: &'a Policy, effect: Effect) -> impl Iterator<Item = (Placed<'a>, MatchKind)> {
        let facts = self.facts;
        let by_index = self.by_index.then(|| policy.about(facts.request.caller, &facts.request.action));
        let one_by_one = (!self.by_index).then(|| policy.statements().iter().enumerate());
        by_index.into_iter().flatten().chain(one_by_one.into_iter().flatten()).filter_map(
            move |(index, statement)| {
                let kind = if statement.effect == effect { statement.matches(&facts)? } else { return None };
                Some((Placed { index, statement }, kind))
            },
        )
    }
}

/// A statement and its place in its document.
#[derive(Clone, Copy)]
struct Placed<'a> {
    index: usize,
    statement: &'a Statement,
}

impl<'a> Placed<'a> {
    fn told(self, layer: Layer, source: Option<&'a PolicySource>) -> StatementRef<'a> {
        StatementRef { layer, source, index: self.index, sid: self.statement.sid.as_deref() }
    }
}

fn one(policy: Option<&AttachedPolicy>) -> &[AttachedPolicy] {
    policy.map_or(&[], std::slice::from_ref)
}
