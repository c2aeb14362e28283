//! Writers from the shapes of a service model to XML.

use std::collections::BTreeMap;

use base::{SecretBytes, SecretString, Timestamp};
use base64_simd::STANDARD;

/// Where XML goes: a buffer, or a count of what the buffer will need.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
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
}

/// Writing markup and character data.
pub(crate) trait Markup: Sink + Sized {
    /// Markup, as it is.
    fn markup(&mut self, pieces: &[&str]) -> &mut Self {
        for piece in pieces {
            self.put(piece.as_bytes());
        }
        self
    }

    /// An element with its content.
    fn element(&mut self, name: &str, content: &(impl Encode + ?Sized)) -> &mut Self {
        self.markup(&["<", name, ">"]);
        content.encode(self);
        self.markup(&["</", name, ">"])
    }

    /// Character data. A carriage return would not survive a parser as it is; characters that XML 1.0 cannot carry in
    /// any form become U+FFFD.
    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.put(b"&amp;"),
                '<' => self.put(b"&lt;"),
                '>' => self.put(b"&gt;"),
                '"' => self.put(b"&quot;"),
                '\'' => self.put(b"&apos;"),
                '\r' => self.put(b"&#xD;"),
                '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                    self.put("\u{fffd}".as_bytes());
                }
                _ => self.put(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self
    }
}

impl<S: Sink> Markup for S {}

/// A value that has a form in XML: the content of an element.
pub trait Encode {
    /// Writes it.
    fn encode(&self, sink: &mut impl Sink);
}

/// A structure being written: one element for each member.
pub(crate) struct Object<'s, S>(&'s mut S);

impl<S: Sink> Object<'_, S> {
    /// Writes the members that `fill` gives.
    pub(crate) fn write(sink: &mut S, fill: impl FnOnce(&mut Object<'_, S>)) {
        fill(&mut Object(sink));
    }

    /// A member that is always there.
    pub(crate) fn member(&mut self, name: &str, value: &(impl Encode + ?Sized)) {
        self.0.element(name, value);
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
        sink.text(self);
    }
}

impl Encode for String {
    fn encode(&self, sink: &mut impl Sink) {
        sink.text(self);
    }
}

impl Encode for SecretString {
    fn encode(&self, sink: &mut impl Sink) {
        sink.text(self.expose());
    }
}

impl Encode for SecretBytes {
    fn encode(&self, sink: &mut impl Sink) {
        // Three bytes give four characters, so that no chunk but the last has padding and no copy of the whole is made.
        for chunk in self.expose().chunks(3) {
            sink.put(STANDARD.encode_to_string(chunk).as_bytes());
        }
    }
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

impl Encode for Timestamp {
    /// `2018-09-20T17:41:01Z`
    fn encode(&self, sink: &mut impl Sink) {
        sink.put(self.iso_extended().as_bytes());
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, sink: &mut impl Sink) {
        for element in self {
            sink.element("member", element);
        }
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self, sink: &mut impl Sink) {
        for (key, value) in self {
            sink.markup(&["<entry>"]).element("key", key).element("value", value).markup(&["</entry>"]);
        }
    }
}
