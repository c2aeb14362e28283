//! The decisions of `corpus/decisions/`. Its README says how to read a case.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests"
)]

mod access;
mod caller;
mod case;
mod context;
mod corpus;
mod cost;
mod properties;
mod reasons;
mod robustness;
mod simulation;
mod typical;

use policy::{Policy, PolicyKind, decide, explain};
use serde::Deserialize;
use serde_json::{Value, json};

use case::{Case, Outcome};
use corpus::{Theme, themes};

#[test]
fn every_case_is_decided_as_its_source_says() {
    let mut count = 0;
    for theme in themes() {
        for case in theme.decisions() {
            check(&theme, &case);
            count += 1;
        }
    }
    assert!(count >= 400, "only {count} cases");
}

/// Each condition of the corpus, once in a statement that allows, once in one that denies.
#[test]
fn every_condition_holds_when_its_source_says_so() {
    let mut count = 0;
    for theme in themes() {
        for (case, condition, holds) in theme.conditions() {
            let statement = |effect| json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition});
            let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
            let allowing = json!([statement("Allow")]);
            let denying = json!([everything, statement("Deny")]);
            let (allow, deny) = (holds == json!(true), holds != json!(false));
            let expected = if allow { "allow" } else { "implicit resource" };
            check(&theme, &case.with_key_policy(allowing, expected));
            let expected = if deny { "explicit resource" } else { "allow" };
            check(&theme, &case.with_key_policy(denying, expected));
            count += 1;
        }
    }
    assert!(count >= 150, "only {count} conditions");
}

fn check(theme: &Theme, case: &Case) {
    let name = format!("{}: {}", theme.file, case.name);
    let built = case.build(theme).unwrap_or_else(|error| panic!("{name}: {error}"));
    let told = built.request(|request, identity, resource| {
        let decision = decide(request, identity, resource);
        let explanation = explain(request, identity, resource);
        assert_eq!(Outcome::of(&decision), Outcome::of(&explanation.decision), "{name}: explained otherwise");
        reasons::check(&name, request, &explanation);
        let outcome = Outcome::of(&decision);
        assert_eq!(outcome.text, case.expect, "{name}\n{explanation:#?}");
        if let Some(by) = &case.by {
            assert_eq!(outcome.by.as_ref(), Some(by), "{name}: another statement decided");
        }
        if let (Some(message), policy::Decision::Deny(denial)) = (&case.message, &decision) {
            assert_eq!(&denial.message(), message, "{name}");
        }
        outcome.text
    });
    let turned = case.turned_round();
    let turned = turned.build(theme).unwrap();
    let other =
        turned.request(|request, identity, resource| Outcome::of(&decide(request, identity, resource)).text);
    assert_eq!(told, other, "{name}: decided otherwise in another order");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    kind: String,
    /// The document, or its text if it is no JSON.
    document: Value,
    /// The text for the client; none if the document is a policy.
    error: Option<String>,
}

#[test]
fn documents_are_refused_with_the_text_of_their_fault() {
    let documents: Vec<Document> = testkit::read_corpus("decisions/documents.json").unwrap();
    assert!(documents.len() >= 60);
    for Document { name, kind, document, error } in documents {
        let text = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
        let kind = match kind.as_str() {
            "identity" => PolicyKind::Identity,
            "key" => PolicyKind::Key,
            "trust" => PolicyKind::Trust,
            "service control" => PolicyKind::ServiceControl,
            "resource control" => PolicyKind::ResourceControl,
            other => panic!("{name}: no kind {other}"),
        };
        let refused = Policy::parse(&text, kind).err().map(|error| error.to_string());
        assert_eq!(refused, error, "{name}");
    }
}
