//! The policies of `corpus/lint/` and what is found in them. Its README says how to read a case.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod corpus;
mod documentation;
mod properties;
mod soundness;
mod words;

use std::collections::BTreeSet;

use policy::lint::{Finding, Severity, lint, rules};

use corpus::{Case, Expected, cases};

fn found(case: &Case) -> Vec<Finding> {
    let text = case.text();
    lint(&text, case.kind(), &case.circumstances()).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

#[test]
fn in_every_case_is_found_what_it_says_and_no_more() {
    let mut wrong = Vec::new();
    for case in cases() {
        let told = |finding: &Finding| Expected {
            rule: finding.rule.name.to_owned(),
            statement: finding.statement.map(|index| index + 1),
        };
        let findings = found(&case);
        let mut seen: Vec<Expected> = findings.iter().map(told).collect();
        let mut expected = case.findings.clone();
        seen.sort();
        expected.sort();
        if seen != expected {
            let told: Vec<_> =
                findings.iter().map(|one| (one.rule.name, &one.statement, &one.what)).collect();
            wrong.push(format!("{}: {:?}\n  expected {expected:?}", case.name, told));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_in_the_corpus() {
    let in_corpus: BTreeSet<String> =
        cases().into_iter().flat_map(|case| case.findings).map(|finding| finding.rule).collect();
    let known: BTreeSet<String> = rules().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(known, in_corpus);
    assert_eq!(known.len(), rules().count(), "a name twice");
    let clean = cases().iter().filter(|case| case.findings.is_empty()).count();
    assert!(clean >= 100, "only {clean} cases in which nothing is found");
}

#[test]
fn findings_say_what_and_where() {
    for case in cases() {
        let text = case.text();
        let lines: Vec<&str> = text.lines().collect();
        for finding in found(&case) {
            let name = format!("{}: {finding:?}", case.name);
            assert!(finding.rule.kinds.contains(&case.kind()), "{name}");
            assert!(finding.what.ends_with('.') && !finding.what.contains("  "), "{name}");
            assert!(finding.what.chars().next().is_some_and(char::is_alphanumeric), "{name}");
            let line = lines[usize::try_from(finding.position.line).unwrap() - 1];
            let column = usize::try_from(finding.position.column).unwrap() - 1;
            let there = line.chars().nth(column);
            assert!(matches!(there, Some('{' | '"')), "{name} {there:?}");
        }
    }
}

#[test]
fn rules_are_told_in_sentences() {
    for rule in rules() {
        for sentence in [rule.finds, rule.why, rule.remedy] {
            let is_sentence = sentence.ends_with('.') && !sentence.contains(". ") && !sentence.contains("  ");
            // What a rule finds may have a remark behind it.
            assert!(
                is_sentence || (sentence == rule.finds && sentence.ends_with('.')),
                "{}: {sentence}",
                rule.name
            );
        }
        let is_kebab = rule
            .name
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(is_kebab && !rule.kinds.is_empty(), "{}", rule.name);
    }
    assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Error);
}

#[test]
fn what_is_no_policy_is_refused() {
    for (text, kind) in [
        ("", policy::PolicyKind::Identity),
        ("{}", policy::PolicyKind::Key),
        (r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, policy::PolicyKind::Key),
    ] {
        assert!(lint(text, kind, &policy::lint::Circumstances::default()).is_err(), "{text}");
    }
}

#[test]
fn the_policies_that_services_write_are_clean() {
    let account = "111122223333";
    let default = format!(
        r#"{{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions",
        "Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
    );
    let circumstances = policy::lint::Circumstances { account: account.parse().ok(), ..Default::default() };
    assert_eq!(lint(&default, policy::PolicyKind::Key, &circumstances), Ok(Vec::new()));
}
