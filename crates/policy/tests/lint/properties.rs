//! What must hold of every document.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use policy::lint::{Circumstances, Finding, guess_kind, lint};
use policy::{Policy, PolicyKind, statement_positions};

use crate::corpus::cases;
use crate::words::{KEY, document, statement};

const KINDS: [PolicyKind; 5] = [
    PolicyKind::Identity,
    PolicyKind::Key,
    PolicyKind::Trust,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

fn circumstances() -> impl Strategy<Value = Circumstances> {
    (any::<bool>(), any::<bool>()).prop_map(|(has_account, has_key)| Circumstances {
        account: has_account.then(|| "111122223333".parse().unwrap()),
        key: has_key.then(|| KEY.parse().unwrap()),
    })
}

/// What a finding says of its statement, without places.
type Told = (&'static str, Option<Value>);

fn told(findings: &[Finding], statements: &[Value]) -> Vec<Told> {
    let of = |finding: &Finding| {
        let statement = finding.statement.map(|index| with_lists(&statements[index]));
        (finding.rule.name, statement)
    };
    let mut told: Vec<Told> = findings.iter().map(of).collect();
    told.sort_by_key(|(name, statement)| (*name, statement.as_ref().map(Value::to_string)));
    told
}

/// A statement in which single texts are lists, which makes no difference.
fn with_lists(statement: &Value) -> Value {
    let list = |(name, value): (&String, &Value)| {
        let is_single = value.is_string() && name != "Effect";
        (name.clone(), if is_single { json!([value]) } else { value.clone() })
    };
    statement.as_object().unwrap().iter().map(list).collect()
}

/// Text with words of policies in places where none may be.
fn odd_text() -> impl Strategy<Value = String> {
    let word = select(vec![
        "*",
        "${",
        "${aws:username}",
        "arn:",
        "arn:aws:kms:::",
        ":::::",
        "kms:",
        "kms:*",
        "sts:*",
        "é😀",
        "",
        "true",
        "2030-01-01",
        "10.0.0.0/8",
        "1e9",
        "AIDAXXXXXXXXXXXX",
        "111122223333",
        "aws:TagKeys",
        "kms:ViaService",
        "Null",
        "ForAllValues:StringLike",
        "ArnLike",
        "BinaryEquals",
        "NumericLessThanEqualsIfExists",
    ]);
    prop_oneof![4 => word.prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

fn odd_statement() -> impl Strategy<Value = Value> {
    let texts = || prop::collection::vec(odd_text(), 0..4);
    let block = prop::collection::btree_map(odd_text(), texts(), 0..3);
    let condition = prop::collection::btree_map(odd_text(), block, 0..3);
    let flags = prop::array::uniform4(any::<bool>());
    (texts(), texts(), texts(), condition, flags).prop_map(
        |(principals, actions, resources, condition, [denies, not_action, not_resource, with_principal])| {
            let name =
                |is_negated, name: &str| if is_negated { format!("Not{name}") } else { name.to_owned() };
            let mut statement = json!({
                "Effect": if denies { "Deny" } else { "Allow" }, name(not_action, "Action"): actions,
                name(not_resource, "Resource"): resources, "Condition": condition,
            });
            if with_principal {
                statement["Principal"] =
                    if principals.is_empty() { json!("*") } else { json!({"AWS": principals}) };
            }
            statement
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        guess_kind(&text);
        for kind in KINDS {
            prop_assert_eq!(lint(&text, kind, &Circumstances::default()).is_ok(), Policy::parse(&text, kind).is_ok());
        }
    }

    #[test]
    fn no_policy_panics(
        statements in prop::collection::vec(prop_oneof![odd_statement(), statement()], 1..5), old: bool,
        circumstances in circumstances(),
    ) {
        let version = if old { "2008-10-17" } else { "2012-10-17" };
        let text = json!({"Version": version, "Statement": statements}).to_string();
        for kind in KINDS {
            if let Ok(findings) = lint(&text, kind, &circumstances) {
                let positions = statement_positions(&text).unwrap();
                for finding in findings {
                    let within = |index: usize| {
                        (positions[index].start..positions[index].end).contains(&finding.position)
                    };
                    prop_assert!(finding.statement.is_none_or(within), "{:?}", finding);
                    prop_assert!(finding.rule.kinds.contains(&kind), "{:?}", finding);
                }
            }
        }
    }

    #[test]
    fn the_order_of_statements_makes_no_difference(
        statements in prop::collection::vec(statement(), 1..6), circumstances in circumstances(),
        seed in any::<prop::sample::Index>(), is_key: bool,
    ) {
        let mut turned = statements.clone();
        turned.reverse();
        turned.rotate_left(seed.index(statements.len()));
        let kind = if is_key { PolicyKind::Key } else { PolicyKind::Identity };
        let look = |statements: &[Value]| {
            let statements: Vec<Value> = statements.iter().map(|one| without_principal(one, is_key)).collect();
            let found = lint(&document(&statements), kind, &circumstances);
            found.map(|findings| told(&findings, &statements))
        };
        prop_assert_eq!(look(&statements), look(&turned));
    }
}

fn without_principal(statement: &Value, is_key: bool) -> Value {
    let mut statement = statement.clone();
    if !is_key && let Some(members) = statement.as_object_mut() {
        members.remove("Principal");
        members.remove("NotPrincipal");
    }
    statement
}

/// Each case of the corpus with its statements in the opposite order.
#[test]
fn cases_are_judged_alike_in_the_opposite_order() {
    for case in cases() {
        let Value::Array(statements) = &case.policy else { continue };
        let look = |statements: &[Value]| {
            let findings = lint(&document(statements), case.kind(), &case.circumstances()).unwrap();
            let without_sid = |statement: &Value| {
                let mut statement = statement.clone();
                statement.as_object_mut().unwrap().remove("Sid");
                statement
            };
            told(&findings, &statements.iter().map(without_sid).collect::<Vec<_>>())
        };
        let turned: Vec<Value> = statements.iter().rev().cloned().collect();
        assert_eq!(look(statements), look(&turned), "{}", case.name);
    }
}

#[test]
fn kinds_are_guessed_from_principals_and_actions() {
    for (text, expected) in [
        (r#"{"Statement":{"Principal":"*","Action":"kms:*"}}"#, Some(PolicyKind::Key)),
        (
            r#"{"Statement":[{"Action":"a:b"},{"NotPrincipal":{"AWS":"x"},"Action":["sts:x","kms:*"]}]}"#,
            Some(PolicyKind::Key),
        ),
        (r#"{"Statement":{"Principal":"*"}}"#, Some(PolicyKind::Key)),
        (
            r#"{"Statement":{"Principal":"*","Action":["sts:AssumeRole","STS:TagSession"]}}"#,
            Some(PolicyKind::Trust),
        ),
        (r#"{"Statement":{"Action":"sts:AssumeRole"}}"#, Some(PolicyKind::Identity)),
        (r#"{"Statement":[]}"#, None),
        ("[]", None),
        ("", None),
    ] {
        assert_eq!(guess_kind(text), expected, "{text}");
    }
    for case in
        cases().into_iter().filter(|case| matches!(case.kind(), PolicyKind::Trust | PolicyKind::Identity))
    {
        assert_eq!(guess_kind(&case.text()), Some(case.kind()), "{}", case.name);
    }
}

/// The largest document that is parsed, full of what is compared with everything else.
#[test]
fn large_documents_take_no_long_time() {
    let statement =
        |number: usize| json!({"Effect": "Allow", "Action": format!("s3:a{number}"), "Resource": "*"});
    let many = document(&(0..1_500).map(statement).collect::<Vec<_>>());
    assert!(
        many.len() < Policy::BYTES_MAX
            && lint(&many, PolicyKind::Identity, &Circumstances::default()).is_ok()
    );
    let conditions: Value =
        (0..9_000).map(|number| (format!("a:{number}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let wide =
        json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": conditions}});
    assert!(lint(&document(&[wide]), PolicyKind::Identity, &Circumstances::default()).is_ok());
    let values = |from: usize| (from..from + 5_000).map(|number| number.to_string()).collect::<Vec<_>>();
    let contrary = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:username": values(0)}, "StringNotEquals": {"aws:username": values(0)}}});
    let found = lint(&document(&[contrary]), PolicyKind::Identity, &Circumstances::default()).unwrap();
    assert!(found.iter().any(|finding| finding.rule.name == "condition-never-holds"));
}
