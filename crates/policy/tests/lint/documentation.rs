//! The table of `docs/policy-lint.md` says what the code says.

use policy::PolicyKind;
use policy::lint::{Rule, rules};

#[test]
fn the_documentation_lists_every_rule_as_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy-lint.md");
    let page = std::fs::read_to_string(path).unwrap();
    let expected: Vec<String> = rules().map(row).collect();
    let (_, table) = page.split_once("## The rules").unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows, expected, "the table should be:\n{}", expected.join("\n"));
}

fn row(rule: &Rule) -> String {
    let Rule { name, severity, finds, .. } = rule;
    format!("| `{name}` | {severity} | {} | {finds} |", kinds(rule.kinds))
}

fn kinds(kinds: &[PolicyKind]) -> String {
    let name = |kind: &PolicyKind| match kind {
        PolicyKind::Key => "key",
        PolicyKind::Bucket => "bucket",
        PolicyKind::Identity => "identity",
        PolicyKind::Trust => "trust",
        PolicyKind::ServiceControl => "service-control",
        PolicyKind::ResourceControl => "resource-control",
    };
    if kinds.len() == 5 { "all".to_owned() } else { kinds.iter().map(name).collect::<Vec<_>>().join(", ") }
}
