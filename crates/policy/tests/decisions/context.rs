//! What a case says of a request.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use base::Timestamp;
use policy::{Context, ServiceKey, Value};
use serde::Deserialize;

/// Service keys by their names in any case, and the maps that some keys look into.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct CaseContext {
    #[serde(skip)]
    values: BTreeMap<String, Given>,
    encryption_context: Option<BTreeMap<String, String>>,
    resource_tags: Option<BTreeMap<String, String>>,
    request_tags: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    written: BTreeMap<String, Given>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Given {
    Text(String),
    Bool(bool),
    Number(i64),
    Several(Vec<String>),
    /// `null`: the key is there and its value cannot be told.
    Unclear(()),
    Time {
        time: String,
    },
}

impl CaseContext {
    pub(crate) fn ready(mut self) -> Self {
        self.values = self.written.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        self
    }
}

impl Context for CaseContext {
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        let named = self.values.iter().find(|(name, _)| is_shown_as(key, name));
        match named.map(|(_, given)| given) {
            None => Value::Absent,
            Some(Given::Text(text)) => Value::Text(text),
            Some(Given::Bool(value)) => Value::Bool(*value),
            Some(Given::Number(value)) => Value::Number(*value),
            Some(Given::Several(texts)) => Value::Many(texts),
            Some(Given::Unclear(())) => Value::Unclear,
            Some(Given::Time { time }) => Value::Time(time.parse::<Timestamp>().unwrap()),
        }
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        self.encryption_context.as_ref()
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.resource_tags.as_ref()
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.request_tags.as_ref()
    }
}

/// Whether the key's name is this one, without a copy of it: decisions are watched for what they allocate.
fn is_shown_as(key: &ServiceKey, name: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(name);
    write!(rest, "{key}").is_ok() && rest.0.is_empty()
}
