//! Principals in the text of a policy, put in other words.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::principal::PrincipalEntry;

/// The text of a policy, in which another text stands for each entry under `AWS` that `now` has one for; all else is as it
/// was, byte for byte. So AWS shows the new ARN of a user who was renamed, and the unique id of one who is gone.
///
/// Only Principal and NotPrincipal are looked at. A text that is no policy comes back as it is.
pub fn with_principals(text: &str, now: impl Fn(&PrincipalEntry) -> Option<String>) -> String {
    let mut replacements = Vec::new();
    for written in written_principals(text) {
        let entry = serde_json::from_str::<String>(written.get()).ok();
        let other = entry.and_then(|entry| now(&PrincipalEntry::parse(&entry)?));
        if let (Some(other), Some(place)) = (other, place_in(text, written)) {
            replacements.push((place, serde_json::Value::String(other).to_string()));
        }
    }
    let mut translated = text.to_owned();
    replacements.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    for (place, other) in replacements {
        translated.replace_range(place, &other);
    }
    translated
}

#[derive(Deserialize)]
struct Outline<'t> {
    #[serde(borrow, rename = "Statement")]
    statements: &'t RawValue,
}

#[derive(Deserialize)]
struct StatementOutline<'t> {
    #[serde(borrow, rename = "Principal")]
    principal: Option<&'t RawValue>,
    #[serde(borrow, rename = "NotPrincipal")]
    not_principal: Option<&'t RawValue>,
}

/// Every entry under `AWS`, as it is written.
fn written_principals(text: &str) -> impl Iterator<Item = &RawValue> {
    let outline = serde_json::from_str::<Outline<'_>>(text).ok();
    let statements = outline.into_iter().flat_map(|outline| one_or_many(outline.statements));
    statements.flat_map(|statement| {
        let outline = serde_json::from_str::<StatementOutline<'_>>(statement.get()).ok();
        let elements = outline.map(|outline| [outline.principal, outline.not_principal]);
        elements.into_iter().flatten().flatten().flat_map(|element| {
            let kinds = serde_json::from_str::<BTreeMap<String, &RawValue>>(element.get());
            let entries = kinds.ok().and_then(|kinds| kinds.get("AWS").copied());
            entries.into_iter().flat_map(one_or_many)
        })
    })
}

/// The values of a list, or the one value that is none.
fn one_or_many(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_else(|_| vec![value])
}

/// Where a part of a text stands in it.
fn place_in(text: &str, part: &RawValue) -> Option<Range<usize>> {
    let start = part.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let place = start..start.checked_add(part.get().len())?;
    text.get(place.clone()).is_some().then_some(place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Policy, PolicyKind};

    const POLICY: &str = r#"{ "Statement" : [
      {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:root"],
       "Service":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:*","Resource":"*",
       "Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}}},
      {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user\/\u0061lice"},"Action":"kms:*"},
      {"Effect":"Allow","Principal":"*"} ] }"#;

    #[test]
    fn only_entries_of_principals_are_put_in_other_words() {
        let gone = |entry: &PrincipalEntry| {
            matches!(entry, PrincipalEntry::User { .. }).then(|| "AIDAALICE\"".to_owned())
        };
        let expected = POLICY
            .replacen("\"arn:aws:iam::111122223333:user/alice\", ", "\"AIDAALICE\\\"\", ", 1)
            .replacen("\"arn:aws:iam::111122223333:user\\/\\u0061lice\"", "\"AIDAALICE\\\"\"", 1);
        assert_ne!(expected, POLICY);
        assert_eq!(with_principals(POLICY, gone), expected);
        assert_eq!(with_principals(POLICY, |_| None), POLICY);
        let single = r#"{"Statement":{"Principal":{"AWS":"111122223333"}}}"#;
        let account = |entry: &PrincipalEntry| Some(entry.to_string());
        assert_eq!(
            with_principals(single, account),
            r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:root"}}}"#
        );
    }

    #[test]
    fn what_is_no_policy_comes_back() {
        for text in ["", "x", "{}", "[]", r#"{"Statement":1}"#, r#"{"Statement":[{"Principal":{"AWS":1}}]}"#]
        {
            assert_eq!(with_principals(text, |_| Some(String::new())), text);
        }
    }

    proptest! {
        #[test]
        fn the_principals_of_a_policy_are_those_that_were_asked_for(spaces in "[ \t\r\n]{0,4}") {
            let text = POLICY.replace("user\\/\\u0061lice", "user/é").replace(": ", &format!(":{spaces}"))
                .replace("arn:aws:iam::111122223333:user/alice\",\"Action", "x.amazonaws.com\",\"Action")
                .replace("\"Service\":\"arn:aws:iam::111122223333:user/alice\"", "\"Service\":\"a.b\"");
            let before = Policy::parse(&text, PolicyKind::Key).unwrap();
            let translated = with_principals(&text, |entry| {
                matches!(entry, PrincipalEntry::User { .. }).then(|| "AIDAEXAMPLE".to_owned())
            });
            let after = Policy::parse(&translated, PolicyKind::Key).unwrap();
            let bound = before.bound(|_| Some("AIDAEXAMPLE".to_owned()));
            prop_assert_eq!(after.principals().collect::<Vec<_>>(), bound.principals().collect::<Vec<_>>());
        }
    }
}
