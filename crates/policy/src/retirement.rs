//! Who may retire a grant: the grant itself says so, and policies can only forbid it or pass it on.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html>

use base::AccountId;

use crate::caller::CallerKind;
use crate::decide::{Allowance, Conclusion, Decision};
use crate::denial::{Denial, DenialReason};
use crate::evidence::{Evidence, Layer};
use crate::facts::{Facts, View};
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

/// Decides `kms:RetireGrant` for a request whose resource is the key of the grant; of `resource` its place in an organisation
/// counts alone.
///
/// The retiring principal may retire the grant, the grantee if the grant says so, and the root user of the issuing
/// account or of an account that the grant names. Other callers of these accounts, and of the account that owns the key,
/// need an identity policy that allows it. Key policies and resource control policies have no say.
pub fn decide_retirement<'a>(
    request: &'a Request<'a>,
    identity: &'a IdentitySide<'a>,
    resource: &'a ResourceSide<'a>,
    retirement: &Retirement<'a>,
) -> Decision<'a> {
    let evidence =
        Evidence { facts: Facts { request, identity, resource, view: View::Request }, by_index: true };
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::{Caller, Principal, Timestamp};

    use super::*;
    use crate::{
        Action, AttachedPolicy, CallerFacts, NoContext, Origin, Policy, PolicyKind, PolicySource, Resource,
    };

    const OWNER: &str = "111122223333";
    const ISSUER: &str = "444455556666";
    const OTHER: &str = "777788889999";

    fn user(account: &str, name: &str) -> CallerFacts {
        let principal = match name {
            "root" => Principal::Root,
            name => Principal::User { path_and_name: name.into(), unique_id: format!("AIDA{name}") },
        };
        let account = account.parse().unwrap();
        CallerFacts::of(Arc::new(Caller { account, principal, access_key_id: String::new(), session: None }))
    }

    fn policy(effect: &str) -> Vec<AttachedPolicy> {
        let text =
            format!(r#"{{"Statement":{{"Effect":"{effect}","Action":"kms:RetireGrant","Resource":"*"}}}}"#);
        let policy = Arc::new(Policy::parse(&text, PolicyKind::Identity).unwrap());
        vec![AttachedPolicy { policy, source: PolicySource::User { name: "p".to_owned() } }]
    }

    /// Whether `caller` may retire a grant made in [`ISSUER`] on a key of [`OWNER`].
    fn may(
        caller: &CallerFacts,
        policies: &[AttachedPolicy],
        retiring: Option<&str>,
        grantee: Option<&str>,
    ) -> bool {
        let origin = Origin {
            time: Timestamp::from_seconds(0),
            region: "eu-central-1".parse().unwrap(),
            source_address: None,
            is_secure: true,
            user_agent: "",
            referer: None,
            endpoint: None,
            service: None,
        };
        let resource = Resource::named("arn:aws:kms:eu-central-1:111122223333:key/x", OWNER.parse().unwrap());
        let action = Action::new("kms", "RetireGrant");
        let request = Request { action, resource, caller, origin, context: &NoContext };
        let identity = IdentitySide { policies, ..IdentitySide::default() };
        let entry = |text: Option<&str>| text.map(|text| PrincipalEntry::parse(text).unwrap());
        let (retiring, grantee) = (entry(retiring), entry(grantee));
        let issuer = ISSUER.parse().unwrap();
        let retirement =
            Retirement { grant: "g", issuer, retiring: retiring.as_ref(), grantee: grantee.as_ref() };
        decide_retirement(&request, &identity, &ResourceSide::without_policy(), &retirement).is_allowed()
    }

    #[test]
    fn whom_the_grant_names_may_retire_it_unless_denied() {
        let alice = "arn:aws:iam::777788889999:user/alice";
        for (caller, retiring, grantee, expected) in [
            (user(OTHER, "alice"), Some(alice), None, true),
            (user(OTHER, "alice"), None, Some(alice), true),
            (user(OTHER, "alice"), None, None, false),
            (user(OTHER, "bob"), Some(alice), Some(alice), false),
            (CallerFacts::anonymous(), Some("*"), None, false),
        ] {
            assert_eq!(may(&caller, &[], retiring, grantee), expected, "{caller:?}");
            assert!(!may(&caller, &policy("Deny"), retiring, grantee), "{caller:?}");
        }
    }

    #[test]
    fn accounts_that_are_concerned_delegate() {
        let other_root = "arn:aws:iam::777788889999:root";
        for (account, retiring, expected) in
            [(OWNER, None, true), (ISSUER, None, true), (OTHER, None, false), (OTHER, Some(other_root), true)]
        {
            let caller = user(account, "clerk");
            assert!(!may(&caller, &[], retiring, None), "{account} without a policy");
            assert_eq!(may(&caller, &policy("Allow"), retiring, None), expected, "{account}");
            assert!(!may(&caller, &policy("Deny"), retiring, None), "{account} denied");
            assert_eq!(may(&user(account, "root"), &[], retiring, None), expected, "root of {account}");
        }
    }
}
