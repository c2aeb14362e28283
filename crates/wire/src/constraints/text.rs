//! Strings held to their constraints.

use std::borrow::Cow;
use std::str::FromStr;

use super::Constraint;

/// A string shape that can be an element of a list: a constrained string or an enumeration.
pub(crate) trait SimpleText {
    type Value;
    const CONSTRAINTS: &'static [Constraint];

    /// The value, or nothing if a constraint is violated.
    fn from_text(text: Cow<'_, str>) -> Option<Self::Value>;
}

/// An enumeration of the service model.
pub(crate) trait Enumeration: FromStr {
    const VALUE_SET: Constraint;
}

/// The string, if it satisfies all constraints.
pub(crate) fn text_satisfying(text: Cow<'_, str>, constraints: &[Constraint]) -> Option<String> {
    satisfies_text(&text, constraints, |_| ()).then(|| text.into_owned())
}

/// Whether a string satisfies all constraints; tells of each that it does not.
pub(crate) fn satisfies_text(
    text: &str,
    constraints: &[Constraint],
    mut broken: impl FnMut(&Constraint),
) -> bool {
    let characters = if text.is_ascii() { text.len() } else { text.chars().count() };
    let mut satisfied = true;
    for constraint in constraints.iter().filter(|constraint| !constraint.allows_text(text, characters)) {
        broken(constraint);
        satisfied = false;
    }
    satisfied
}
