//! The constraints that service models put on requests, and the one text that tells what violates them. Every protocol
//! checks them alike.

mod constraint;
mod text;
mod violations;

pub(crate) use constraint::{Constraint, Pattern};
pub(crate) use text::{Enumeration, SimpleText, satisfies_text, text_satisfying};
pub(crate) use violations::{Echo, Path, Violations};

/// A text is not among the values of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a value of this enumeration")]
pub struct UnknownValue;
