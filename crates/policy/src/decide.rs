//! The decision.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use crate::caller::CallerKind;
use crate::denial::{Denial, DenialReason};
use crate::evidence::{Evidence, Layer, Offers, StatementRef, Support};
use crate::facts::{CallersSide, Facts, View};
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};

/// What was decided, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision<'a> {
    /// The request may be carried out.
    Allow(Allowance<'a>),
    /// It may not.
    Deny(Denial<'a>),
}

/// Why a request is allowed. A policy that allows is named before a grant that does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Allowance<'a> {
    /// The statement of the resource's policy that allows, or that lets identity policies decide.
    pub resource: Option<StatementRef<'a>>,
    /// The statement of an identity policy that allows, if one was needed.
    pub identity: Option<StatementRef<'a>>,
    /// The id of the grant without which the request would be denied.
    pub grant: Option<&'a str>,
}

impl Decision<'_> {
    /// Whether the request may be carried out.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Decides one check, of any action but `kms:RetireGrant`, for which [`decide_retirement`](crate::decide_retirement) is.
/// Neither the order of statements nor that of policies makes a difference to what is decided.
pub fn decide<'a>(
    request: &'a Request<'a>,
    identity: &'a IdentitySide<'a>,
    resource: &'a ResourceSide<'a>,
) -> Decision<'a> {
    let facts = Facts { request, identity, resource, view: View::Request };
    match Conclusion::of(Evidence { facts, by_index: true }) {
        Ok(allowance) => Decision::Allow(allowance),
        Err(reason) => Decision::Deny(Denial::new(request, reason)),
    }
}

/// Layers in the order in which a deny in them is named.
const LAYERS: [Layer; 6] = [
    Layer::ServiceControl,
    Layer::ResourceControl,
    Layer::Resource,
    Layer::Identity,
    Layer::Boundary,
    Layer::Session,
];

/// The rules, over whatever way evidence is found.
pub(crate) struct Conclusion<'a> {
    pub(crate) evidence: Evidence<'a>,
}

type Outcome<'a, T> = Result<T, DenialReason<'a>>;

impl<'a> Conclusion<'a> {
    pub(crate) fn of(evidence: Evidence<'a>) -> Outcome<'a, Allowance<'a>> {
        for layer in LAYERS {
            if let Some(statement) = evidence.explicit_deny(layer) {
                return Err(DenialReason::Explicit(statement));
            }
        }
        for layer in [Layer::ServiceControl, Layer::ResourceControl] {
            if !evidence.every_level_allows(layer) {
                return Err(DenialReason::Implicit(layer));
            }
        }
        let conclusion = Self { evidence };
        // A policy that allows is preferred to a grant: what is created under a grant is bound by it.
        let policy = evidence.offers_of_policy();
        let by_policy = conclusion.under(policy, Source::Policy);
        by_policy.or_else(|reason| {
            let grants = evidence.offers_of_grants();
            if grants.is_empty() {
                return Err(reason);
            }
            // A refusal on the caller's side tells more than that the policy is silent.
            conclusion
                .under(grants, Source::Grants)
                .map_err(|other| if policy.is_empty() { other } else { reason })
        })
    }

    fn under(&self, offers: Offers<'a>, source: Source) -> Outcome<'a, Allowance<'a>> {
        let request = self.evidence.facts.request;
        let is_own = request.caller.account() == Some(request.resource.owner);
        if is_own { self.in_same_account(offers) } else { self.across_accounts(offers, source) }
    }

    fn in_same_account(&self, offers: Offers<'a>) -> Outcome<'a, Allowance<'a>> {
        let resource = self.evidence.facts.resource;
        if resource.policy.is_none() {
            return self.identity_path(Allowance::default());
        }
        if let Some(direct) = offers.direct {
            return Ok(allowance(direct));
        }
        let as_parent = offers.session_parent.map(|parent| self.bounds_hold().map(|()| allowance(parent)));
        if let Some(Ok(allowance)) = as_parent {
            return Ok(allowance);
        }
        match (offers.account, as_parent) {
            (Some(account), _) => self.identity_path(allowance(account)),
            (None, _) if !resource.is_guarded => self.identity_path(Allowance::default()),
            (None, Some(bounded)) => bounded,
            (None, None) => Err(DenialReason::Implicit(Layer::Resource)),
        }
    }

    fn across_accounts(&self, offers: Offers<'a>, source: Source) -> Outcome<'a, Allowance<'a>> {
        let best = offers.direct.or(offers.session_parent).or(offers.account);
        let Some(best) = best else { return Err(DenialReason::OutOfReach) };
        match self.evidence.facts.request.caller.kind() {
            // Neither has an identity side.
            CallerKind::Service | CallerKind::TokenHolder | CallerKind::Anybody => {
                return Ok(allowance(best));
            }
            CallerKind::Anonymous if self.admits_anonymous(source) => return Ok(allowance(best)),
            CallerKind::Anonymous => return Err(DenialReason::OutOfReach),
            CallerKind::Root | CallerKind::User | CallerKind::RoleSession | CallerKind::FederatedUser => {}
        }
        if source == Source::Policy {
            return self.identity_path(allowance(best));
        }
        // A grant that names somebody of another account needs nothing of that account's identity policies.
        if let Some(direct) = offers.direct {
            return Ok(allowance(direct));
        }
        match (
            offers.session_parent.map(|parent| self.bounds_hold().map(|()| allowance(parent))),
            offers.account,
        ) {
            (Some(Ok(allowance)), _) => Ok(allowance),
            (_, Some(account)) => self.identity_path(allowance(account)),
            (Some(bounded), None) => bounded,
            (None, None) => Err(DenialReason::OutOfReach),
        }
    }

    /// Whether a policy that allows lets in somebody who did not sign: that of a bucket does, that of a key or role never.
    fn admits_anonymous(&self, source: Source) -> bool {
        source == Source::Policy && !self.evidence.facts.resource.is_guarded
    }

    /// The caller's account must allow, too.
    pub(crate) fn identity_path(&self, so_far: Allowance<'a>) -> Outcome<'a, Allowance<'a>> {
        let evidence = &self.evidence;
        let kind = evidence.facts.request.caller.kind();
        let is_hidden = matches!(evidence.facts.view, View::Any(_, CallersSide::IsHidden));
        if kind == CallerKind::Root || is_hidden {
            return Ok(so_far);
        }
        let Some(identity) = evidence.allowed_by(Layer::Identity) else {
            return Err(DenialReason::Implicit(Layer::Identity));
        };
        self.bounds_hold()?;
        if kind == CallerKind::FederatedUser && evidence.facts.identity.session.is_empty() {
            return Err(DenialReason::Implicit(Layer::Session));
        }
        Ok(Allowance { identity: Some(identity), ..so_far })
    }

    /// Boundary and session policies allow, as far as there are any.
    fn bounds_hold(&self) -> Outcome<'a, ()> {
        let identity = self.evidence.facts.identity;
        if identity.boundary.is_some() && self.evidence.allowed_by(Layer::Boundary).is_none() {
            return Err(DenialReason::Implicit(Layer::Boundary));
        }
        if !identity.session.is_empty() && self.evidence.allowed_by(Layer::Session).is_none() {
            return Err(DenialReason::Implicit(Layer::Session));
        }
        Ok(())
    }
}

/// Where on the resource's side something comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Policy,
    Grants,
}

fn allowance(support: Support<'_>) -> Allowance<'_> {
    match support {
        Support::Statement(statement) => Allowance { resource: Some(statement), ..Allowance::default() },
        Support::Grant(id) => Allowance { grant: Some(id), ..Allowance::default() },
    }
}
