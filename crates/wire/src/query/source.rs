//! Readers from a form to the shapes of a service model.

use std::borrow::Cow;

use base::SecretString;

use super::Form;
use super::type_fault::TypeFault;
use crate::constraints::{Constraint, Echo, Enumeration, Path, SimpleText, Violations, satisfies_text};

/// Bytes of a list after which a refusal shows no further element.
const LIST_ECHO_BYTES: usize = 1_024;

/// A value; nothing, if it violates a constraint (which is then noted); or the fault that ends the reading.
pub(crate) type Read<T> = Result<Option<T>, TypeFault>;

/// A shape of the service model that can be read.
pub trait Shape {
    /// The Rust type of its values.
    type Value;

    /// Reads a value that is there.
    fn read(source: Source<'_, '_>) -> Read<Self::Value>;
}

/// One value of a request: the parameter, or the parameters, under one name.
pub struct Source<'f, 's> {
    form: &'f Form,
    /// The parameter's name; empty for the request itself.
    name: String,
    path: Path<'s>,
    violations: &'s mut Violations,
}

impl<'f, 's> Source<'f, 's> {
    /// The request itself.
    pub(crate) fn root(form: &'f Form, violations: &'s mut Violations) -> Self {
        Self { form, name: String::new(), path: Path::root(), violations }
    }

    /// The members of a structure, in the order of `names`.
    pub(crate) fn structure<const N: usize>(
        self,
        names: [&'static str; N],
    ) -> Result<(Scope<'f, 's>, [Slot; N]), TypeFault> {
        let slots = names.map(|member| {
            let name =
                if self.name.is_empty() { member.to_owned() } else { format!("{}.{member}", self.name) };
            let present = self.form.get(&name).is_some() || self.form.has_members(&name);
            Slot { member, name, present }
        });
        if !self.name.is_empty() && self.form.get(&self.name).is_some_and(|value| !value.is_empty()) {
            return Err(TypeFault::not("a structure", &self.name));
        }
        Ok((Scope { form: self.form, path: self.path, violations: self.violations }, slots))
    }

    /// A string.
    pub(crate) fn text(self, constraints: &[Constraint]) -> Read<String> {
        let text = self.scalar()?;
        let echo = Echo::Text(text);
        let path = self.path;
        Ok(satisfies_text(text, constraints, |constraint| self.violations.add(&path, echo, constraint))
            .then(|| text.to_owned()))
    }

    /// A sensitive string.
    pub(crate) fn secret_text(self, constraints: &[Constraint]) -> Read<SecretString> {
        let text = self.scalar()?;
        let path = self.path;
        Ok(satisfies_text(text, constraints, |constraint| {
            self.violations.add(&path, Echo::Hidden, constraint);
        })
        .then(|| SecretString::new(text.to_owned())))
    }

    /// A whole number of 32 bits. What lies beyond 32 bits meets the constraints first.
    pub(crate) fn integer(self, constraints: &[Constraint]) -> Read<i32> {
        let value: i64 = self.scalar()?.parse().map_err(|_| TypeFault::not("an integer", &self.name))?;
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

    /// A truth value, `true` or `false` in any case.
    pub(crate) fn boolean(self) -> Read<bool> {
        match self.scalar()? {
            text if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            text if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(TypeFault::not("true or false", &self.name)),
        }
    }

    /// One name of a set.
    pub(crate) fn enumeration<E: Enumeration>(self) -> Read<E> {
        let text = self.scalar()?;
        let value = text.parse().ok();
        if value.is_none() {
            self.violations.add(&self.path, Echo::Text(text), &E::VALUE_SET);
        }
        Ok(value)
    }

    /// A list of structures.
    pub(crate) fn list<S: Shape>(self, constraints: &[Constraint]) -> Read<Vec<S::Value>> {
        let names = self.elements()?;
        let mut list = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let path = self.path.element(index);
            let source =
                Source { form: self.form, name: name.clone(), path, violations: &mut *self.violations };
            list.extend(S::read(source)?);
        }
        let fits = self.satisfies_length(names.len(), Echo::Hidden, constraints);
        Ok((fits && list.len() == names.len()).then_some(list))
    }

    /// A list of strings. What is wrong with its elements is told once, of the list.
    pub(crate) fn text_list<S: SimpleText>(self, constraints: &[Constraint]) -> Read<Vec<S::Value>> {
        let names = self.elements()?;
        let mut texts = Vec::new();
        for name in &names {
            texts.push(self.form.get(name).ok_or_else(|| TypeFault::not("a string", name))?);
        }
        let list: Vec<S::Value> =
            texts.iter().filter_map(|text| S::from_text(Cow::Borrowed(*text))).collect();
        let shown = list_echo(&texts);
        let complete = list.len() == texts.len();
        if !complete {
            let of_elements = Constraint::Elements(S::CONSTRAINTS);
            self.violations.add(&self.path, Echo::Text(&shown), &of_elements);
        }
        let fits = self.satisfies_length(texts.len(), Echo::Text(&shown), constraints);
        Ok((fits && complete).then_some(list))
    }

    /// The names of a list's elements, in the order of their numbers. `Tags=` is an empty list.
    fn elements(&self) -> Result<Vec<String>, TypeFault> {
        if self.form.get(&self.name).is_some_and(|value| !value.is_empty()) {
            return Err(TypeFault::not("a list", &self.name));
        }
        let numbers = self.form.element_numbers(&self.name);
        Ok(numbers.into_iter().map(|number| format!("{}.member.{number}", self.name)).collect())
    }

    fn scalar(&self) -> Result<&'f str, TypeFault> {
        self.form.get(&self.name).ok_or_else(|| TypeFault::not("a single value", &self.name))
    }

    fn satisfies_length(self, length: usize, echo: Echo<'_>, constraints: &[Constraint]) -> bool {
        let mut satisfied = true;
        for constraint in constraints.iter().filter(|constraint| !constraint.allows_length(length)) {
            self.violations.add(&self.path, echo, constraint);
            satisfied = false;
        }
        satisfied
    }
}

/// The structure whose members are being read.
pub(crate) struct Scope<'f, 's> {
    form: &'f Form,
    path: Path<'s>,
    violations: &'s mut Violations,
}

impl Scope<'_, '_> {
    /// A member that has to be there.
    pub(crate) fn required<S: Shape>(&mut self, slot: Slot) -> Read<S::Value> {
        if !slot.present {
            self.violations.add(&self.path.member(slot.member), Echo::Null, &Constraint::NotNull);
        }
        self.optional::<S>(slot)
    }

    /// A member that may be absent.
    pub(crate) fn optional<S: Shape>(&mut self, slot: Slot) -> Read<S::Value> {
        if !slot.present {
            return Ok(None);
        }
        let path = self.path.member(slot.member);
        S::read(Source { form: self.form, name: slot.name, path, violations: &mut *self.violations })
    }
}

/// A member of a structure: its name in the model, the name of its parameter, and whether it is in the request.
pub(crate) struct Slot {
    member: &'static str,
    name: String,
    present: bool,
}

/// A list as AWS shows it, `[a, b]`, up to what may be shown.
fn list_echo(texts: &[&str]) -> String {
    let mut shown = String::from("[");
    for (at, text) in texts.iter().enumerate() {
        if shown.len() > LIST_ECHO_BYTES {
            break;
        }
        if at > 0 {
            shown.push_str(", ");
        }
        shown.push_str(text);
    }
    shown.push(']');
    shown
}
