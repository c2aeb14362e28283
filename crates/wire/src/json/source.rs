//! Readers from borrowed JSON to the shapes of a service model.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base::{SecretBytes, SecretString, Timestamp};
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::limits::Limits;
use super::type_fault::{Kind, TypeFault};
use super::{number, text};
use crate::constraints::{Constraint, Echo, Enumeration, Path, SimpleText, Violations, satisfies_text};

/// Bytes of a list after which a refusal shows no further element.
const LIST_ECHO_BYTES: usize = 1_024;

/// A value; nothing, if it violates a constraint (which is then noted); or the fault that ends the reading.
pub(crate) type Read<T> = Result<Option<T>, TypeFault>;

/// A shape of the service model that can be read.
pub trait Shape {
    /// The Rust type of its values.
    type Value;

    /// Reads a value that is not `null`.
    fn read(source: Source<'_, '_>) -> Read<Self::Value>;
}

/// A whole body: one JSON object. What follows the opening brace is checked when its members are read.
pub(crate) struct Root<'a>(&'a str);

impl<'a> Root<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, TypeFault> {
        let text = std::str::from_utf8(body).map_err(|_| TypeFault::malformed())?;
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        match Kind::of(text) {
            Kind::Object => Ok(Self(text)),
            found @ Kind::List => {
                serde_json::from_str::<IgnoredAny>(text).map_err(|_| TypeFault::malformed())?;
                Err(TypeFault::not_collection(found, ""))
            }
            Kind::Text | Kind::Number | Kind::True | Kind::False | Kind::Null => Err(TypeFault::malformed()),
        }
    }

    pub(crate) fn source<'s>(&self, limits: Limits, violations: &'s mut Violations) -> Source<'a, 's> {
        Source::new(self.0, Path::root(), limits, violations)
    }
}

/// One value of a request, where it stands, and where its violations go.
pub struct Source<'a, 's> {
    value: &'a str,
    path: Path<'s>,
    limits: Limits,
    /// The length that the operator admits, if it is above the model's maximum.
    raised: usize,
    violations: &'s mut Violations,
}

impl<'a, 's> Source<'a, 's> {
    fn new(value: &'a str, path: Path<'s>, limits: Limits, violations: &'s mut Violations) -> Self {
        Self { value, path, limits, raised: 0, violations }
    }

    /// The members of a structure, in the order of `names`; the last one of a name counts.
    pub(crate) fn structure<const N: usize>(
        self,
        names: [&'static str; N],
    ) -> Result<(Scope<'s>, [Slot<'a>; N]), TypeFault> {
        let mut slots = names.map(|name| Slot { name, value: None });
        let found = self.kind();
        if found != Kind::Object {
            return Err(TypeFault::not_collection(found, "Expected null"));
        }
        let mut deserializer = Deserializer::from_str(self.value);
        let read = deserializer.deserialize_map(Slots(&mut slots)).and_then(|()| deserializer.end());
        read.map_err(|_| TypeFault::malformed())?;
        Ok((Scope { path: self.path, limits: self.limits, violations: self.violations }, slots))
    }

    /// A string.
    pub(crate) fn text(self, constraints: &[Constraint]) -> Read<String> {
        let text = self.plain_text()?;
        let echo = Echo::Text(&text);
        let path = self.path;
        Ok(satisfies_text(&text, constraints, |constraint| self.violations.add(&path, echo, constraint))
            .then(|| text.into_owned()))
    }

    /// A sensitive string.
    pub(crate) fn secret_text(self, constraints: &[Constraint]) -> Read<SecretString> {
        self.expect_scalar(Kind::Text, "a String")?;
        let secret = text::secret_text(self.value)?;
        let path = self.path;
        Ok(satisfies_text(secret.expose(), constraints, |constraint| {
            self.violations.add(&path, Echo::Hidden, constraint);
        })
        .then_some(secret))
    }

    /// Bytes.
    pub(crate) fn blob(mut self, constraints: &[Constraint]) -> Read<Vec<u8>> {
        self.expect_scalar(Kind::Text, "a Blob")?;
        let bytes = text::bytes(self.value)?;
        Ok(self.satisfies_length(bytes.len(), Echo::Hidden, constraints).then_some(bytes))
    }

    /// Sensitive bytes.
    pub(crate) fn secret_blob(mut self, constraints: &[Constraint]) -> Read<SecretBytes> {
        self.expect_scalar(Kind::Text, "a Blob")?;
        let bytes = text::secret_bytes(self.value)?;
        Ok(self.satisfies_length(bytes.len(), Echo::Hidden, constraints).then_some(bytes))
    }

    /// A whole number of 32 bits; a fraction is cut off. What lies beyond 32 bits meets the constraints first.
    pub(crate) fn integer(self, constraints: &[Constraint]) -> Read<i32> {
        self.expect_scalar(Kind::Number, "an Integer")?;
        let value = number::scaled(self.value, 0);
        let of_type =
            [Constraint::MaximumValue(i64::from(i32::MAX)), Constraint::MinimumValue(i64::from(i32::MIN))];
        let mut broken =
            constraints.iter().chain(&of_type).filter(|constraint| !constraint.allows_number(value));
        match broken.next() {
            Some(constraint) => self.violations.add(&self.path, Echo::Number(value), constraint),
            None => return Ok(i32::try_from(value).ok()),
        }
        Ok(None)
    }

    /// A truth value.
    pub(crate) fn boolean(self) -> Read<bool> {
        match self.kind() {
            Kind::True => Ok(Some(true)),
            Kind::False => Ok(Some(false)),
            found @ (Kind::Object | Kind::List | Kind::Text | Kind::Number | Kind::Null) => {
                Err(TypeFault::not_scalar(found, "a Boolean"))
            }
        }
    }

    /// A moment, in seconds since the epoch.
    pub(crate) fn timestamp(self) -> Read<Timestamp> {
        self.expect_scalar(Kind::Number, "milliseconds since epoch")?;
        Ok(Some(Timestamp::from_millis(number::milliseconds(self.value))))
    }

    /// One name of a set.
    pub(crate) fn enumeration<E: Enumeration>(self) -> Read<E> {
        let text = self.plain_text()?;
        let value = text.parse().ok();
        if value.is_none() {
            self.violations.add(&self.path, Echo::Text(&text), &E::VALUE_SET);
        }
        Ok(value)
    }

    /// A map of strings without constraints. Of a repeated key the last value counts.
    pub(crate) fn text_map(self) -> Read<BTreeMap<String, String>> {
        let found = self.kind();
        if found != Kind::Object {
            return Err(TypeFault::not_collection(found, "Expected map or null"));
        }
        let entries: BTreeMap<String, &RawValue> =
            serde_json::from_str(self.value).map_err(|_| TypeFault::malformed())?;
        let mut map = BTreeMap::new();
        let mut complete = true;
        for (key, value) in entries {
            let path = self.path.entry(&key);
            match Slot::present(value) {
                Some(value) => {
                    let source = Source::new(value, path, self.limits, &mut *self.violations);
                    let text = source.plain_text()?.into_owned();
                    map.insert(key, text);
                }
                None => {
                    self.violations.add(&path, Echo::Null, &Constraint::NotNull);
                    complete = false;
                }
            }
        }
        Ok(complete.then_some(map))
    }

    /// A list of structures.
    pub(crate) fn list<S: Shape>(mut self, constraints: &[Constraint]) -> Read<Vec<S::Value>> {
        let elements = self.elements()?;
        let mut list = Vec::new();
        let mut complete = self.satisfies_length(elements.len(), Echo::Hidden, constraints);
        for (index, value) in elements.into_iter().enumerate() {
            let path = self.path.element(index);
            match Slot::present(value) {
                Some(value) => match S::read(Source::new(value, path, self.limits, &mut *self.violations))? {
                    Some(element) => list.push(element),
                    None => complete = false,
                },
                None => {
                    self.violations.add(&path, Echo::Null, &Constraint::NotNull);
                    complete = false;
                }
            }
        }
        Ok(complete.then_some(list))
    }

    /// A list of strings. What is wrong with its elements is told once, of the list.
    pub(crate) fn text_list<S: SimpleText>(mut self, constraints: &[Constraint]) -> Read<Vec<S::Value>> {
        let elements = self.elements()?;
        let mut list = Vec::new();
        let mut null_found = false;
        for value in &elements {
            match Slot::present(value) {
                Some(value) => {
                    let source = Source::new(value, self.path, self.limits, &mut *self.violations);
                    let text = source.plain_text()?;
                    list.extend(S::from_text(text));
                }
                None => null_found = true,
            }
        }
        if list.len() == elements.len()
            && constraints.iter().all(|constraint| constraint.allows_length(list.len()))
        {
            return Ok(Some(list));
        }
        let shown = list_echo(&elements);
        let of_elements = if null_found {
            Constraint::Elements(&[Constraint::NotNull])
        } else {
            Constraint::Elements(S::CONSTRAINTS)
        };
        if list.len() < elements.len() {
            self.violations.add(&self.path, Echo::Text(&shown), &of_elements);
        }
        self.satisfies_length(elements.len(), Echo::Text(&shown), constraints);
        Ok(None)
    }

    fn elements(&self) -> Result<Vec<&'a RawValue>, TypeFault> {
        let found = self.kind();
        if found != Kind::List {
            return Err(TypeFault::not_collection(found, "Expected list or null"));
        }
        serde_json::from_str(self.value).map_err(|_| TypeFault::malformed())
    }

    fn plain_text(&self) -> Result<Cow<'a, str>, TypeFault> {
        self.expect_scalar(Kind::Text, "a String")?;
        text::text(self.value)
    }

    fn kind(&self) -> Kind {
        Kind::of(self.value)
    }

    fn expect_scalar(&self, expected: Kind, wanted: &str) -> Result<(), TypeFault> {
        let found = self.kind();
        if found == expected { Ok(()) } else { Err(TypeFault::not_scalar(found, wanted)) }
    }

    fn satisfies_length(&mut self, length: usize, echo: Echo<'_>, constraints: &[Constraint]) -> bool {
        let mut satisfied = true;
        let in_force = constraints.iter().map(|constraint| constraint.raised_to(self.raised));
        for constraint in in_force.filter(|constraint| !constraint.allows_length(length)) {
            self.violations.add(&self.path, echo, &constraint);
            satisfied = false;
        }
        satisfied
    }
}

/// The structure whose members are being read.
pub(crate) struct Scope<'s> {
    path: Path<'s>,
    limits: Limits,
    violations: &'s mut Violations,
}

impl Scope<'_> {
    /// What the operator admits.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// A member that has to be there.
    pub(crate) fn required<S: Shape>(&mut self, slot: Slot<'_>) -> Read<S::Value> {
        self.required_raised::<S>(slot, 0)
    }

    /// A member that has to be there, and may be longer than the model has it.
    pub(crate) fn required_raised<S: Shape>(&mut self, slot: Slot<'_>, raised: usize) -> Read<S::Value> {
        if slot.value.is_none() {
            self.violations.add(&self.path.member(slot.name), Echo::Null, &Constraint::NotNull);
        }
        self.optional_raised::<S>(slot, raised)
    }

    /// A member that may be absent.
    pub(crate) fn optional<S: Shape>(&mut self, slot: Slot<'_>) -> Read<S::Value> {
        self.optional_raised::<S>(slot, 0)
    }

    /// A member that may be absent, and longer than the model has it.
    pub(crate) fn optional_raised<S: Shape>(&mut self, slot: Slot<'_>, raised: usize) -> Read<S::Value> {
        match slot.value {
            Some(value) => {
                let path = self.path.member(slot.name);
                let source = Source::new(value, path, self.limits, &mut *self.violations);
                S::read(Source { raised, ..source })
            }
            None => Ok(None),
        }
    }
}

/// A member of a structure, by its name in the model, and its value unless it is absent or `null`.
pub(crate) struct Slot<'a> {
    name: &'static str,
    value: Option<&'a str>,
}

impl<'a> Slot<'a> {
    fn present(value: &'a RawValue) -> Option<&'a str> {
        Some(value.get()).filter(|json| Kind::of(json) != Kind::Null)
    }
}

/// Fills the slots of the known members and skips the others.
struct Slots<'f, 'a>(&'f mut [Slot<'a>]);

impl<'a> Visitor<'a> for Slots<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(known) = members.next_key_seed(Name(self.0))? {
            match known {
                Some(at) => {
                    let value = members.next_value()?;
                    let slot = self.0.get_mut(at).ok_or_else(|| A::Error::custom("no such member"))?;
                    slot.value = Slot::present(value);
                }
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the slot of a member's name.
struct Name<'f, 'a>(&'f [Slot<'a>]);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|slot| slot.name == name))
    }
}

/// A list as AWS shows it, `[a, b]`, up to what may be shown.
fn list_echo(elements: &[&RawValue]) -> String {
    let mut shown = String::from("[");
    for (at, element) in elements.iter().enumerate() {
        if shown.len() > LIST_ECHO_BYTES {
            break;
        }
        if at > 0 {
            shown.push_str(", ");
        }
        shown.push_str(&text::text(element.get()).unwrap_or(Cow::Borrowed("null")));
    }
    shown.push(']');
    shown
}
