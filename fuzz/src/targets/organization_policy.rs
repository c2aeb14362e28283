//! Policies of an organisation: they take away and never give.

use policy::{IdentitySide, Policy, PolicyKind, ResourceSide, full_aws_access};

use crate::scene::{Said, Sides, attached, open, outcomes};
use crate::{Target, corpus};

pub(crate) const TARGET: Target =
    Target { name: "organization_policy", run, seeds: corpus::policies, words: &super::policy_words::ALL };

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for kind in [PolicyKind::ServiceControl, PolicyKind::ResourceControl] {
        if let Ok(policy) = Policy::parse(text, kind) {
            check(kind, policy);
        }
    }
}

fn check(kind: PolicyKind, policy: Policy) {
    let (own, full) = (attached(policy), full_aws_access(kind).unwrap());
    let without = with_levels(kind, &[]);
    let alone = with_levels(kind, &[vec![own.clone()]]);
    let beside_full = with_levels(kind, &[vec![full.clone(), own.clone()]]);
    let below_full = with_levels(kind, &[vec![full.clone()], vec![own.clone()]]);
    let of_nothing = with_levels(kind, &[vec![own], vec![]]);
    for (at, allowed) in without.iter().enumerate() {
        assert!(*allowed || !beside_full[at], "a policy of the organisation gives something");
        assert!(beside_full[at] || !alone[at], "less is allowed where more policies allow");
        assert_eq!(alone[at], below_full[at], "a level that allows everything takes something away");
        assert!(alone[at] || !of_nothing[at], "a level without policies gives something");
    }
}

fn with_levels(kind: PolicyKind, levels: &[Vec<policy::AttachedPolicy>]) -> Vec<bool> {
    let (open_identity, open_key) = ([attached(open(PolicyKind::Identity))], open(PolicyKind::Key));
    let mut identity = IdentitySide { policies: &open_identity, ..IdentitySide::default() };
    let mut resource = ResourceSide::guarded_by(&open_key);
    if kind == PolicyKind::ServiceControl {
        identity.service_control = levels;
    } else {
        resource.resource_control = levels;
    }
    outcomes(false, &Said::default(), &Sides { identity, resource })
}
