//! The policy of a form: what its signer lets the form say, and until when.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>

use std::ops::RangeInclusive;

use base::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Fields that no condition needs to name, beside those that begin with [`IGNORED`].
const FREE: [&str; 3] = ["file", "policy", "x-amz-signature"];
const IGNORED: &str = "x-ignore-";

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostPolicy {
    /// From now on it holds no more.
    pub expiration: Timestamp,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// The field has this value. Names are as they are written.
    Equal { field: String, value: String },
    /// The field begins so.
    StartsWith { field: String, prefix: String },
    /// The file has so many bytes.
    Length(RangeInclusive<u64>),
}

/// The policy makes no sense. The texts are S3's as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Policy: {0}")]
pub struct InvalidPostPolicy(String);

/// The policy does not admit the form. The texts are S3's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostPolicyFault {
    /// A condition does not hold.
    #[error("Invalid according to Policy: Policy Condition failed: {0}")]
    Condition(String),
    /// Nothing is said of these fields.
    #[error("Invalid according to Policy: Extra input fields: {0}")]
    ExtraFields(String),
}

#[derive(Deserialize)]
struct Document {
    expiration: Option<Value>,
    conditions: Option<Vec<Value>>,
}

impl PostPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// It is none.
    pub fn read(json: &[u8]) -> Result<Self, InvalidPostPolicy> {
        let invalid = |text: &str| InvalidPostPolicy(text.to_owned());
        let document: Document = serde_json::from_slice(json).map_err(|_| invalid("Invalid JSON."))?;
        let expiration = document.expiration.ok_or_else(|| invalid("Policy missing expiration."))?;
        let conditions = document.conditions.ok_or_else(|| invalid("Policy missing conditions."))?;
        let time = expiration.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let time =
            time.ok_or_else(|| InvalidPostPolicy(format!("Invalid 'expiration' value: {expiration}")))?;
        Ok(Self {
            expiration: Timestamp::from_millis(time.as_millisecond()),
            conditions: conditions.iter().map(Condition::read).collect::<Result<_, _>>()?,
        })
    }

    /// Holds the fields of a form against the policy and tells how long its file may be. Each field is there once, and
    /// the bucket is told as one.
    ///
    /// # Errors
    /// A condition does not hold, or a field has none.
    pub fn judge(&self, fields: &[(String, String)]) -> Result<RangeInclusive<u64>, PostPolicyFault> {
        let (mut least, mut most) = (0, u64::MAX);
        for condition in &self.conditions {
            if !condition.holds(fields) {
                return Err(PostPolicyFault::Condition(condition.text()));
            }
            if let Condition::Length(range) = condition {
                (least, most) = (least.max(*range.start()), most.min(*range.end()));
            }
        }
        let extra: Vec<_> =
            fields.iter().map(|(name, _)| name.as_str()).filter(|name| !self.names(name)).collect();
        if extra.is_empty() { Ok(least..=most) } else { Err(PostPolicyFault::ExtraFields(extra.join(", "))) }
    }

    fn names(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let is_free = name == "bucket" || FREE.contains(&name.as_str()) || name.starts_with(IGNORED);
        is_free || self.conditions.iter().any(|condition| condition.field().eq_ignore_ascii_case(&name))
    }
}

impl Condition {
    fn read(condition: &Value) -> Result<Self, InvalidPostPolicy> {
        let invalid = |text: &str| InvalidPostPolicy(text.to_owned());
        match condition {
            Value::Object(pairs) => {
                let mut pairs = pairs.iter();
                let (Some((field, value)), None) = (pairs.next(), pairs.next()) else {
                    let text = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
                    return Err(invalid(text));
                };
                let value = value.as_str();
                let value =
                    value.ok_or_else(|| invalid("Invalid Simple-Condition: value must be a string."))?;
                Ok(Self::Equal { field: field.clone(), value: value.to_owned() })
            }
            Value::Array(parts) => Self::read_parts(parts)
                .ok_or_else(|| InvalidPostPolicy(format!("Invalid Condition: {condition}"))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(invalid("Invalid Condition: conditions must be lists or objects."))
            }
        }
    }

    fn read_parts(parts: &[Value]) -> Option<Self> {
        let [operator, first, second] = parts else { return None };
        let field = || Some(first.as_str()?.strip_prefix('$')?.to_owned());
        let text = || Some(second.as_str()?.to_owned());
        match operator.as_str()?.to_ascii_lowercase().as_str() {
            "eq" => Some(Self::Equal { field: field()?, value: text()? }),
            "starts-with" => Some(Self::StartsWith { field: field()?, prefix: text()? }),
            "content-length-range" => Some(Self::Length(length(first)?..=length(second)?)),
            _ => None,
        }
    }

    fn field(&self) -> &str {
        match self {
            Self::Equal { field, .. } | Self::StartsWith { field, .. } => field,
            Self::Length(_) => "",
        }
    }

    fn holds(&self, fields: &[(String, String)]) -> bool {
        let field = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(self.field()));
        match (self, field) {
            (Self::Length(_), _) => true,
            (Self::Equal { value, .. }, Some((_, told))) => value == told,
            // Several content types are a list, each of which must begin so.
            (Self::StartsWith { prefix, .. }, Some((name, told)))
                if name.eq_ignore_ascii_case("content-type") =>
            {
                told.split(',').all(|one| one.trim().starts_with(prefix.as_str()))
            }
            (Self::StartsWith { prefix, .. }, Some((_, told))) => told.starts_with(prefix.as_str()),
            (Self::Equal { .. } | Self::StartsWith { .. }, None) => false,
        }
    }

    /// As S3 tells it: in the form of a list.
    fn text(&self) -> String {
        let (operator, field, value) = match self {
            Self::Equal { field, value } => ("eq", field, value),
            Self::StartsWith { field, prefix } => ("starts-with", field, prefix),
            Self::Length(range) => {
                return format!("[\"content-length-range\", {}, {}]", range.start(), range.end());
            }
        };
        let [field, value] = [format!("${field}"), value.clone()].map(|text| Value::String(text).to_string());
        format!("[\"{operator}\", {field}, {value}]")
    }
}

/// A number, which may be written as a text.
fn length(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(conditions: &str) -> Result<PostPolicy, InvalidPostPolicy> {
        let json =
            format!("{{\"expiration\": \"2026-11-28T12:00:00.000Z\", \"conditions\": [{conditions}]}}");
        PostPolicy::read(json.as_bytes())
    }

    fn judge(conditions: &str, fields: &[(&str, &str)]) -> Result<RangeInclusive<u64>, String> {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        policy(conditions).unwrap().judge(&fields).map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_published_example_is_read() {
        // <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>
        let json = br#"{ "expiration": "2007-12-01T12:00:00.000Z",
            "conditions": [
                {"acl": "public-read" },
                {"bucket": "johnsmith" },
                ["starts-with", "$key", "user/eric/"],
                ["content-length-range", 1048576, "10485760"]
            ]
        }"#;
        let policy = PostPolicy::read(json).unwrap();
        assert_eq!(policy.expiration, Timestamp::from_seconds(1_196_510_400));
        let fields = [("ACL", "public-read"), ("bucket", "johnsmith"), ("key", "user/eric/a.png")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(policy.judge(&fields), Ok(1_048_576..=10_485_760));
    }

    #[test]
    fn every_condition_must_hold() {
        assert_eq!(judge(r#"{"key": "a"}"#, &[("key", "a")]), Ok(0..=u64::MAX));
        let failed =
            |text: &str| Err(format!("Invalid according to Policy: Policy Condition failed: {text}"));
        assert_eq!(judge(r#"{"Key": "a"}"#, &[("key", "A")]), failed(r#"["eq", "$Key", "a"]"#));
        assert_eq!(judge(r#"["eq", "$acl", "private"]"#, &[]), failed(r#"["eq", "$acl", "private"]"#));
        assert_eq!(
            judge(r#"["starts-with", "$key", "a\""]"#, &[("key", "b")]),
            failed(r#"["starts-with", "$key", "a\""]"#)
        );
        let types = r#"["starts-with", "$Content-Type", "image/"]"#;
        assert!(judge(types, &[("content-type", "image/png, image/gif")]).is_ok());
        assert_eq!(judge(types, &[("content-type", "image/png, text/plain")]), failed(types));
        assert_eq!(judge(types, &[]), failed(types));
    }

    #[test]
    fn every_field_must_have_a_condition() {
        let free =
            [("x-ignore-a", ""), ("x-amz-signature", "0"), ("Policy", "p"), ("bucket", "b"), ("key", "k")];
        assert!(judge(r#"["starts-with", "$key", ""]"#, &free).is_ok());
        let extra = judge(r#"{"key": "k"}"#, &[("key", "k"), ("x-amz-meta-a", "1"), ("acl", "private")]);
        assert_eq!(
            extra,
            Err("Invalid according to Policy: Extra input fields: x-amz-meta-a, acl".to_owned())
        );
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"expiration": "2026-11-28T12:00:00.000Z"}"#,
            r#"{"conditions": []}"#,
            r#"{"expiration": "tomorrow", "conditions": []}"#,
            r#"{"expiration": 5, "conditions": []}"#,
            r#"{"expiration": "2026-11-28T12:00:00Z", "expiration": "2027-11-28T12:00:00Z", "conditions": []}"#,
        ] {
            assert!(PostPolicy::read(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [
            r#"{}"#,
            r#"{"a": "1", "b": "2"}"#,
            r#"{"a": 1}"#,
            r#"["eq", "key", "a"]"#,
            r#"["eq", "$key"]"#,
            r#"["ends-with", "$key", "a"]"#,
            r#"["content-length-range", -1, 5]"#,
            r#""key""#,
        ] {
            assert!(policy(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, conditions in "(\\[|\\]|\\{|\\}|\"eq\"|,|:|\"\\$key\"|1|\"){0,20}") {
            let _ = PostPolicy::read(&bytes);
            let _ = policy(&conditions);
        }
    }
}
