//! The STS operations, one file each in `ops`, and what they share. None of them changes what is stored: a session is all in
//! its token.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>

mod authorize;
mod error;
mod ops;
mod role;
mod session_request;
mod table;
#[cfg(test)]
mod tests;

use wire::Fault;
use wire::query::Form;

pub use error::StsError;
pub use table::{Operation, Refused};

/// How much of an unknown operation's name is told back, in characters.
const ECHO_LENGTH_MAX: usize = 128;

/// The refusal of a request that names no operation.
pub(crate) fn missing_action() -> Fault {
    Fault::bad_request("MissingAction", "The request is missing an action.")
}

/// The refusal of a call to an operation that a Query service does not offer.
pub fn unknown_operation(form: &Form) -> Fault {
    let shortened = |text: &str| text.chars().take(ECHO_LENGTH_MAX).collect::<String>();
    let action = shortened(form.action().unwrap_or_default());
    let version = shortened(form.version().unwrap_or("NO_VERSION_SPECIFIED"));
    Fault::bad_request("InvalidAction", format!("Could not find operation {action} for version {version}"))
}
