//! The constraints that a service model can put on a member, and their words.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

/// One constraint of a shape. Its `Display` is AWS's text, from `Member must` on.
#[derive(Clone, Copy)]
pub(crate) enum Constraint {
    /// Characters of a string, bytes of a blob, elements of a list.
    MaximumLength(usize),
    /// Characters of a string, bytes of a blob, elements of a list.
    MinimumLength(usize),
    /// Of a number.
    MaximumValue(i64),
    /// Of a number.
    MinimumValue(i64),
    /// The whole string matches.
    Pattern(&'static Pattern),
    /// The string is one of these.
    ValueSet(&'static [&'static str]),
    /// Every element of a list of strings satisfies these.
    Elements(&'static [Constraint]),
    /// A value is there.
    NotNull,
}

impl Constraint {
    /// Whether a string of this many characters satisfies it. Constraints of other kinds of value do not speak of strings.
    pub(crate) fn allows_text(&self, text: &str, characters: usize) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(text),
            Self::ValueSet(values) => values.contains(&text),
            Self::MaximumLength(_)
            | Self::MinimumLength(_)
            | Self::MaximumValue(_)
            | Self::MinimumValue(_)
            | Self::Elements(_)
            | Self::NotNull => self.allows_length(characters),
        }
    }

    /// The same, with at least this maximum if it is one of length.
    pub(crate) fn raised_to(&self, length: usize) -> Self {
        if let Self::MaximumLength(maximum) = self {
            return Self::MaximumLength(length.max(*maximum));
        }
        *self
    }

    /// Whether a string, blob or list of this length satisfies it.
    pub(crate) fn allows_length(&self, length: usize) -> bool {
        match self {
            Self::MaximumLength(maximum) => length <= *maximum,
            Self::MinimumLength(minimum) => length >= *minimum,
            Self::MaximumValue(_)
            | Self::MinimumValue(_)
            | Self::Pattern(_)
            | Self::ValueSet(_)
            | Self::Elements(_)
            | Self::NotNull => true,
        }
    }

    /// Whether a number satisfies it.
    pub(crate) fn allows_number(&self, number: i64) -> bool {
        match self {
            Self::MaximumValue(maximum) => number <= *maximum,
            Self::MinimumValue(minimum) => number >= *minimum,
            Self::MaximumLength(_)
            | Self::MinimumLength(_)
            | Self::Pattern(_)
            | Self::ValueSet(_)
            | Self::Elements(_)
            | Self::NotNull => true,
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaximumLength(maximum) => {
                write!(f, "Member must have length less than or equal to {maximum}")
            }
            Self::MinimumLength(minimum) => {
                write!(f, "Member must have length greater than or equal to {minimum}")
            }
            Self::MaximumValue(maximum) => {
                write!(f, "Member must have value less than or equal to {maximum}")
            }
            Self::MinimumValue(minimum) => {
                write!(f, "Member must have value greater than or equal to {minimum}")
            }
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {}", pattern.modelled)
            }
            Self::ValueSet(values) => {
                write!(f, "Member must satisfy enum value set: [{}]", values.join(", "))
            }
            Self::Elements(constraints) => {
                f.write_str("Member must satisfy constraint: [")?;
                for (at, constraint) in constraints.iter().enumerate() {
                    let separator = if at == 0 { "" } else { ", " };
                    write!(f, "{separator}{constraint}")?;
                }
                f.write_str("]")
            }
            Self::NotNull => f.write_str("Member must not be null"),
        }
    }
}

/// A regular expression of a service model: in the model's own words and in this program's dialect.
pub(crate) struct Pattern {
    modelled: &'static str,
    ported: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// `modelled` is shown to clients; `ported` means the same to the `regex` crate.
    pub(crate) const fn new(modelled: &'static str, ported: &'static str) -> Self {
        Self { modelled, ported, compiled: OnceLock::new() }
    }

    /// Whether the whole text matches. A pattern that does not compile matches nothing; a test compiles them all.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let compile = || Regex::new(&format!(r"\A(?:{})\z", self.ported)).ok();
        self.compiled.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(text))
    }

    #[cfg(test)]
    pub(crate) fn compiles(&self) -> bool {
        self.matches("");
        self.compiled.get().is_some_and(Option::is_some)
    }
}
