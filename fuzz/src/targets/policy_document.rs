//! Policy documents of every kind: parsed, shown, and asked to decide.

use policy::{
    IdentitySide, Policy, PolicyKind, PrincipalEntry, ResourceSide, statement_positions, with_principals,
};
use serde_json::Value;

use crate::scene::{Said, Sides, about_everything, attached, open, outcomes};
use crate::{Target, corpus};

pub(crate) const TARGET: Target =
    Target { name: "policy_document", run, seeds: corpus::policies, words: &super::policy_words::ALL };

pub(super) const KINDS: [PolicyKind; 5] = [
    PolicyKind::Identity,
    PolicyKind::Key,
    PolicyKind::Trust,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    assert_eq!(with_principals(text, |_| None), text, "shown otherwise than stored");
    for kind in KINDS {
        match Policy::parse(text, kind) {
            Ok(policy) => check(text, kind, policy),
            Err(error) => {
                let again = Policy::parse(text, kind).map(|_| ()).expect_err("refused a moment ago");
                assert_eq!(again.to_string(), error.to_string());
            }
        }
    }
}

fn check(text: &str, kind: PolicyKind, policy: Policy) {
    let positions = statement_positions(text).expect("a policy has statements");
    for place in &positions {
        assert!(place.start <= place.end, "{place:?}");
    }
    for entry in policy.principals() {
        if matches!(entry, PrincipalEntry::Service(_) | PrincipalEntry::Federated(_)) {
            continue;
        }
        let again = PrincipalEntry::parse(&entry.to_string());
        assert_eq!(again.as_ref(), Some(entry), "a principal reads otherwise than it is told");
    }
    let before = decided(kind, policy);
    let Ok(document) = serde_json::from_str::<Value>(text) else { return };
    if has_whole_numbers_only(&document) {
        let rewritten = Policy::parse(&document.to_string(), kind).expect("the same JSON in other words");
        assert_eq!(decided(kind, rewritten), before, "white space or order decide");
    }
    let denying = with_statement(document, about_everything(kind, "Deny")).to_string();
    match Policy::parse(&denying, kind) {
        Ok(policy) => {
            assert!(!decided(kind, policy).contains(&true), "a Deny of everything leaves something")
        }
        Err(error) => assert!(denying.len() > text.len().min(Policy::BYTES_MAX / 2), "{error}"),
    }
}

/// What requests get if this policy alone stands between them and everything.
pub(super) fn decided(kind: PolicyKind, policy: Policy) -> Vec<bool> {
    let said = Said {
        values: vec!["SYMMETRIC_DEFAULT".into()],
        pairs: [("tenant".to_owned(), "alice".to_owned())].into(),
    };
    let (own, open_identity, open_key) =
        (attached(policy), [attached(open(PolicyKind::Identity))], open(PolicyKind::Key));
    let level = [vec![own.clone()]];
    let (mut identity, mut resource) = (IdentitySide::default(), ResourceSide::guarded_by(&open_key));
    identity.policies = &open_identity;
    match kind {
        PolicyKind::Identity => identity.policies = std::slice::from_ref(&own),
        PolicyKind::Key | PolicyKind::Bucket | PolicyKind::Trust => {
            resource = ResourceSide::guarded_by(&own.policy);
        }
        PolicyKind::ServiceControl => identity.service_control = &level,
        PolicyKind::ResourceControl => resource.resource_control = &level,
    }
    let all = outcomes(kind == PolicyKind::Trust, &said, &Sides { identity, resource });
    match kind {
        // What an account says of its own callers does not concern those of others.
        PolicyKind::Identity | PolicyKind::ServiceControl => all.into_iter().take(6).collect(),
        PolicyKind::Key | PolicyKind::Bucket | PolicyKind::Trust | PolicyKind::ResourceControl => all,
    }
}

/// Numbers that JSON libraries write as they read them.
fn has_whole_numbers_only(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64(),
        Value::Array(list) => list.iter().all(has_whole_numbers_only),
        Value::Object(members) => members.values().all(has_whole_numbers_only),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// The document with one statement more.
fn with_statement(mut document: Value, statement: Value) -> Value {
    let statements = &mut document["Statement"];
    if !statements.is_array() {
        *statements = vec![statements.take()].into();
    }
    statements.as_array_mut().unwrap().push(statement);
    document
}
