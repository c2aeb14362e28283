//! The canonical request and the string to sign.
//!
//! Each is written into one buffer: its size is at most a small multiple of the request head.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::{ALGORITHM, Form, RequestHead, SignedRequest, TERMINATOR};

/// What AWS's UriEncode touches: everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Room for the fixed parts, so that the buffer of an ordinary request never grows.
const ROOM: usize = 128;

/// The canonical request. `payload_hash` is that of the body, in lower-case hexadecimal, or what S3 takes
/// in its place.
pub(super) fn request(head: &RequestHead<'_>, signed: &SignedRequest<'_>, payload_hash: &[u8]) -> Vec<u8> {
    let values: usize = signed.headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let room = ROOM + head.path.len() + 2 * head.query.len() + values + signed.signed_headers.len();
    let mut out = Vec::with_capacity(room);
    push_line(&mut out, head.method);
    push_path(&mut out, head.path, &signed.scope.service);
    out.push(b'\n');
    push_query(&mut out, head.query, signed.form);
    out.push(b'\n');
    push_headers(&mut out, signed);
    out.push(b'\n');
    push_line(&mut out, &signed.signed_headers);
    out.extend_from_slice(payload_hash);
    out
}

/// The text whose HMAC is the signature. `request_hash` is the SHA-256 digest of the canonical request.
pub(super) fn string_to_sign(signed: &SignedRequest<'_>, request_hash: &[u8; 32]) -> Vec<u8> {
    let scope = &signed.scope;
    let mut out = Vec::with_capacity(2 * ROOM + scope.region.len() + scope.service.len());
    push_line(&mut out, ALGORITHM);
    push_line(&mut out, signed.moment.iso_basic());
    for part in [&scope.date, &scope.region, &scope.service] {
        out.extend_from_slice(part.as_bytes());
        out.push(b'/');
    }
    push_line(&mut out, TERMINATOR);
    out.extend_from_slice(&hexadecimal(request_hash));
    out
}

/// 64 lower-case digits.
pub(super) fn hexadecimal(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

fn push_line(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// The path without empty, `.` and `..` segments, encoded once more than it came. S3 takes it as it came.
///
/// As botocore does, and unlike RFC 3986, a final `.` or `..` leaves no slash at the end.
fn push_path(out: &mut Vec<u8>, path: &str, service: &str) {
    if service == "s3" {
        out.extend_from_slice(if path.is_empty() { b"/" } else { path.as_bytes() });
        return;
    }
    let start = out.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                let slash = out.iter().skip(start).rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(start + slash);
            }
            _ => {
                out.push(b'/');
                push_encoded(out, segment.as_bytes());
            }
        }
    }
    if out.len() == start || path.ends_with('/') {
        out.push(b'/');
    }
}

/// The parameters, each name and value decoded and encoded anew, ordered by name and then by value. `+` is a space. A
/// parameter without `=` has the empty value. The signature itself is left out of the query form.
fn push_query(out: &mut Vec<u8>, query: &str, form: Form) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode_anew(name), encode_anew(value)))
        .filter(|(name, _)| form == Form::Header || name != b"X-Amz-Signature")
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// `name:value` lines; the values of a repeated header are joined by commas.
fn push_headers(out: &mut Vec<u8>, signed: &SignedRequest<'_>) {
    let mut previous = "";
    for (name, value) in &signed.headers {
        if *name == previous {
            // Turns the end of the line before into a comma.
            out.pop();
            out.push(b',');
        } else {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        push_trimmed(out, value);
        out.push(b'\n');
        previous = name;
    }
}

/// The value without white space at its ends, and with one space for each run of white space inside.
fn push_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    if memchr::memchr2(b' ', b'\t', value).is_none() {
        out.extend_from_slice(value);
        return;
    }
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

fn push_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    for piece in percent_encode(bytes, ENCODED) {
        out.extend_from_slice(piece.as_bytes());
    }
}

fn encode_anew(component: &str) -> Vec<u8> {
    let with_spaces = component.replace('+', " ");
    let decoded: Cow<'_, [u8]> = percent_decode(with_spaces.as_bytes()).into();
    let mut out = Vec::with_capacity(component.len());
    push_encoded(&mut out, &decoded);
    out
}
