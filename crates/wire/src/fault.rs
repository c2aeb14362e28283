//! A refusal on its way to the client.

/// An error answer: AWS's code, the HTTP status and the text for the client.
///
/// What only the log may know stays in the error of the room that made the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code, for example `NotFoundException`: `__type` of awsJson, `Code` of the Query protocol.
    pub code: &'static str,
    /// The HTTP status, 4xx or 5xx.
    pub status: u16,
    /// The text. `None` leaves the member out, as AWS does for InvalidCiphertextException.
    pub message: Option<String>,
}

/// Who is to blame for a fault, by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request was wrong (4xx); sending it again as it is will not help.
    Sender,
    /// The service could not do it (5xx); a retry may succeed.
    Receiver,
}

impl Fault {
    /// A refusal with HTTP status 400, what nearly every error of KMS carries.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: Some(message.into()) }
    }

    /// A refusal with HTTP status 400 and no text member.
    pub fn without_text(code: &'static str) -> Self {
        Self { code, status: 400, message: None }
    }

    /// The same fault with another HTTP status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Who is to blame.
    pub fn kind(&self) -> FaultKind {
        if self.status >= 500 { FaultKind::Receiver } else { FaultKind::Sender }
    }
}
