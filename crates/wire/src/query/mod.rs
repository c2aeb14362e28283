//! The Query protocol of IAM and STS: form-encoded requests, XML answers.
//!
//! A request is a [`Form`]; members of structures and elements of lists are parameters with dots in their names:
//! `Tags.member.1.Key`. Unknown parameters are skipped. An answer is XML.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

mod form;
mod output;
mod source;
mod type_fault;

#[cfg(test)]
mod tests;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::constraints::Violations;
use crate::{Fault, FaultKind};
use output::Measure;

pub use form::Form;

pub(crate) use crate::constraints::{Constraint, Enumeration, Pattern, SimpleText, text_satisfying};
pub(crate) use output::{Encode, Markup, Object, Sink};
pub(crate) use source::{Read, Shape, Source};

/// The input of an operation. Only the types generated from the service models implement it.
pub trait Request: Shape<Value = Self> {}

/// The output of an operation. Only the types generated from the service models implement it.
pub trait Response: Encode {
    /// False for operations without an output shape, whose answers have no result element.
    const HAS_BODY: bool;
}

/// Reads a request and checks every constraint that the service model states.
///
/// # Errors
/// - `MalformedInput`: a value that does not have the form of its type, such as a number that is none.
/// - `ValidationError`: constraints violated, all of them in one text.
pub fn decode<R: Request>(form: &Form) -> Result<R, Fault> {
    let mut violations = Violations::default();
    let request = R::read(Source::root(form, &mut violations))?;
    match (request, violations.into_fault("ValidationError")) {
        (Some(request), None) => Ok(request),
        (_, Some(fault)) => Err(fault),
        // No reader gives nothing without saying why; if one did, refusing is the safe answer.
        (None, None) => Err(type_fault::TypeFault::missing().into()),
    }
}

/// The answer to a call that went well, as XML.
///
/// The buffer is sized before anything is written, so no partial copy of a secret stays behind in memory that was
/// outgrown. The bytes that come back may hold the secret of an access key: whoever sends them wipes them.
pub fn encode<R: Response>(namespace: &str, operation: &str, response: &R, request_id: &str) -> Vec<u8> {
    let mut measure = Measure::default();
    write_response(&mut measure, namespace, operation, response, request_id);
    let mut bytes = Vec::with_capacity(measure.length());
    write_response(&mut bytes, namespace, operation, response, request_id);
    bytes
}

/// The answer to a call that was refused or failed. Without a text there is no Message element.
pub fn encode_fault(namespace: &str, fault: &Fault, request_id: &str) -> Vec<u8> {
    let kind = match fault.kind() {
        FaultKind::Sender => "Sender",
        FaultKind::Receiver => "Receiver",
    };
    let mut bytes = Vec::new();
    bytes.markup(&["<ErrorResponse xmlns=\""]).text(namespace).markup(&["\"><Error>"]);
    bytes.element("Type", kind).element("Code", fault.code);
    if let Some(message) = &fault.message {
        bytes.element("Message", message.as_str());
    }
    bytes.markup(&["</Error>"]).element("RequestId", request_id).markup(&["</ErrorResponse>"]);
    bytes
}

/// A text as IAM encodes policy documents in its answers: RFC 3986, everything but unreserved characters escaped.
pub fn percent_encode(text: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn write_response<R: Response>(
    sink: &mut impl Sink,
    namespace: &str,
    operation: &str,
    response: &R,
    request_id: &str,
) {
    sink.markup(&["<", operation, "Response xmlns=\""]).text(namespace).markup(&["\">"]);
    if R::HAS_BODY {
        sink.markup(&["<", operation, "Result>"]);
        response.encode(sink);
        sink.markup(&["</", operation, "Result>"]);
    }
    sink.markup(&["<ResponseMetadata>"]).element("RequestId", request_id).markup(&["</ResponseMetadata>"]);
    sink.markup(&["</", operation, "Response>"]);
}
