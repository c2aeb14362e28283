//! The awsJson 1.1 codec: request bodies in, response and error bodies out.
//!
//! A body is read in one pass into borrowed slices, one per known member, and every slice is then read as the shape
//! that the service model gives the member. Unknown members are skipped, `null` counts as absent, of a repeated
//! member the last one counts. The texts of refusals are AWS's; `constraints` and `type_fault` name their sources.

mod limits;
mod number;
mod output;
mod source;
mod text;
mod type_fault;

#[cfg(test)]
mod tests;

use crate::Fault;
use crate::constraints::Violations;
use output::Measure;
use source::Root;

pub use limits::Limits;

pub(crate) use crate::constraints::{Constraint, Enumeration, Pattern, SimpleText, text_satisfying};
pub(crate) use output::{Encode, Object, Sink};
pub(crate) use source::{Read, Shape, Source};

/// The input of an operation. Only the types generated from the service models implement it.
pub trait Request: Shape<Value = Self> {}

/// The output of an operation. Only the types generated from the service models implement it.
pub trait Response: Encode {
    /// False for operations without an output shape, which answer with an empty body.
    const HAS_BODY: bool;
}

/// Reads a request body and checks every constraint that the service model states.
///
/// # Errors
/// - `SerializationException`: not UTF-8, not one JSON object, a value of the wrong JSON type, or a blob that is not
///   standard base64 with padding. A type fault wins over constraint violations.
/// - `ValidationException`: constraints violated, all of them in one text.
pub fn decode<R: Request>(body: &[u8]) -> Result<R, Fault> {
    decode_within(Limits::default(), body)
}

/// As [`decode`], where some members may be longer than the service model has it.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_within<R: Request>(limits: Limits, body: &[u8]) -> Result<R, Fault> {
    let root = Root::parse(body)?;
    let mut violations = Violations::default();
    let request = R::read(root.source(limits, &mut violations))?;
    match (request, violations.into_fault("ValidationException")) {
        (Some(request), None) => Ok(request),
        (_, Some(fault)) => Err(fault),
        // No reader gives nothing without saying why; if one did, refusing is the safe answer.
        (None, None) => Err(type_fault::TypeFault::malformed().into()),
    }
}

/// Writes a response body: empty for an operation without output shape, `{}` for an empty output shape.
///
/// The buffer is sized before anything is written, so no partial copy of a secret stays behind in memory that was
/// outgrown. The bytes that come back may hold plaintext: whoever sends them wipes them.
pub fn encode<R: Response>(response: &R) -> Vec<u8> {
    if !R::HAS_BODY {
        return Vec::new();
    }
    to_json(response)
}

/// Writes an error body: `{"__type":"NotFoundException","message":"…"}`, without `message` if there is no text.
pub fn encode_fault(fault: &Fault) -> Vec<u8> {
    to_json(fault)
}

impl Encode for Fault {
    fn encode(&self, sink: &mut impl Sink) {
        Object::write(sink, |object| {
            object.member("__type", self.code);
            object.optional("message", self.message.as_ref());
        });
    }
}

fn to_json(value: &impl Encode) -> Vec<u8> {
    let mut measure = Measure::default();
    value.encode(&mut measure);
    let mut bytes = Vec::with_capacity(measure.length());
    value.encode(&mut bytes);
    bytes
}
