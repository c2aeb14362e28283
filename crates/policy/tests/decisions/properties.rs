//! What must hold of every decision, over cases made of few words, so that much matches.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use policy::{Decision, DenialReason, Effect, MatchKind, decide, explain};

use crate::case::{Case, Outcome};
use crate::corpus::Theme;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const CALLERS: [&str; 8] = [
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:sts::111122223333:assumed-role/app/deploy",
    "arn:aws:sts::111122223333:federated-user/carol",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:user/alice",
    "arn:aws:sts::444455556666:assumed-role/app/deploy",
    "logs.amazonaws.com",
    "anonymous",
];

fn principal() -> impl Strategy<Value = Value> {
    let aws = select(vec![
        "*",
        "111122223333",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:sts::111122223333:assumed-role/app/deploy",
        "arn:aws:sts::111122223333:federated-user/carol",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:user/alice",
        "AIDAALICEXXXXXXXXXXXX",
        "AROAAPPXXXXXXXXXXXXXX",
    ]);
    prop_oneof![
        2 => Just(json!("*")),
        4 => prop::collection::vec(aws, 1..3).prop_map(|entries| json!({"AWS": entries})),
        1 => Just(json!({"Service": "logs.amazonaws.com"})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({}),
        json!({"StringEquals": {"kms:EncryptionContext:a": "1"}}),
        json!({"StringNotEquals": {"kms:EncryptionContext:A": ["1", "2"]}}),
        json!({"ForAnyValue:StringLike": {"kms:EncryptionContextKeys": "a*"}}),
        json!({"Null": {"kms:EncryptionContextKeys": "true"}}),
        json!({"StringEqualsIfExists": {"aws:username": "${aws:PrincipalTag/team}"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}),
        json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        json!({"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"kms:ValidTo": 7}}),
        json!({"StringEquals": {"kms:KeySpec": "X"}}),
    ])
}

/// A statement; `of_resource` says whether it names principals.
fn statement(of_resource: bool) -> impl Strategy<Value = Value> {
    let action = select(vec!["*", "kms:*", "kms:Decrypt", "kms:De*", "kms:Encrypt", "s3:GetObject", "s3:*"]);
    let resource = select(vec![
        "*",
        KEY,
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:s3:::${aws:username}",
        "arn:aws:kms",
    ]);
    let effect = select(vec!["Allow", "Allow", "Allow", "Deny"]);
    let names = select(vec![("Action", "Resource"), ("Action", "Resource"), ("NotAction", "NotResource")]);
    (effect, principal(), any::<bool>(), action, resource, names, condition()).prop_map(
        move |(effect, principal, by_name, action, resource, (actions, resources), condition)| {
            let mut statement = json!({"Effect": effect, "Condition": condition});
            statement[actions] = json!([action]);
            statement[resources] = json!([resource]);
            if of_resource {
                let exempting = effect == "Deny" && by_name;
                statement[if exempting { "NotPrincipal" } else { "Principal" }] = principal;
            }
            statement
        },
    )
}

fn document(of_resource: bool) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(of_resource), 1..9).prop_map(Value::Array)
}

/// Resource control policies name everybody, and what they are about.
fn ceiling() -> impl Strategy<Value = Value> {
    statement(false).prop_map(|mut statement| {
        statement["Principal"] = json!("*");
        let members = statement.as_object_mut().unwrap();
        if let Some(action) = members.remove("NotAction") {
            members.insert("Action".to_owned(), action);
        }
        json!([{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, statement])
    })
}

pub(crate) fn case() -> impl Strategy<Value = Value> {
    let documents = |most| prop::collection::vec(document(false), 0..most);
    let levels = prop::collection::vec(documents(3), 0..3);
    let ceilings = prop::collection::vec(prop::collection::vec(ceiling(), 1..2), 0..2);
    let grant = (select(CALLERS.to_vec()), select(vec!["Decrypt", "Encrypt"])).prop_filter_map(
        "a grantee has an ARN",
        |(grantee, operation)| {
            grantee.starts_with("arn").then(|| json!({"grantee": grantee, "operations": [operation]}))
        },
    );
    let sides = (
        prop::option::weighted(0.9, document(true)),
        documents(4),
        prop::option::of(document(false)),
        documents(3),
        prop_oneof![3 => Just(Vec::new()), 1 => levels],
        prop_oneof![3 => Just(Vec::new()), 1 => ceilings],
        prop::collection::vec(grant, 0..3),
    );
    let request = (
        select(CALLERS.to_vec()),
        select(vec!["kms:Decrypt", "kms:Encrypt", "s3:GetObject"]),
        select(vec![
            json!({}),
            json!({"encryption_context": {"a": "1"}}),
            json!({"encryption_context": {"a": "1", "A": "2"}, "kms:KeySpec": null}),
        ]),
        any::<bool>(),
    );
    (sides, request).prop_map(|(sides, (caller, action, context, is_secure))| {
        let (key_policy, identity, boundary, session, service_control, resource_control, grants) = sides;
        json!({
            "name": "made up", "caller": caller, "action": action, "resource": KEY, "key_policy": key_policy,
            "identity": identity, "boundary": boundary, "session": session, "service_control": service_control,
            "resource_control": resource_control, "grants": grants, "context": context, "tags": {"team": "alice"},
            "origin": {"secure": is_secure, "address": "203.0.113.7"}, "expect": "",
        })
    })
}

fn outcome(case: &Value) -> Outcome {
    let case: Case = serde_json::from_value(case.clone()).unwrap();
    let theme = Theme::default();
    let built = case.build(&theme).unwrap();
    built.request(|request, identity, resource| Outcome::of(&decide(request, identity, resource)))
}

fn is_allowed(case: &Value) -> bool {
    outcome(case).text.starts_with("allow")
}

/// Every document of a case, with whether its statements name principals.
fn documents(case: &mut Value) -> Vec<(&mut Vec<Value>, bool)> {
    let mut found = Vec::new();
    for (member, value) in case.as_object_mut().unwrap() {
        let of_resource = member == "key_policy" || member == "resource_control";
        let depth = match member.as_str() {
            "key_policy" | "boundary" => 0,
            "identity" | "session" => 1,
            "service_control" | "resource_control" => 2,
            _ => continue,
        };
        collect(value, depth, of_resource, &mut found);
    }
    found
}

fn collect<'v>(
    value: &'v mut Value,
    depth: u8,
    of_resource: bool,
    found: &mut Vec<(&'v mut Vec<Value>, bool)>,
) {
    let Value::Array(list) = value else { return };
    if depth == 0 {
        found.push((list, of_resource));
    } else {
        list.iter_mut().for_each(|inner| collect(inner, depth - 1, of_resource, found));
    }
}

/// The case with one statement more in one of its documents.
fn with_more(case: &Value, place: prop::sample::Index, statement: &Value) -> Option<Value> {
    let mut more = case.clone();
    let mut all = documents(&mut more);
    if all.is_empty() {
        return None;
    }
    let place = place.index(all.len());
    let (document, of_resource) = &mut all[place];
    let mut statement = statement.clone();
    if *of_resource {
        statement["Principal"] = json!("*");
        if let Some(action) = statement.as_object_mut().unwrap().remove("NotAction") {
            statement["Action"] = action;
        }
    }
    document.push(statement);
    Some(more)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_deny_that_matches_wins(case in case()) {
        let case: Case = serde_json::from_value(case).unwrap();
        let theme = Theme::default();
        let built = case.build(&theme).unwrap();
        built.request(|request, identity, resource| {
            let explanation = explain(request, identity, resource);
            let matching = |effect| explanation.statements.iter().any(|one| one.effect == effect && one.matches());
            let denial = match &explanation.decision {
                Decision::Deny(denial) => Some(denial.reason()),
                Decision::Allow(_) => None,
            };
            let is_explicit = matches!(denial, Some(DenialReason::Explicit(_)));
            prop_assert_eq!(matching(Effect::Deny), is_explicit);
            let granted = explanation.grants.iter().any(|one| one.matches >= Some(MatchKind::Account));
            prop_assert!(denial.is_some() || matching(Effect::Allow) || granted || request.caller.arn().ends_with(":root"));
            Ok(())
        })?;
    }

    #[test]
    fn deciding_and_explaining_agree(case in case()) {
        let case: Case = serde_json::from_value(case).unwrap();
        let theme = Theme::default();
        let built = case.build(&theme).unwrap();
        built.request(|request, identity, resource| {
            prop_assert_eq!(&decide(request, identity, resource), &explain(request, identity, resource).decision);
            Ok(())
        })?;
    }

    #[test]
    fn one_more_statement_that_allows_takes_nothing_away(
        case in case(), place: prop::sample::Index, mut statement in statement(false),
    ) {
        statement["Effect"] = json!("Allow");
        if let Some(more) = with_more(&case, place, &statement) {
            prop_assert!(!is_allowed(&case) || is_allowed(&more), "{}", more);
        }
    }

    #[test]
    fn one_more_statement_that_denies_adds_nothing(
        case in case(), place: prop::sample::Index, mut statement in statement(false),
    ) {
        statement["Effect"] = json!("Deny");
        if let Some(more) = with_more(&case, place, &statement) {
            prop_assert!(is_allowed(&case) || !is_allowed(&more), "{}", more);
        }
    }

    #[test]
    fn order_and_sids_make_no_difference(case in case()) {
        let mut named = case.clone();
        for (document, _) in documents(&mut named) {
            document.reverse();
            for (place, statement) in document.iter_mut().enumerate() {
                statement["Sid"] = json!(format!("Sid{place}"));
            }
        }
        for member in ["identity", "session", "grants"] {
            named[member].as_array_mut().unwrap().reverse();
        }
        prop_assert_eq!(outcome(&case).text, outcome(&named).text);
    }

    #[test]
    fn a_request_that_nothing_is_about_is_denied(mut case in case(), is_own: bool) {
        for (document, _) in documents(&mut case) {
            for statement in document {
                if statement["Effect"] == "Allow" {
                    statement["Effect"] = json!("Deny");
                }
                if statement.get("NotPrincipal").is_some() {
                    statement.as_object_mut().unwrap().remove("NotPrincipal");
                    statement["Principal"] = json!("*");
                }
            }
        }
        case["grants"] = json!([]);
        case["key_policy"] = json!([{"Effect": "Deny", "Principal": "*", "Action": "x:y", "Resource": "*"}]);
        if is_own {
            case["caller"] = json!("arn:aws:iam::111122223333:root");
        }
        prop_assert!(!is_allowed(&case));
    }
}
