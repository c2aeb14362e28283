//! AWS KMS on the wire: every operation, structure, enumeration and error of its service model, version 2014-11-01.
//!
//! The types are generated (`cargo xtask gen`) from `models/kms-2014-11-01.json`. Members that the model requires are
//! plain fields, the others are options; sensitive members are secrets.

mod generated;

#[cfg(test)]
mod tests;

use crate::Fault;
use crate::event::Shown;
use crate::json;

pub use crate::constraints::UnknownValue;
pub use generated::*;

/// An operation, known by its marker type: `Encrypt` has `EncryptRequest` and `EncryptResponse`.
pub trait Operation {
    /// The name, as in `X-Amz-Target: TrentService.<name>`.
    const NAME: &'static str;
    /// What it takes.
    type Request: json::Request + Shown;
    /// What it gives.
    type Response: json::Response + Shown;
    /// The errors that the model says it can answer with.
    const ERRORS: &'static [ErrorCode];
}

impl ErrorCode {
    /// A refusal with this code, its status and a text.
    pub fn fault(self, message: impl Into<String>) -> Fault {
        Fault { code: self.as_str(), status: self.status(), message: Some(message.into()) }
    }

    /// A refusal with this code and its status, without text.
    pub fn fault_without_text(self) -> Fault {
        Fault { code: self.as_str(), status: self.status(), message: None }
    }
}
