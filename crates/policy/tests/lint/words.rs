//! Statements made of few words, so that much matches.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321";

pub(crate) fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = select(vec![
        "*",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:sts::111122223333:assumed-role/app/deploy",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:user/alice",
        "AIDAALICEXXXXXXXXXXXX",
    ]);
    prop_oneof![
        2 => Just(json!("*")),
        6 => prop::collection::vec(aws, 1..3).prop_map(|entries| json!({"AWS": entries})),
        1 => Just(json!({"Service": "logs.amazonaws.com"})),
    ]
}

fn actions() -> impl Strategy<Value = Value> {
    let one = select(vec![
        "*",
        "kms:*",
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:Put*",
        "kms:PutKeyPolicy",
        "kms:De*",
        "kms:DescribeKey",
        "kms:Nothing",
        "kms:RetireGrant",
        "kms:ListKeys",
        "kms:CreateGrant",
        "s3:GetObject",
    ]);
    prop::collection::vec(one, 1..4).prop_map(|actions| json!(actions))
}

fn resources() -> impl Strategy<Value = Value> {
    let one = select(vec![
        "*",
        "*",
        KEY,
        OTHER_KEY,
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:kms:*:*:*",
        "arn:aws:s3:::bucket/*",
        "arn:aws:kms:eu-central-1:111122223333:alias/app",
        "arn:aws:kms:eu-central-1:111122223333:app",
    ]);
    prop::collection::vec(one, 1..3).prop_map(|resources| json!(resources))
}

/// Operators over keys; a statement has some of them.
fn condition() -> impl Strategy<Value = Value> {
    let one = select(vec![
        ("StringEquals", "kms:EncryptionContext:a", json!("1")),
        ("StringNotEquals", "kms:EncryptionContext:a", json!(["1", "2"])),
        ("Null", "kms:EncryptionContext:A", json!("true")),
        ("ForAllValues:StringLike", "aws:PrincipalOrgPaths", json!("o-*")),
        ("StringEquals", "kms:CallerAccount", json!("111122223333")),
        ("StringNotEquals", "kms:CallerAccount", json!("111122223333")),
        ("StringEqualsIfExists", "kms:CallerAccount", json!("444455556666")),
        ("StringLike", "kms:CallerAccount", json!("*")),
        ("StringEquals", "aws:username", json!(["alice", "bob"])),
        ("StringNotLike", "aws:username", json!("a*")),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:*")),
        ("ArnNotEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:user/alice")),
        ("StringEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:user/*")),
        ("StringEquals", "aws:PrincipalTag/team", json!("${aws:username}")),
        ("Bool", "aws:SecureTransport", json!("true")),
        ("Bool", "aws:SecureTransport", json!("maybe")),
        ("StringEquals", "kms:ViaService", json!("s3.eu-central-1.amazonaws.com")),
        ("StringEquals", "kms:NoSuchKey", json!("x")),
        ("IpAddress", "aws:SourceIp", json!("0.0.0.0/0")),
        ("DateGreaterThan", "aws:CurrentTime", json!("2020-01-01")),
    ]);
    prop::collection::vec(one, 0..3).prop_map(|conditions| {
        let mut block = json!({});
        for (operator, key, value) in conditions {
            block[operator][key] = value;
        }
        block
    })
}

/// A statement of a key policy; without its principal, of an identity policy.
pub(crate) fn statement() -> impl Strategy<Value = Value> {
    let flags = prop::array::uniform3(prop::bool::weighted(0.15));
    (principal(), actions(), resources(), condition(), prop::bool::weighted(0.4), flags).prop_map(
        |(principal, actions, resources, condition, denies, [not_principal, not_action, not_resource])| {
            let name =
                |is_negated, name: &str| if is_negated { format!("Not{name}") } else { name.to_owned() };
            json!({
                "Effect": if denies { "Deny" } else { "Allow" },
                name(not_principal && denies, "Principal"): principal,
                name(not_action, "Action"): actions,
                name(not_resource, "Resource"): resources,
                "Condition": condition,
            })
        },
    )
}
