//! Who may retire a grant: the grant itself says so, and policies can only forbid it or pass it on.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html>

use base::AccountId;

use crate::caller::CallerKind;
use crate::decide::{Allowance, Conclusion, Decision};
use crate::denial::{Denial, DenialReason};
use crate::evidence::{Evidence, Layer};
use crate::facts::Facts;
use crate::principal::{MatchKind, PrincipalEntry};
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};

/// What a grant says about its end.
#[derive(Clone, Copy, Debug)]
pub struct Retirement<'a> {
    /// The grant's id, for reasons.
    pub grant: &'a str,
    /// The account in which the grant was made.
    pub issuer: AccountId,
    /// The retiring principal, if there is one.
    pub retiring: Option<&'a PrincipalEntry>,
    /// The grantee, if RetireGrant is among the grant's operations.
    pub grantee: Option<&'a PrincipalEntry>,
}

/// Layers whose denies count: not those of the account that owns the key.
const LAYERS: [Layer; 4] = [Layer::ServiceControl, Layer::Identity, Layer::Boundary, Layer::Session];

/// Decides `kms:RetireGrant` for a request whose resource is the key of the grant.
///
/// The retiring principal may retire the grant, the grantee if the grant says so, and the root user of the issuing
/// account or of an account that the grant names. Other callers of these accounts, and of the account that owns the key,
/// need an identity policy that allows it. Key policies and resource control policies have no say.
pub fn decide_retirement<'a>(
    request: &'a Request<'a>,
    identity: &'a IdentitySide<'a>,
    retirement: &Retirement<'a>,
) -> Decision<'a> {
    let none = const { &ResourceSide::without_policy() };
    let evidence = Evidence { facts: Facts { request, identity, resource: none }, by_index: true };
    match conclude(evidence, retirement) {
        Ok(allowance) => Decision::Allow(allowance),
        Err(reason) => Decision::Deny(Denial::new(request, reason)),
    }
}

fn conclude<'a>(
    evidence: Evidence<'a>,
    retirement: &Retirement<'a>,
) -> Result<Allowance<'a>, DenialReason<'a>> {
    if let Some(statement) = LAYERS.into_iter().find_map(|layer| evidence.explicit_deny(layer)) {
        return Err(DenialReason::Explicit(statement));
    }
    if !evidence.every_level_allows(Layer::ServiceControl) {
        return Err(DenialReason::Implicit(Layer::ServiceControl));
    }
    let request = evidence.facts.request;
    let named = [retirement.retiring, retirement.grantee].into_iter().flatten();
    let kind = named.filter_map(|entry| entry.matches(request.caller)).max();
    let own = request.caller.account();
    let is_concerned = own == Some(retirement.issuer) || own == Some(request.resource.owner);
    let by_grant = Allowance { grant: Some(retirement.grant), ..Allowance::default() };
    match kind {
        Some(MatchKind::Direct | MatchKind::SessionParent)
            if request.caller.kind() != CallerKind::Anonymous =>
        {
            Ok(by_grant)
        }
        Some(MatchKind::Account) => Conclusion { evidence }.identity_path(by_grant),
        _ if is_concerned => Conclusion { evidence }.identity_path(by_grant),
        _ => Err(DenialReason::OutOfReach),
    }
}
