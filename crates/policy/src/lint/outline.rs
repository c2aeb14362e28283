//! What stands where in a document: the entries of each statement as they are written, and where they begin.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::position::{Cursor, Position, offset_of};

/// A document as it is written.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Where the document begins, in bytes.
    pub(super) start: usize,
    pub(super) statements: Vec<StatementOutline>,
}

/// A statement as it is written. Entries stand in the order in which the parsed statement has them.
#[derive(Debug, Default)]
pub(super) struct StatementOutline {
    /// Where the statement begins, in bytes.
    pub(super) start: usize,
    /// Principal or NotPrincipal.
    pub(super) principals: Vec<Written>,
    /// Action or NotAction.
    pub(super) actions: Vec<Written>,
    /// Resource or NotResource.
    pub(super) resources: Vec<Written>,
    /// The keys of the conditions.
    pub(super) conditions: Vec<Written>,
}

/// An entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// Where it begins, in bytes.
    pub(super) start: usize,
}

/// The members of an object in their order: names and values.
struct Members<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl Outline {
    /// The outline of a document that is a policy.
    pub(super) fn read(text: &str) -> Option<Self> {
        let whole: &RawValue = serde_json::from_str(text).ok()?;
        let mut outline = Self { start: offset_of(whole.get(), text)?, statements: Vec::new() };
        for (name, value) in members(whole)? {
            if string(name)? == "Statement" {
                let read = |statement| StatementOutline::read(statement, text);
                outline.statements = each(value)?.into_iter().map(read).collect::<Option<_>>()?;
            }
        }
        Some(outline)
    }
}

impl StatementOutline {
    fn read(statement: &RawValue, text: &str) -> Option<Self> {
        let mut outline = Self { start: offset_of(statement.get(), text)?, ..Self::default() };
        for (name, value) in members(statement)? {
            match string(name)?.as_str() {
                "Principal" | "NotPrincipal" => outline.principals = principals(value, text)?,
                "Action" | "NotAction" => outline.actions = entries(value, text)?,
                "Resource" | "NotResource" => outline.resources = entries(value, text)?,
                "Condition" => outline.conditions = conditions(value, text)?,
                _ => {}
            }
        }
        Some(outline)
    }
}

fn principals(value: &RawValue, text: &str) -> Option<Vec<Written>> {
    if !value.get().starts_with('{') {
        return entries(value, text);
    }
    let mut principals = Vec::new();
    for (_, listed) in members(value)? {
        principals.extend(entries(listed, text)?);
    }
    Some(principals)
}

fn conditions(value: &RawValue, text: &str) -> Option<Vec<Written>> {
    let mut keys = Vec::new();
    for (_, block) in members(value)? {
        for (key, _) in members(block)? {
            keys.push(written(key, text)?);
        }
    }
    Some(keys)
}

/// A text or a list of texts.
fn entries(value: &RawValue, text: &str) -> Option<Vec<Written>> {
    each(value)?.into_iter().map(|entry| written(entry, text)).collect()
}

fn written(value: &RawValue, text: &str) -> Option<Written> {
    Some(Written { text: string(value)?, start: offset_of(value.get(), text)? })
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The items of a list; anything else is one item.
fn each(value: &RawValue) -> Option<Vec<&RawValue>> {
    if value.get().starts_with('[') { serde_json::from_str(value.get()).ok() } else { Some(vec![value]) }
}

fn members(value: &RawValue) -> Option<Vec<(&RawValue, &RawValue)>> {
    serde_json::from_str(value.get()).ok().map(|Members(members)| members)
}

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'t> Visitor<'t> for Read {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut access: A) -> Result<Members<'t>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// The positions of offsets in a text, in the order in which they are given, which must rise.
pub(super) fn positions(text: &str, offsets: impl IntoIterator<Item = usize>) -> Vec<Position> {
    let mut cursor = Cursor::new(text);
    offsets.into_iter().map(|offset| cursor.advance(offset)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_with_their_places() {
        let text = r#" {"Id":"x","Statement":[{"Sid":"a","Principal":"*"},{
            "Principal":{"AWS":["111122223333","\u002a"],"Service":"a.b"},"Action":"kms:Decrypt",
            "NotResource":["*"],"Condition":{"Bool":{"a:b":true,"c:d":[]},"Null":{"e:f":"true"}}}]}"#;
        let outline = Outline::read(text).unwrap();
        assert_eq!(outline.start, 1);
        let told = |written: &[Written]| {
            let check = |one: &Written| {
                assert!(text.get(one.start..).unwrap().starts_with('"'));
                one.text.clone()
            };
            written.iter().map(check).collect::<Vec<_>>()
        };
        let [first, second] = outline.statements.as_slice() else { panic!("{outline:?}") };
        assert_eq!(told(&first.principals), ["*"]);
        assert!(first.actions.is_empty() && first.conditions.is_empty());
        assert_eq!(told(&second.principals), ["111122223333", "*", "a.b"]);
        assert_eq!(told(&second.actions), ["kms:Decrypt"]);
        assert_eq!(told(&second.resources), ["*"]);
        assert_eq!(told(&second.conditions), ["a:b", "c:d", "e:f"]);
        assert!(text.get(second.start..).unwrap().starts_with("{\n"));
        let at = |line, column| Position { line, column };
        assert_eq!(positions(text, [1, second.start]), [at(1, 2), at(1, 53)]);
    }

    #[test]
    fn a_statement_without_a_list_is_one() {
        let outline = Outline::read(r#"{"Statement":{"Action":["a","b"]}}"#).unwrap();
        assert_eq!(outline.statements.len(), 1);
        assert_eq!(outline.statements[0].actions.len(), 2);
        assert!(Outline::read("{").is_none() && Outline::read("[]").is_none());
    }
}
