//! Values of condition keys, handed over without copying.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::net::IpAddr;

use base::{AccountId, Timestamp};

/// What a request says about one condition key.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// The request does not have the key.
    Absent,
    /// A text; whatever operator a policy uses reads it in its own way.
    Text(&'a str),
    /// A truth value, which texts read as `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A moment. Texts read it in ISO 8601, numbers in seconds since the epoch.
    Time(Timestamp),
    /// An address.
    Address(IpAddr),
    /// An account id.
    Account(AccountId),
    /// A key that may have several values; without any it is as good as absent.
    Many(&'a dyn Texts),
    /// The request has the key but its value cannot be told, as when two tags differ in case only. A condition on it
    /// holds in a Deny statement and fails in an Allow statement.
    Unclear,
    /// Nothing is known: it is not about one request.
    Unknown,
}

/// Several texts: the values of one condition key.
pub trait Texts {
    /// Calls `visit` with each until it answers true, and says whether it did.
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        !self.any(&mut |_| true)
    }
}

impl<T: AsRef<str>> Texts for [T] {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        self.iter().any(|text| visit(text.as_ref()))
    }
}

impl<T: AsRef<str>> Texts for Vec<T> {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        self.iter().any(|text| visit(text.as_ref()))
    }
}

impl<T: AsRef<str>> Texts for &[T] {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        self.iter().any(|text| visit(text.as_ref()))
    }
}

/// One text alone.
impl Texts for String {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        visit(self)
    }

    fn is_empty(&self) -> bool {
        false
    }
}

impl<T: AsRef<str>> Texts for BTreeSet<T> {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        self.iter().any(|text| visit(text.as_ref()))
    }
}

/// The keys of a map: names of tags or of an encryption context.
impl<T: AsRef<str>, V> Texts for BTreeMap<T, V> {
    fn any<'t>(&'t self, visit: &mut dyn FnMut(&'t str) -> bool) -> bool {
        self.keys().any(|text| visit(text.as_ref()))
    }
}

impl<'a> Value<'a> {
    /// The value of the pair whose name is `name` but for case, as condition keys of tags and of the encryption context
    /// mean it; unclear if there are several. `name` is in lower case.
    pub fn of_pair<'n>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, name: &'n str) -> Self {
        let mut found = pairs.into_iter().filter(|(own, _)| is_same_but_for_case(own, name));
        match (found.next(), found.next()) {
            (None, _) => Self::Absent,
            (Some((_, value)), None) => Self::Text(value),
            (Some(_), Some(_)) => Self::Unclear,
        }
    }

    /// A text, if there is one.
    pub fn of_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Value::Text)
    }

    /// Whether the request has the key.
    pub(crate) fn is_present(self) -> bool {
        match self {
            Self::Absent => false,
            Self::Many(texts) => !texts.is_empty(),
            Self::Text(_)
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Time(_)
            | Self::Address(_)
            | Self::Account(_)
            | Self::Unclear
            | Self::Unknown => true,
        }
    }

    /// A single value as text; `None` for every other.
    pub(crate) fn rendered(self) -> Option<Rendered<'a>> {
        let mut short = ShortText::default();
        let written = match self {
            Self::Text(text) => return Some(Rendered::Borrowed(text)),
            Self::Absent | Self::Many(_) | Self::Unclear | Self::Unknown => return None,
            Self::Bool(value) => write!(short, "{value}"),
            Self::Number(value) => write!(short, "{value}"),
            Self::Time(time) => write!(short, "{}", Iso8601(time)),
            Self::Address(address) => write!(short, "{address}"),
            Self::Account(account) => write!(short, "{account}"),
        };
        written.is_ok().then_some(Rendered::Short(short))
    }
}

/// Shows what was seen, for explanations.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(absent)"),
            Self::Unclear => f.write_str("(ambiguous)"),
            Self::Unknown => f.write_str("(unknown)"),
            Self::Many(texts) => {
                let mut result = f.write_char('[');
                let mut first = true;
                texts.any(&mut |text| {
                    result = result
                        .and_then(|()| if first { Ok(()) } else { f.write_str(", ") })
                        .and_then(|()| f.write_str(text));
                    first = false;
                    result.is_err()
                });
                result.and_then(|()| f.write_char(']'))
            }
            Self::Text(_)
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Time(_)
            | Self::Address(_)
            | Self::Account(_) => f.write_str(self.rendered().as_ref().map_or("", Rendered::as_str)),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({self})")
    }
}

/// `2026-11-22T08:00:00Z`, without a detour over a `String`.
struct Iso8601(Timestamp);

impl fmt::Display for Iso8601 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = jiff::Timestamp::from_second(self.0.seconds()).map_err(|_| fmt::Error)?;
        write!(f, "{second}")
    }
}

/// A value as text, on the stack if it had to be written.
pub(crate) enum Rendered<'a> {
    Borrowed(&'a str),
    Short(ShortText),
}

impl Rendered<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Short(text) => text.as_str(),
        }
    }
}

/// Longest text that a value other than a text is written as: an IPv6 address has 45 characters at most.
const SHORT_TEXT_MAX: usize = 48;

/// A text on the stack.
#[derive(Clone, Copy)]
pub(crate) struct ShortText {
    length: usize,
    bytes: [u8; SHORT_TEXT_MAX],
}

impl Default for ShortText {
    fn default() -> Self {
        Self { length: 0, bytes: [0; SHORT_TEXT_MAX] }
    }
}

impl ShortText {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Whether two texts are equal without regard to case.
pub(crate) fn is_same_but_for_case(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    let lower =
        |text: &str| text.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase));
    lower(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_single_value_reads_as_text() {
        let time = Timestamp::from_iso_basic("20261122T080001Z").unwrap();
        for (value, text) in [
            (Value::Text("x"), "x"),
            (Value::Bool(true), "true"),
            (Value::Number(i64::MIN), "-9223372036854775808"),
            (Value::Time(time), "2026-11-22T08:00:01Z"),
            (Value::Address("2001:db8::1".parse().unwrap()), "2001:db8::1"),
            (Value::Account("000000000042".parse().unwrap()), "000000000042"),
        ] {
            assert_eq!(value.rendered().unwrap().as_str(), text);
            assert_eq!(value.to_string(), text);
            assert!(value.is_present());
        }
        let longest: IpAddr = "::ffff:255.255.255.255".parse().unwrap();
        assert!(Value::Address(longest).rendered().is_some());
    }

    #[test]
    fn absent_unclear_and_several_values_are_no_text() {
        let (none, some) = (Vec::<String>::new(), vec!["a", "b"]);
        for (value, shown, is_present) in [
            (Value::Absent, "(absent)", false),
            (Value::Unclear, "(ambiguous)", true),
            (Value::Many(&none), "[]", false),
            (Value::Many(&some), "[a, b]", true),
        ] {
            assert!(value.rendered().is_none());
            assert_eq!((value.to_string().as_str(), value.is_present()), (shown, is_present));
        }
    }

    #[test]
    fn a_pair_is_found_by_its_name_in_any_case_unless_there_are_two() {
        let pairs = [("AppName", "X"), ("ÄPFEL", "Y"), ("b", "1"), ("B", "2")];
        for (name, expected) in [("appname", "X"), ("äpfel", "Y"), ("b", "(ambiguous)"), ("c", "(absent)")] {
            assert_eq!(Value::of_pair(pairs, name).to_string(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn case_does_not_count(text in "[a-zäöüéÀ-Ö]{0,20}") {
            prop_assert!(is_same_but_for_case(&text, &text.to_lowercase()));
            let longer = format!("{text}x");
            prop_assert!(!is_same_but_for_case(&text, &longer));
        }
    }
}
