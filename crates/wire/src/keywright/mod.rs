//! Keywright's own service on the wire: what AWS's services do not tell. Its service model, `models/keywright-2026-11-27.json`,
//! is written here, in the form of AWS's; any client that can read those can call it.
//!
//! The types are generated (`cargo xtask gen`). Members that the model requires are plain fields, the others are options.

mod generated;

use crate::Fault;
use crate::event::Shown;
use crate::json;

pub use crate::constraints::UnknownValue;
pub use generated::*;

/// An operation, known by its marker type.
pub trait Operation {
    /// The name, as in `X-Amz-Target: Keywright.<name>`, and of the action in policies: `keywright:<name>`.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_has_the_form_of_one() {
        let read =
            |id: &str| json::decode::<ExplainRequestRequest>(format!(r#"{{"RequestId":"{id}"}}"#).as_bytes());
        assert!(read("07070707-0707-4707-8707-070707070707").is_ok());
        for id in
            ["", "07070707", "07070707-0707-4707-8707-07070707070G", "07070707-0707-4707-8707-070707070707x"]
        {
            assert_eq!(read(id).err().map(|fault| fault.code), Some("ValidationException"), "{id}");
        }
        assert!(generated::PATTERNS.iter().all(|pattern| pattern.compiles()));
    }
}
