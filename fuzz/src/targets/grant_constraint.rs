//! CreateGrant's terms: a constraint takes away from a grant and never adds to it.
//!
//! The body of a CreateGrant call and the encryption context that it is held against, as JSON, a line each.

use std::collections::BTreeMap;

use policy::{
    ContextConstraint, Grant, IdentitySide, KmsActions, Policy, PolicyKind, PrincipalEntry, ResourceSide,
};
use wire::kms::CreateGrantRequest;

use crate::Target;
use crate::scene::{Said, Sides, outcomes};

pub(crate) const TARGET: Target = Target { name: "grant_constraint", run, seeds, words: &WORDS };

const WORDS: [&str; 12] = [
    "\"KeyId\":",
    "\"GranteePrincipal\":",
    "\"RetiringPrincipal\":",
    "\"Operations\":",
    "\"Decrypt\"",
    "\"CreateGrant\"",
    "\"Constraints\":",
    "\"EncryptionContextEquals\":",
    "\"EncryptionContextSubset\":",
    "\"SourceArn\":",
    "\"GranteeServicePrincipal\":",
    "\"GrantTokens\":",
];

/// A key policy that gives nobody anything.
const SILENT: &str =
    r#"{"Statement":{"Effect":"Deny","Principal":{"AWS":"999999999999"},"Action":"kms:*","Resource":"*"}}"#;

fn run(input: &[u8]) {
    let (body, context) = match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &b"{}"[..]),
    };
    let Ok(request) = wire::json::decode::<CreateGrantRequest>(body) else { return };
    let pairs: BTreeMap<String, String> = serde_json::from_slice(context).unwrap_or_default();
    let Some(grantee) = request.grantee_principal.as_deref().and_then(PrincipalEntry::parse) else { return };
    let operations = KmsActions::of(request.operations.iter().map(|operation| operation.as_str()));
    let plain = Grant { id: "g".into(), grantee, operations, context: None, source_arn: None };
    let constraints = request.constraints.unwrap_or_default();
    let (equals, subset) = (constraints.encryption_context_equals, constraints.encryption_context_subset);
    let all = equals
        .into_iter()
        .map(ContextConstraint::Equals)
        .chain(subset.into_iter().map(ContextConstraint::Subset));
    for constraint in all {
        check(&plain, &constraint, &pairs);
    }
}

fn check(plain: &Grant, constraint: &ContextConstraint, pairs: &BTreeMap<String, String>) {
    let wanted = match constraint {
        ContextConstraint::Equals(wanted) | ContextConstraint::Subset(wanted) => wanted,
    };
    assert!(constraint.holds(Some(wanted)), "a context does not satisfy the constraint that is made of it");
    let contains = wanted.iter().all(|(key, value)| pairs.get(key) == Some(value));
    let expected =
        contains && (matches!(constraint, ContextConstraint::Subset(_)) || wanted.len() == pairs.len());
    assert_eq!(constraint.holds(Some(pairs)), expected);
    let bound = Grant { context: Some(constraint.clone()), ..plain.clone() };
    for (bound, plain) in allowed(&bound, pairs).into_iter().zip(allowed(plain, pairs)) {
        assert!(plain || !bound, "a constraint gives something");
    }
}

fn allowed(grant: &Grant, pairs: &BTreeMap<String, String>) -> Vec<bool> {
    let policy = Policy::parse(SILENT, PolicyKind::Key).unwrap();
    let mut resource = ResourceSide::guarded_by(&policy);
    resource.grants = std::slice::from_ref(grant);
    let said = Said { values: Vec::new(), pairs: pairs.clone() };
    outcomes(false, &said, &Sides { identity: IdentitySide::default(), resource })
}

fn seeds() -> Vec<Vec<u8>> {
    let grantees = [
        "arn:aws:iam::111122223333:user/ops/alice",
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:sts::111122223333:assumed-role/app/deploy",
        "444455556666",
    ];
    let bodies = grantees.iter().flat_map(|grantee| {
        [
            r#"{"EncryptionContextEquals":{"a":"1"}}"#,
            r#"{"EncryptionContextSubset":{"a":"1",
        "b":"2"}}"#,
        ]
        .map(|constraints| {
            format!(
                r#"{{"KeyId":"1234abcd-12ab-34cd-56ef-1234567890ab","GranteePrincipal":"{grantee}",
        "Operations":["Decrypt","DescribeKey"],"Constraints":{constraints}}}"#
            )
        })
    });
    let contexts = ["{}", r#"{"a":"1"}"#, r#"{"a":"1","b":"2"}"#, r#"{"A":"1"}"#];
    bodies.flat_map(|body| contexts.map(|context| format!("{body}\n{context}").into_bytes())).collect()
}
