//! Whether somebody can do something at all, of whatever request it makes.

use policy::{Access, Cause, Effect, Layer, assess, decide};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::case::Case;
use crate::corpus::{Theme, themes};
use crate::properties::case;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/k";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

/// `always`, `never <layer>`, or `sometimes` with the keys that it depends on.
fn told(access: &Access) -> String {
    match access {
        Access::Always(_) => "always".to_owned(),
        Access::Never(Cause::Explicit(statement)) => format!("never {:?}", statement.layer),
        Access::Never(Cause::Implicit(layer)) => format!("never {layer:?}"),
        Access::Never(_) => "never".to_owned(),
        Access::Sometimes { statements, grants, .. } => {
            let keys = statements.iter().flat_map(|one| &one.conditions).map(|one| one.key.as_str());
            let keys: Vec<_> = keys.chain(grants.iter().map(String::as_str)).collect();
            format!("sometimes {}", keys.join(" "))
        }
    }
}

fn access(case: Value) -> String {
    let mut whole =
        json!({"name": "one", "caller": ALICE, "action": "kms:Decrypt", "resource": KEY, "expect": ""});
    whole.as_object_mut().unwrap().extend(case.as_object().unwrap().clone());
    let case: Case = serde_json::from_value(whole).unwrap();
    let theme = Theme::default();
    case.build(&theme)
        .unwrap()
        .request(|request, identity, resource| told(&assess(request, identity, resource)))
}

fn key_policy(effect: &str, action: &str, condition: Value) -> Value {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "kms:*", "Resource": "*"});
    let other = json!({"Effect": effect, "Principal": {"AWS": ALICE}, "Action": action, "Resource": "*", "Condition": condition});
    if effect == "Allow" { json!([other]) } else { json!([root, other]) }
}

#[test]
fn conditions_on_the_request_leave_it_open_and_those_on_caller_and_key_do_not() {
    for (action, condition, allowing, denying) in [
        ("kms:Decrypt", json!({}), "always", "never Resource"),
        (
            "kms:Decrypt",
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            "sometimes aws:SecureTransport",
            "sometimes aws:SecureTransport",
        ),
        (
            "kms:Decrypt",
            json!({"StringEquals": {"kms:ViaService": "s3.x"}}),
            "sometimes kms:ViaService",
            "sometimes kms:ViaService",
        ),
        (
            "kms:Decrypt",
            json!({"StringEquals": {"kms:EncryptionContext:a": "b"}}),
            "sometimes kms:EncryptionContext:a",
            "sometimes kms:EncryptionContext:a",
        ),
        (
            "kms:Decrypt",
            json!({"Null": {"aws:MultiFactorAuthAge": "false"}}),
            "sometimes aws:MultiFactorAuthAge",
            "sometimes aws:MultiFactorAuthAge",
        ),
        ("kms:Decrypt", json!({"StringEquals": {"aws:PrincipalArn": ALICE}}), "always", "never Resource"),
        (
            "kms:Decrypt",
            json!({"StringEquals": {"aws:PrincipalArn": "somebody"}}),
            "never Resource",
            "always",
        ),
        (
            "kms:Decrypt",
            json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}),
            "always",
            "never Resource",
        ),
        (
            "kms:Decrypt",
            json!({"StringEquals": {"aws:ResourceAccount": "111122223333"}}),
            "always",
            "never Resource",
        ),
        ("kms:Decrypt", json!({"StringEquals": {"aws:PrincipalTag/team": "x"}}), "never Resource", "always"),
        // Requests for Decrypt never have it.
        ("kms:Decrypt", json!({"StringEquals": {"kms:SigningAlgorithm": "x"}}), "never Resource", "always"),
        (
            "kms:Decrypt",
            json!({"StringNotEquals": {"kms:SigningAlgorithm": "x"}}),
            "always",
            "never Resource",
        ),
        ("kms:Encrypt", json!({"Bool": {"aws:SecureTransport": "true"}}), "never Resource", "always"),
        // The value has a variable that differs from request to request.
        (
            "kms:Decrypt",
            json!({"StringEquals": {"aws:username": "${aws:UserAgent}"}}),
            "sometimes aws:username",
            "sometimes aws:username",
        ),
    ] {
        for (effect, expected) in [("Allow", allowing), ("Deny", denying)] {
            let policy = key_policy(effect, action, condition.clone());
            assert_eq!(access(json!({"key_policy": policy})), expected, "{effect} {action} {condition}");
        }
    }
}

#[test]
fn every_layer_counts() {
    let root = json!([{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}]);
    let allow = |resource: &str| json!([{"Effect": "Allow", "Action": "kms:*", "Resource": resource}]);
    let nothing = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    for (case, expected) in [
        (json!({"key_policy": root}), "never Identity"),
        (json!({"key_policy": root, "identity": [allow("*")]}), "always"),
        (json!({"key_policy": root, "identity": [allow("*")], "boundary": nothing}), "never Boundary"),
        (
            json!({"key_policy": root, "identity": [allow("*")], "service_control": [[nothing]]}),
            "never ServiceControl",
        ),
        (
            json!({"key_policy": root, "identity": [allow("arn:aws:kms:*:*:key/${aws:UserAgent}")]}),
            "sometimes ",
        ),
        (
            json!({"key_policy": root, "caller": "arn:aws:iam::444455556666:user/eve", "identity": [allow("*")]}),
            "never",
        ),
    ] {
        assert_eq!(access(case.clone()), expected, "{case}");
    }
}

#[test]
fn a_grant_with_a_constraint_leaves_it_open() {
    let nobody = key_policy("Allow", "kms:Encrypt", json!({}));
    let with = |grant: Value| access(json!({"key_policy": nobody, "grants": [grant]}));
    assert_eq!(with(json!({"grantee": ALICE, "operations": ["Decrypt"]})), "always");
    assert_eq!(
        with(json!({"grantee": ALICE, "operations": ["Decrypt"], "subset": {"a": "b"}})),
        "sometimes grant 0"
    );
    assert_eq!(
        with(json!({"grantee": ALICE, "operations": ["Decrypt"], "source_arn": "arn:x"})),
        "sometimes grant 0"
    );
    assert_eq!(with(json!({"grantee": ALICE, "operations": ["Encrypt"]})), "never Resource");
    let bob = "arn:aws:iam::111122223333:user/bob";
    assert_eq!(with(json!({"grantee": bob, "operations": ["Decrypt"]})), "never Resource");
}

/// Whoever is said to be able to do it always can in the case at hand, whoever never cannot.
fn agrees(case: &Case, theme: &Theme) -> Result<(), String> {
    case.build(theme)?.request(|request, identity, resource| {
        let access = assess(request, identity, resource);
        let decided = decide(request, identity, resource).is_allowed();
        match access {
            Access::Always(_) if !decided => Err(format!("{}: {access:?}, but it is denied", case.name)),
            Access::Never(_) if decided => Err(format!("{}: {access:?}, but it is allowed", case.name)),
            Access::Always(_) | Access::Never(_) | Access::Sometimes { .. } => Ok(()),
        }
    })
}

#[test]
fn no_case_of_the_corpus_contradicts_it() {
    let mut count = 0;
    for theme in themes() {
        for case in theme.decisions() {
            agrees(&case, &theme).unwrap();
            count += 1;
        }
    }
    assert!(count >= 400, "only {count} cases");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_request_contradicts_it(case in case()) {
        let case: Case = serde_json::from_value(case).unwrap();
        agrees(&case, &Theme::default()).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn what_is_uncertain_is_named_with_its_effect() {
    let policy = key_policy("Deny", "kms:*", json!({"Bool": {"aws:SecureTransport": "false"}}));
    let case = json!({"name": "", "caller": ALICE, "action": "kms:Decrypt", "resource": KEY, "key_policy": policy, "expect": ""});
    let case: Case = serde_json::from_value(case).unwrap();
    case.build(&Theme::default()).unwrap().request(|request, identity, resource| {
        let Access::Sometimes { by, statements, grants } = assess(request, identity, resource) else {
            panic!("it depends")
        };
        assert_eq!(by.by.iter().map(|one| one.index).collect::<Vec<_>>(), [0]);
        assert!(grants.is_empty());
        let [deny] = statements.as_slice() else { panic!("{statements:?}") };
        assert_eq!(
            (deny.effect, deny.statement.layer, deny.statement.index),
            (Effect::Deny, Layer::Resource, 1)
        );
        assert_eq!(deny.conditions[0].wanted, ["false"]);
    });
}
