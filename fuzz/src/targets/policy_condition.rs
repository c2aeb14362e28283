//! One condition, with any operator, key and values on either side.
//!
//! Four lines: operator, key, the policy's values and the request's values, each apart by tabs.

use policy::{IdentitySide, Policy, PolicyKind, ResourceSide};
use serde_json::{Value, json};

use crate::scene::{Said, Sides, about_everything, outcomes};
use crate::{Target, corpus};

pub(crate) const TARGET: Target =
    Target { name: "policy_condition", run, seeds, words: &super::policy_words::ALL };

/// Operators of which at most one holds for one value.
const OPPOSITES: [(&str, &str); 13] = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("NumericLessThan", "NumericGreaterThanEquals"),
    ("NumericLessThanEquals", "NumericGreaterThan"),
    ("DateEquals", "DateNotEquals"),
    ("DateLessThan", "DateGreaterThanEquals"),
    ("DateLessThanEquals", "DateGreaterThan"),
    ("IpAddress", "NotIpAddress"),
    ("ArnEquals", "ArnNotEquals"),
    ("ArnLike", "ArnNotLike"),
    ("NumericLessThan", "NumericGreaterThan"),
];

struct Condition<'i> {
    operator: &'i str,
    key: &'i str,
    wanted: Vec<&'i str>,
    said: Said,
}

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.splitn(4, '\n');
    let [Some(operator), Some(key), Some(wanted), Some(given)] = [(); 4].map(|()| lines.next()) else {
        return;
    };
    let values: Vec<String> = given.split('\t').map(str::to_owned).collect();
    let pair = ("a".to_owned(), values[0].clone());
    let said = Said { values, pairs: [pair].into() };
    let condition = Condition { operator, key, wanted: wanted.split('\t').collect(), said };
    for version in ["2012-10-17", "2008-10-17"] {
        condition.check(version);
    }
}

impl Condition<'_> {
    fn check(&self, version: &str) {
        let Some(allowing) = self.holds(self.operator, version, "Allow") else { return };
        let denying = self.holds(self.operator, version, "Deny").expect("a condition fits either effect");
        for (allows, denies) in allowing.iter().zip(&denying) {
            assert!(!allows || *denies, "a condition that allows does not deny");
        }
        if self.wanted.len() > 1 || self.said.values.len() > 1 {
            return;
        }
        let opposites = OPPOSITES.iter().filter(|(one, _)| *one == self.operator);
        for (_, opposite) in opposites {
            let other = self.holds(opposite, version, "Allow").expect("opposites take the same values");
            let both = allowing.iter().zip(&other).any(|(one, other)| *one && *other);
            assert!(!both, "{} and {opposite} hold together", self.operator);
        }
    }

    /// Whether the condition holds, for each request; `None` if it is none.
    fn holds(&self, operator: &str, version: &str, effect: &str) -> Option<Vec<bool>> {
        let mut statement = about_everything(PolicyKind::Key, effect);
        statement["Condition"] = json!({operator: {self.key: self.wanted}});
        let mut statements = vec![statement];
        if effect == "Deny" {
            statements.push(about_everything(PolicyKind::Key, "Allow"));
        }
        let document = json!({"Version": version, "Statement": statements}).to_string();
        let policy = Policy::parse(&document, PolicyKind::Key).ok()?;
        let sides = Sides { identity: IdentitySide::default(), resource: ResourceSide::guarded_by(&policy) };
        let allowed = outcomes(false, &self.said, &sides);
        // Others' accounts have no say of their own here, and the root user does what nothing forbids.
        let own = allowed.into_iter().take(6);
        Some(own.map(|is_allowed| is_allowed != (effect == "Deny")).collect())
    }
}

/// The conditions of the decision corpus, with values that begin like theirs.
fn seeds() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for file in corpus::files("decisions", "json") {
        let theme: Value = serde_json::from_slice(&file).unwrap();
        for case in theme.get("cases").and_then(Value::as_array).into_iter().flatten() {
            collect(case.get("condition"), &mut found);
        }
    }
    found.extend(
        ["*?a*", "*a*b*c*d", "????", "a**b", "${a}", "${aws:PrincipalTag/team}"]
            .map(|pattern| format!("StringLike\nkms:EncryptionContext:a\n{pattern}\n{}", "a".repeat(64))),
    );
    found.sort();
    found.dedup();
    found.into_iter().map(String::into_bytes).collect()
}

fn collect(condition: Option<&Value>, found: &mut Vec<String>) {
    for (operator, keys) in condition.and_then(Value::as_object).into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let wanted: Vec<String> = match wanted.as_array() {
                Some(list) => list.iter().map(told).collect(),
                None => vec![told(wanted)],
            };
            let first = wanted.first().cloned().unwrap_or_default();
            found.push(format!("{operator}\n{key}\n{}\n{first}", wanted.join("\t")));
            found.push(format!("{operator}\nx:y\n{}\n{first}", wanted.join("\t")));
        }
    }
}

fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
