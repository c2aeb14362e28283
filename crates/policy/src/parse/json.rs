//! JSON as policies need it: objects keep their order and hold no key twice, and nesting has a bound.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Nesting that no policy needs: the document, its statements, a condition block, an operator and its values are six.
const DEPTH_MAX: u8 = 12;

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Json {
    Null,
    /// A number or truth value, as text: conditions read both that way.
    Scalar(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value and nothing behind it. `None` if that is not what `text` is.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Seed { depth: DEPTH_MAX }.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(value)
    }
}

struct Seed {
    depth: u8,
}

impl Seed {
    fn below<E: Error>(&self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = access.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key twice"));
            }
            let value = access.next_value_seed(self.below()?)?;
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_is_kept_and_scalars_are_read_as_text() {
        let text = r#"{"b":[true,-1,18446744073709551615,0.5,null],"a":{}}"#;
        let scalar = |text: &str| Json::Scalar(text.to_owned());
        let list =
            vec![scalar("true"), scalar("-1"), scalar("18446744073709551615"), scalar("0.5"), Json::Null];
        let members = vec![("b".to_owned(), Json::List(list)), ("a".to_owned(), Json::Object(Vec::new()))];
        assert_eq!(Json::read(text), Some(Json::Object(members)));
    }

    #[test]
    fn keys_twice_deep_nesting_huge_numbers_and_what_follows_are_refused() {
        for text in
            [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":1}"#, "[1e400]", "{} {}", "{", "", "[1,]", "\u{feff}{}"]
        {
            assert_eq!(Json::read(text), None, "{text}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::read(&nested(usize::from(DEPTH_MAX))).is_some());
        assert_eq!(Json::read(&nested(usize::from(DEPTH_MAX) + 1)), None);
        assert_eq!(Json::read(&nested(100_000)), None);
        assert_eq!(Json::read(&"{\"a\":".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}:,\"a1.eE+\\\\ -]{0,60}") {
            let _ = Json::read(&text);
        }
    }
}
