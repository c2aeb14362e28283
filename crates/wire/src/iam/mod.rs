//! AWS IAM on the wire: the operations of its service model, version 2010-05-08, that are pinned in `models/`, with their
//! structures, enumerations and errors.
//!
//! The types are generated (`cargo xtask gen`) from `models/iam-2010-05-08.json`. Members that the model requires are plain
//! fields, the others are options; sensitive members are secrets.

mod generated;

use crate::Fault;
use crate::event::Shown;
use crate::query;

pub use crate::constraints::UnknownValue;
pub use generated::*;

/// The XML namespace of answers and errors.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The API's version, the only one there is.
pub const VERSION: &str = "2010-05-08";

/// An operation, known by its marker type, with its request and its response.
pub trait Operation {
    /// The name, as in `Action=<name>`.
    const NAME: &'static str;
    /// What it takes.
    type Request: query::Request + Shown;
    /// What it gives.
    type Response: query::Response + Shown;
    /// The errors that the model says it can answer with.
    const ERRORS: &'static [ErrorCode];
}

impl ErrorCode {
    /// A refusal with this code, its status and a text.
    pub fn fault(self, message: impl Into<String>) -> Fault {
        Fault { code: self.as_str(), status: self.status(), message: Some(message.into()) }
    }
}

/// Every pattern that a request can meet.
#[cfg(test)]
pub(crate) fn patterns() -> impl Iterator<Item = &'static query::Pattern> {
    generated::PATTERNS.into_iter()
}
