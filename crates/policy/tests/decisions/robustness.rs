//! Whatever is handed over as a policy: it is refused or it decides, and never more.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use policy::{Policy, PolicyKind, decide};

use crate::case::{Case, Outcome};
use crate::corpus::Theme;

const KINDS: [PolicyKind; 5] = [
    PolicyKind::Identity,
    PolicyKind::Key,
    PolicyKind::Trust,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

/// Names and texts that mean something somewhere, and some that do not.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(vec![
            "Version", "2012-10-17", "2008-10-17", "Statement", "Id", "Sid", "Effect", "Allow", "Deny", "Principal",
            "NotPrincipal", "AWS", "Service", "Federated", "Action", "NotAction", "kms:*", "*", "Resource", "NotResource",
            "Condition", "StringLike", "ForAllValues:StringEquals", "NumericLessThan", "DateEquals", "Bool", "Null",
            "IpAddress", "ArnLike", "BinaryEquals", "aws:username", "kms:EncryptionContextKeys", "aws:CurrentTime",
            "aws:PrincipalTag/a", "true", "10", "2026-01-01T00:00:00Z", "10.0.0.0/8", "111122223333",
            "arn:aws:iam::111122223333:root", "arn:aws:kms:*:*:key/${aws:username}", "${aws:PrincipalTag/a, 'b'}", "${",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => word().prop_map(Value::String),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            2 => prop::collection::vec((word(), inner), 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A statement of the right shape whose values are anything.
fn odd_policy() -> impl Strategy<Value = Value> {
    let list = |value: Value| if value.is_array() { value } else { json!([value]) };
    let texts = || prop::collection::vec(word(), 0..4);
    let block = prop::collection::vec((word(), texts()), 0..3)
        .prop_map(|keys| keys.into_iter().map(|(key, values)| (key, json!(values))).collect::<Value>());
    let condition = prop::collection::vec((word(), block), 0..3)
        .prop_map(|operators| operators.into_iter().collect::<Value>());
    (texts(), texts(), condition, json_value(), any::<bool>()).prop_map(
        move |(actions, resources, condition, other, is_new)| {
            let statement = json!({
                "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": actions, "Resource": resources,
                "Condition": condition,
            });
            let version = if is_new { "2012-10-17" } else { "2008-10-17" };
            let extra = if other.is_object() { list(other) } else { json!([]) };
            let statements: Vec<Value> =
                std::iter::once(statement).chain(extra.as_array().into_iter().flatten().cloned()).collect();
            json!({"Version": version, "Statement": statements})
        },
    )
}

fn try_out(text: &str) {
    for kind in KINDS {
        let _ = Policy::parse(text, kind).map(|policy| policy.principals().count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        try_out(&text);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        try_out(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_json_panics(value in json_value()) {
        try_out(&value.to_string());
    }

    #[test]
    fn a_policy_cut_anywhere_is_refused(value in odd_policy(), end: prop::sample::Index) {
        let text = value.to_string();
        let end = end.index(text.len());
        if text.is_char_boundary(end) {
            try_out(&text[..end]);
            prop_assert!(Policy::parse(&text[..end], PolicyKind::Key).is_err());
        }
    }

    /// A policy that parses decides about every request without a panic.
    #[test]
    fn what_parses_decides(
        policy in odd_policy(), value in "\\PC{0,20}", caller in select(vec![
            "arn:aws:iam::111122223333:user/a*b", "arn:aws:sts::111122223333:assumed-role/app/s", "anonymous", "x.y",
        ]),
    ) {
        if Policy::parse(&policy.to_string(), PolicyKind::Key).is_ok() {
            let case: Case = serde_json::from_value(json!({
                "name": "odd", "caller": caller, "action": "kms:Decrypt", "key_policy": policy, "expect": "",
                "resource": "arn:aws:kms:eu-central-1:111122223333:key/1", "tags": {"a": value},
                "context": {"encryption_context": {&value: &value}, "true": value},
            })).unwrap();
            let theme = Theme::default();
            let built = case.build(&theme).unwrap();
            built.request(|request, identity, resource| decide(request, identity, resource).is_allowed());
        }
    }
}

#[test]
fn large_and_deep_documents_are_refused_or_read() {
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;
    let many = format!(r#"{{"Statement":[{}]}}"#, vec![statement; 1_800].join(","));
    assert!(many.len() < Policy::BYTES_MAX && Policy::parse(&many, PolicyKind::Key).is_ok());
    let more = format!(r#"{{"Statement":[{}]}}"#, vec![statement; 2_000].join(","));
    assert!(Policy::parse(&more, PolicyKind::Key).unwrap_err().to_string().contains("131072"));
    for open in ["[", "{\"a\":", "{\"Statement\":["] {
        let deep = open.repeat(40_000);
        let deep = deep.get(..Policy::BYTES_MAX.min(deep.len())).unwrap();
        assert_eq!(Policy::parse(deep, PolicyKind::Key).unwrap_err().to_string(), "Syntax errors in policy.");
    }
}

/// A value of any length costs little and is never allowed for what cannot be said of it.
#[test]
fn values_that_are_too_long_are_compared_with_nothing() {
    let condition = json!({"StringLike": {"kms:EncryptionContext:a": format!("*{}*", "?a".repeat(4_000))}});
    let statement = |effect: &str, condition: Value| json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition});
    for (policy, length, expected) in [
        (json!([statement("Allow", condition.clone())]), 16_000, "allow"),
        (json!([statement("Allow", condition.clone())]), 1_000_000, "implicit resource"),
        (
            json!([statement("Allow", json!({})), statement("Deny", condition)]),
            1_000_000,
            "explicit resource",
        ),
    ] {
        let case: Case = serde_json::from_value(json!({
            "name": "long", "caller": "arn:aws:iam::111122223333:user/alice", "action": "kms:Decrypt",
            "resource": "arn:aws:kms:eu-central-1:111122223333:key/1", "key_policy": policy, "expect": "",
            "context": {"encryption_context": {"a": "a".repeat(length)}},
        }))
        .unwrap();
        let theme = Theme::default();
        let built = case.build(&theme).unwrap();
        let outcome =
            built.request(|request, identity, resource| Outcome::of(&decide(request, identity, resource)));
        assert_eq!(outcome.text, expected, "{length}");
    }
}
