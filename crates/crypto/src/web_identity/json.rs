//! JSON in which no object holds a member twice, and nesting has a bound.
//!
//! RFC 7515 section 4 and RFC 7519 section 4 leave it open whether the last of two members counts or the text is
//! refused. Only if it is refused does everybody who reads it read the same.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and arrays within one another. Claims of providers have three or four levels.
const DEPTH_MAX: u8 = 16;

/// Reads one object and nothing behind it; none if that is not what `json` is.
pub(super) fn read_object(json: &[u8]) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Seed { depth: DEPTH_MAX }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    if let Value::Object(object) = value { Some(object) } else { None }
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
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.below()?)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_read_as_it_is() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,0.5,"\u00e9"],"b":{"a":{}}} "#;
        let expected = json!({"a": [null, true, -1, u64::MAX, 0.5, "é"], "b": {"a": {}}});
        assert_eq!(read_object(text.as_bytes()).map(Value::Object), Some(expected));
    }

    #[test]
    fn a_member_twice_is_refused_at_every_level() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"\u0061":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"{"b":[{"a":1,"a":2}]}"#,
        ] {
            assert_eq!(read_object(text.as_bytes()), None, "{text}");
        }
        assert!(read_object(br#"{"a":{"a":1},"A":[{"a":1},{"a":1}]}"#).is_some());
    }

    #[test]
    fn only_one_object_in_utf_8_is_one() {
        for text in ["", "[]", "1", "null", "{} {}", "{", r#"{"a":1,}"#, r#"{"a":1e400}"#, "\u{feff}{}"] {
            assert_eq!(read_object(text.as_bytes()), None, "{text}");
        }
        for bytes in [&b"{\"a\":\"\xff\"}"[..], br#"{"a":"\ud800"}"#, b"{\"a\":\"\n\"}", b"\xff\xfe{\0}\0"] {
            assert_eq!(read_object(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).into_bytes();
        let most = usize::from(DEPTH_MAX);
        assert!(read_object(&nested(most)).is_some());
        assert_eq!(read_object(&nested(most + 1)), None);
        assert_eq!(read_object(&nested(100_000)), None);
        assert_eq!(read_object(&b"{\"a\":".repeat(100_000)), None);
        assert_eq!(read_object(&[&b"{\"a\":"[..], &b"[".repeat(100_000)].concat()), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}:,\"a1.eE+\\\\ -]{0,60}") {
            let _ = read_object(text.as_bytes());
        }
    }
}
