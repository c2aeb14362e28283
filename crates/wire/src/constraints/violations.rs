//! Constraint violations of one request, collected into one refusal.
//!
//! Texts: wire specification, section 5 (recorded from AWS KMS); the form for lists of strings and the order of the
//! violations of one value (pattern before length) are known from other services of the same framework.

use std::fmt::{self, Write};

use super::Constraint;
use crate::Fault;

/// Characters of a refused value that are shown. AWS shows whole values; ours stay bounded.
const ECHO_CHARACTERS: usize = 1_024;
/// Bytes of text after which further violations are counted but not told.
const TEXT_BYTES: usize = 8_192;

/// Where in a request a value stands, as AWS writes it: `tags.1.member.tagKey`.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Member(&'static str),
    Element(usize),
    Entry(&'p str),
}

impl<'p> Path<'p> {
    /// The request itself.
    pub(crate) fn root() -> Self {
        Self { parent: None, step: Step::Root }
    }

    /// A member of the structure at this path, by its name in the model: `KeyId`.
    pub(crate) fn member(&'p self, name: &'static str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// An element of the list at this path; the first has index 0 here and 1 in the text.
    pub(crate) fn element(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Element(index) }
    }

    /// A value of the map at this path.
    pub(crate) fn entry(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Entry(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if !matches!(parent.step, Step::Root) {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => {
                let mut characters = name.chars();
                characters.next().map_or(Ok(()), |first| f.write_char(first.to_ascii_lowercase()))?;
                f.write_str(characters.as_str())
            }
            Step::Element(index) => write!(f, "{}.member", index + 1),
            Step::Entry(key) => write!(f, "{}.member", Shown(key)),
        }
    }
}

/// What the text tells of the refused value.
#[derive(Clone, Copy)]
pub(crate) enum Echo<'v> {
    /// `Value null`: there is none.
    Null,
    /// `Value '…'`.
    Text(&'v str),
    /// `Value '…'`.
    Number(i64),
    /// `Value`: it is sensitive, or bytes.
    Hidden,
}

impl fmt::Display for Echo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str(" null"),
            Self::Text(text) => write!(f, " '{}'", Shown(text)),
            Self::Number(number) => write!(f, " '{number}'"),
            Self::Hidden => Ok(()),
        }
    }
}

/// A text, cut to what may be shown.
struct Shown<'v>(&'v str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(ECHO_CHARACTERS).and_then(|(end, _)| self.0.get(..end)) {
            Some(beginning) => write!(f, "{beginning}..."),
            None => f.write_str(self.0),
        }
    }
}

/// The violations of one request.
#[derive(Default)]
pub(crate) struct Violations {
    count: usize,
    text: String,
}

impl Violations {
    /// Notes that the value at `path` does not satisfy `constraint`.
    pub(crate) fn add(&mut self, path: &Path<'_>, echo: Echo<'_>, constraint: &Constraint) {
        self.count += 1;
        if self.text.len() > TEXT_BYTES {
            return;
        }
        let separator = if self.text.is_empty() { "" } else { "; " };
        // Writing to a String does not fail.
        let _ = write!(
            self.text,
            "{separator}Value{echo} at '{path}' failed to satisfy constraint: {constraint}"
        );
    }

    /// The refusal, if there is anything to refuse. `code` is the protocol's: ValidationException or ValidationError.
    pub(crate) fn into_fault(self, code: &'static str) -> Option<Fault> {
        let plural = match self.count {
            0 => return None,
            1 => "",
            _ => "s",
        };
        let text = format!("{} validation error{plural} detected: {}", self.count, self.text);
        Some(Fault::bad_request(code, text))
    }
}
