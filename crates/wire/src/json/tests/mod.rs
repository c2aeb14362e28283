//! The codec against the wire specification (sections 2, 3, 5 and 9), through real request and response types.

mod properties;
mod reading;
mod refusals;
mod writing;

use super::{Request, decode};

/// Code and text of the refusal that a body meets.
fn refusal<R: Request>(body: &str) -> (&'static str, Option<String>) {
    match decode::<R>(body.as_bytes()) {
        Ok(_) => panic!("accepted: {body}"),
        Err(fault) => {
            assert_eq!(fault.status, 400, "{body}");
            (fault.code, fault.message)
        }
    }
}

/// Asserts a `ValidationException` with exactly this text.
fn assert_invalid<R: Request>(body: &str, text: &str) {
    assert_eq!(refusal::<R>(body), ("ValidationException", Some(text.to_owned())), "{body}");
}

/// Asserts a `SerializationException` with exactly this text, or with none.
fn assert_unreadable<R: Request>(body: &str, text: Option<&str>) {
    assert_eq!(refusal::<R>(body), ("SerializationException", text.map(str::to_owned)), "{body}");
}
