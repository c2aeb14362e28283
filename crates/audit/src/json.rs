//! Writing JSON straight into the line of an event. An event is written for each call: nothing is built up first.

use std::fmt::{self, Display, Write};

/// An object that is being written, member by member.
pub(crate) struct Object<'w> {
    out: &'w mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    /// Writes an object with the members that `members` adds to it.
    pub(crate) fn write(out: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        members(&mut Object { out, is_empty: true });
        out.push(b'}');
    }

    /// A member that is a string and is there as one. Most members of an event are.
    pub(crate) fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push(b'"');
        // Memory does not fail here.
        let _ = Escaped(self.out).write_str(value);
        self.out.push(b'"');
    }

    /// A member that is a string.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        self.name(name);
        self.out.push(b'"');
        // Neither memory nor a text's own form fails here.
        let _ = write!(Escaped(self.out), "{value}");
        self.out.push(b'"');
    }

    /// A member that is a string, if there is one.
    pub(crate) fn text_if(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A member that is true or false.
    pub(crate) fn truth(&mut self, name: &str, value: bool) {
        self.json(name, if value { b"true" } else { b"false" });
    }

    /// A member that is JSON already.
    pub(crate) fn json(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(value);
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str, members: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        Object::write(self.out, members);
    }

    /// A member that is a list of objects.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut members: impl FnMut(T, &mut Object<'_>),
    ) {
        self.name(name);
        self.out.push(b'[');
        for (number, item) in items.into_iter().enumerate() {
            if number > 0 {
                self.out.push(b',');
            }
            Object::write(self.out, |object| members(item, object));
        }
        self.out.push(b']');
    }

    /// Names are written as they are: no field of an event needs an escape.
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Takes the content of a string, RFC 8259 section 7.
struct Escaped<'w>(&'w mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while let Some(place) = rest.iter().position(|byte| needs_escape(*byte)) {
            let (plain, from) = rest.split_at(place);
            self.0.extend_from_slice(plain);
            rest = from;
            if let Some((byte, behind)) = rest.split_first() {
                self.escape(*byte);
                rest = behind;
            }
        }
        self.0.extend_from_slice(rest);
        Ok(())
    }
}

impl Escaped<'_> {
    fn escape(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
            b'\n' => self.0.extend_from_slice(b"\\n"),
            b'\r' => self.0.extend_from_slice(b"\\r"),
            b'\t' => self.0.extend_from_slice(b"\\t"),
            other => self.0.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(members: impl FnOnce(&mut Object<'_>)) -> Value {
        let mut out = Vec::new();
        Object::write(&mut out, members);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn members_stand_as_they_are_added() {
        let object = written(|object| {
            object.text("a", 7);
            object.text_if("b", None::<&str>);
            object.text_if("c", Some("x"));
            object.truth("d", true);
            object.json("e", b"null");
            object.object("f", |object| object.truth("g", false));
            object.object("h", |_| {});
            object.list("i", [1, 2], |item, object| object.text("n", item));
            object.list("j", [0; 0], |_, _| {});
        });
        let expected = json!({
            "a": "7", "c": "x", "d": true, "e": null, "f": {"g": false}, "h": {}, "i": [{"n": "1"}, {"n": "2"}], "j": []
        });
        assert_eq!(object, expected);
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in any::<String>(), more in "[\\x00-\\x7f]*") {
            let object = written(|object| object.text("t", format_args!("{text}{more}")));
            prop_assert_eq!(&object["t"], &json!(format!("{text}{more}")));
        }
    }
}
