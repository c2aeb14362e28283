//! Writers from the shapes of a service model to JSON.

use std::collections::BTreeMap;

use base::{SecretBytes, SecretString, Timestamp};
use base64_simd::STANDARD;

/// Where JSON goes: a buffer, or a count of what the buffer will need.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);

    /// Appends bytes in base64.
    fn put_base64(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_base64(&mut self, bytes: &[u8]) {
        STANDARD.encode_append(bytes, self);
    }
}

/// Counts instead of writing.
#[derive(Default)]
pub(crate) struct Measure(usize);

impl Measure {
    pub(crate) fn length(&self) -> usize {
        self.0
    }
}

impl Sink for Measure {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn put_base64(&mut self, bytes: &[u8]) {
        self.0 += STANDARD.encoded_length(bytes.len());
    }
}

/// A value that has a JSON form.
pub trait Encode {
    /// Writes it.
    fn encode(&self, sink: &mut impl Sink);
}

/// An object being written.
pub(crate) struct Object<'s, S> {
    sink: &'s mut S,
    separator: &'static [u8],
}

impl<S: Sink> Object<'_, S> {
    /// Writes an object whose members `fill` gives.
    pub(crate) fn write(sink: &mut S, fill: impl FnOnce(&mut Object<'_, S>)) {
        let mut object = Object { sink, separator: b"{" };
        fill(&mut object);
        let end: &[u8] = if object.separator == b"{" { b"{}" } else { b"}" };
        object.sink.put(end);
    }

    /// A member that is always there.
    pub(crate) fn member(&mut self, name: &str, value: &(impl Encode + ?Sized)) {
        self.sink.put(self.separator);
        self.separator = b",";
        name.encode(self.sink);
        self.sink.put(b":");
        value.encode(self.sink);
    }

    /// A member that is left out when there is no value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<&impl Encode>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }
}

impl Encode for str {
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(b"\"");
        let mut rest = self.as_bytes();
        while let Some(at) = rest.iter().position(|byte| must_be_escaped(*byte)) {
            let (plain, from_escape) = rest.split_at(at);
            sink.put(plain);
            let Some((escaped, after)) = from_escape.split_first() else { break };
            put_escape(*escaped, sink);
            rest = after;
        }
        sink.put(rest);
        sink.put(b"\"");
    }
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn put_escape(byte: u8, sink: &mut impl Sink) {
    match byte {
        b'"' => sink.put(b"\\\""),
        b'\\' => sink.put(b"\\\\"),
        b'\n' => sink.put(b"\\n"),
        b'\r' => sink.put(b"\\r"),
        b'\t' => sink.put(b"\\t"),
        _ => sink.put(format!("\\u{byte:04x}").as_bytes()),
    }
}

impl Encode for String {
    fn encode(&self, sink: &mut impl Sink) {
        self.as_str().encode(sink);
    }
}

impl Encode for SecretString {
    fn encode(&self, sink: &mut impl Sink) {
        self.expose().encode(sink);
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, sink: &mut impl Sink) {
        encode_bytes(self, sink);
    }
}

impl Encode for SecretBytes {
    fn encode(&self, sink: &mut impl Sink) {
        encode_bytes(self.expose(), sink);
    }
}

fn encode_bytes(bytes: &[u8], sink: &mut impl Sink) {
    sink.put(b"\"");
    sink.put_base64(bytes);
    sink.put(b"\"");
}

impl Encode for bool {
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(if *self { b"true" } else { b"false" });
    }
}

impl Encode for i32 {
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(self.to_string().as_bytes());
    }
}

impl Encode for i64 {
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(self.to_string().as_bytes());
    }
}

impl Encode for Timestamp {
    /// Seconds since the epoch, with at most three decimals: `1571767572.317`.
    fn encode(&self, sink: &mut impl Sink) {
        let sign = if self.millis() < 0 { "-" } else { "" };
        let millis = self.millis().unsigned_abs();
        let mut text = format!("{sign}{}", millis / 1_000);
        if !millis.is_multiple_of(1_000) {
            let fraction = format!(".{:03}", millis % 1_000);
            text.push_str(fraction.trim_end_matches('0'));
        }
        sink.put(text.as_bytes());
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(b"[");
        for (at, element) in self.iter().enumerate() {
            if at > 0 {
                sink.put(b",");
            }
            element.encode(sink);
        }
        sink.put(b"]");
    }
}

impl Encode for BTreeMap<String, String> {
    fn encode(&self, sink: &mut impl Sink) {
        Object::write(sink, |object| {
            for (key, value) in self {
                object.member(key, value);
            }
        });
    }
}
