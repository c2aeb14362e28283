//! Requests and responses as audit events show them: JSON with the members' names beginning in lower case.
//!
//! The types generated from the service models say what they show. Bytes, sensitive members and tokens are left out by the
//! generator, so nothing that makes an event can show them.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use base::Timestamp;

use crate::json;

/// A structure of a service model with the members that an event may show.
pub trait Shown {
    /// Lists them.
    fn list(&self, members: &mut Members<'_>);
}

/// What events show of a request or response: a JSON object, or nothing if there is nothing to show.
pub fn shown(structure: &impl Shown) -> Option<Vec<u8>> {
    shown_with(structure, [])
}

/// The same with further members, for what a request leaves to a default.
pub fn shown_with<'t>(
    structure: &impl Shown,
    further: impl IntoIterator<Item = (&'t str, &'t str)>,
) -> Option<Vec<u8>> {
    let mut sink = Vec::with_capacity(128);
    let mut members = Members { sink: &mut sink, separator: b'{' };
    structure.list(&mut members);
    for (name, value) in further {
        members.member(name, value);
    }
    (members.separator == b',').then(|| {
        sink.push(b'}');
        sink
    })
}

/// The members of an object, as they are written.
pub struct Members<'s> {
    sink: &'s mut Vec<u8>,
    separator: u8,
}

impl Members<'_> {
    /// One that is always there.
    pub(crate) fn member(&mut self, name: &str, value: &(impl Value + ?Sized)) {
        self.sink.push(self.separator);
        self.separator = b',';
        json::Encode::encode(name, self.sink);
        self.sink.push(b':');
        value.write(self.sink);
    }

    /// One that is left out when there is no value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<&impl Value>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }
}

/// A value that an event can show.
pub(crate) trait Value {
    /// Writes it as JSON.
    fn write(&self, sink: &mut Vec<u8>);
}

impl<T: Shown> Value for T {
    fn write(&self, sink: &mut Vec<u8>) {
        let mut members = Members { sink, separator: b'{' };
        self.list(&mut members);
        let end: &[u8] = if members.separator == b'{' { b"{}" } else { b"}" };
        sink.extend_from_slice(end);
    }
}

impl Value for str {
    fn write(&self, sink: &mut Vec<u8>) {
        json::Encode::encode(self, sink);
    }
}

impl Value for String {
    fn write(&self, sink: &mut Vec<u8>) {
        self.as_str().write(sink);
    }
}

impl Value for bool {
    fn write(&self, sink: &mut Vec<u8>) {
        json::Encode::encode(self, sink);
    }
}

impl Value for i32 {
    fn write(&self, sink: &mut Vec<u8>) {
        json::Encode::encode(self, sink);
    }
}

impl Value for i64 {
    fn write(&self, sink: &mut Vec<u8>) {
        json::Encode::encode(self, sink);
    }
}

impl Value for Timestamp {
    /// `Aug 10, 2022, 10:38:27 PM`, as CloudTrail has moments within requests and responses.
    fn write(&self, sink: &mut Vec<u8>) {
        self.in_words().as_str().write(sink);
    }
}

impl<T: Value> Value for Vec<T> {
    fn write(&self, sink: &mut Vec<u8>) {
        sink.push(b'[');
        for (at, element) in self.iter().enumerate() {
            if at > 0 {
                sink.push(b',');
            }
            element.write(sink);
        }
        sink.push(b']');
    }
}

impl<K: Display, V: Value> Value for BTreeMap<K, V> {
    fn write(&self, sink: &mut Vec<u8>) {
        let mut members = Members { sink, separator: b'{' };
        for (key, value) in self {
            members.member(&key.to_string(), value);
        }
        let end: &[u8] = if members.separator == b'{' { b"{}" } else { b"}" };
        sink.extend_from_slice(end);
    }
}
