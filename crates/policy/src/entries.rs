//! The condition keys of requests that nobody makes: somebody states them, one by one.

use std::collections::HashMap;
use std::net::IpAddr;

use base::Timestamp;

use crate::condition::{Decimal, decode, read_moment, truth};
use crate::key::{ContextKey, PrincipalKey};
use crate::value::Value;

/// Condition keys and their values, as somebody states them for a [`simulate`](crate::simulate)d request. What is not
/// stated the request does not have.
#[derive(Debug, Default)]
pub struct ContextEntries(HashMap<ContextKey, Stated>);

/// What is stated of one key.
#[derive(Debug)]
enum Stated {
    Text(String),
    Time(Timestamp),
    Several(Vec<String>),
}

/// The types of values: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextType {
    /// Any text.
    String,
    /// A number.
    Numeric,
    /// `true` or `false`, in any case.
    Boolean,
    /// An address, of version 4 or 6.
    Ip,
    /// Bytes in base64.
    Binary,
    /// A date in ISO 8601, or seconds since the epoch.
    Date,
}

/// Why a key cannot be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextFault {
    /// It has been stated before, under this name or one that differs in case only.
    #[error("stated twice")]
    Twice,
    /// A value is none of the type.
    #[error("not a value of the type {0:?}")]
    Value(ContextType),
}

impl ContextEntries {
    /// States that a key has one value.
    ///
    /// # Errors
    /// The key was stated before, or the value is not of the type.
    pub fn state(&mut self, name: &str, kind: ContextType, value: String) -> Result<(), ContextFault> {
        let stated = match (kind.is_value(&value), kind) {
            (false, _) => return Err(ContextFault::Value(kind)),
            (true, ContextType::Date) => read_moment(&value).map_or(Stated::Text(value), Stated::Time),
            (true, _) => Stated::Text(value),
        };
        self.put(name, stated)
    }

    /// States that a key has these values.
    ///
    /// # Errors
    /// The key was stated before, or a value is not of the type.
    pub fn state_several(
        &mut self,
        name: &str,
        kind: ContextType,
        values: Vec<String>,
    ) -> Result<(), ContextFault> {
        if !values.iter().all(|value| kind.is_value(value)) {
            return Err(ContextFault::Value(kind));
        }
        self.put(name, Stated::Several(values))
    }

    /// Gives a key this text, unless something has been stated of it.
    pub fn presume(&mut self, name: &str, text: &str) {
        self.0.entry(ContextKey::read(name)).or_insert_with(|| Stated::Text(text.to_owned()));
    }

    /// Gives a key this moment, unless something has been stated of it.
    pub fn presume_time(&mut self, name: &str, time: Timestamp) {
        self.0.entry(ContextKey::read(name)).or_insert(Stated::Time(time));
    }

    /// Whether a request with these entries has a value for the key of this name.
    pub fn has(&self, name: &str) -> bool {
        let key = ContextKey::read(name);
        self.0.contains_key(&key) || follows_from_caller(&key)
    }

    /// Bytes of the longest value; the values of one key count together.
    pub fn longest(&self) -> usize {
        let length = |stated: &Stated| match stated {
            Stated::Text(text) => text.len(),
            Stated::Time(_) => 0,
            Stated::Several(texts) => texts.iter().map(String::len).sum(),
        };
        self.0.values().map(length).max().unwrap_or(0)
    }

    /// The value of a key; `None` if it is not stated but follows from the caller.
    pub(crate) fn value(&self, key: &ContextKey) -> Option<Value<'_>> {
        match self.0.get(key) {
            Some(Stated::Text(text)) => Some(Value::Text(text)),
            Some(Stated::Time(time)) => Some(Value::Time(*time)),
            Some(Stated::Several(texts)) => Some(Value::Many(texts)),
            None if follows_from_caller(key) => None,
            None => Some(Value::Absent),
        }
    }

    fn put(&mut self, name: &str, stated: Stated) -> Result<(), ContextFault> {
        match self.0.insert(ContextKey::read(name), stated) {
            None => Ok(()),
            Some(_) => Err(ContextFault::Twice),
        }
    }
}

/// `kms:CallerAccount` depends on nothing but the caller and the action.
fn follows_from_caller(key: &ContextKey) -> bool {
    *key == ContextKey::Principal(PrincipalKey::CallerAccount)
}

impl ContextType {
    fn is_value(self, text: &str) -> bool {
        match self {
            Self::String => true,
            Self::Numeric => Decimal::read(text).is_some(),
            Self::Boolean => truth(text).is_some(),
            Self::Ip => text.parse::<IpAddr>().is_ok(),
            Self::Binary => decode(text).is_some(),
            Self::Date => read_moment(text).is_some(),
        }
    }
}
