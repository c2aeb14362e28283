//! JSON strings as text and as bytes, without copies of secrets outside wiped memory.

use std::borrow::Cow;

use base::{SecretBytes, SecretString};
use base64_simd::{AsOut, STANDARD};

use super::type_fault::TypeFault;

/// The text of a JSON string (RFC 8259, section 7), quotation marks included, which is known to be well-formed but
/// for its surrogates. Borrowed where it holds no escape.
pub(crate) fn text(json: &str) -> Result<Cow<'_, str>, TypeFault> {
    let inner = unquoted(json)?;
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut text = String::new();
    unescape(inner, &mut text)?;
    Ok(Cow::Owned(text))
}

/// The same for a secret: one copy, in memory that is wiped.
pub(crate) fn secret_text(json: &str) -> Result<SecretString, TypeFault> {
    let inner = unquoted(json)?;
    // No escape is shorter than what it stands for, so the buffer is never outgrown.
    let mut text = String::with_capacity(inner.len());
    let outcome = unescape(inner, &mut text);
    let text = SecretString::new(text);
    outcome.map(|()| text)
}

/// The bytes of a JSON string in standard base64 with padding (RFC 4648, section 4).
pub(crate) fn bytes(json: &str) -> Result<Vec<u8>, TypeFault> {
    STANDARD.decode_type::<Vec<u8>>(text(json)?.as_bytes()).map_err(|_| TypeFault::malformed())
}

/// The same for a secret: decoded straight into memory that is wiped.
pub(crate) fn secret_bytes(json: &str) -> Result<SecretBytes, TypeFault> {
    let inner = unquoted(json)?;
    if !inner.contains('\\') {
        return secret_from_base64(inner);
    }
    secret_from_base64(secret_text(json)?.expose())
}

fn secret_from_base64(base64: &str) -> Result<SecretBytes, TypeFault> {
    let malformed = |_| TypeFault::malformed();
    let length = STANDARD.decoded_length(base64.as_bytes()).map_err(malformed)?;
    let mut secret = SecretBytes::zeroed(length);
    STANDARD.decode(base64.as_bytes(), secret.expose_mut().as_out()).map_err(malformed)?;
    Ok(secret)
}

fn unquoted(json: &str) -> Result<&str, TypeFault> {
    json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(TypeFault::malformed)
}

fn unescape(inner: &str, text: &mut String) -> Result<(), TypeFault> {
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut characters = escape.chars();
        let character = match characters.next() {
            Some('u') => unicode_escape(&mut characters),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some(itself @ ('"' | '\\' | '/')) => Some(itself),
            Some(_) | None => None,
        };
        text.push(character.ok_or_else(TypeFault::malformed)?);
        rest = characters.as_str();
    }
    text.push_str(rest);
    Ok(())
}

/// What follows `\u`: four hexadecimal digits, or twice four for a character beyond U+FFFF. A lone surrogate is no
/// character.
fn unicode_escape(characters: &mut std::str::Chars<'_>) -> Option<char> {
    let first = code_unit(characters)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    let introduced = characters.next() == Some('\\') && characters.next() == Some('u');
    let second = if introduced { code_unit(characters)? } else { return None };
    if !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
}

fn code_unit(characters: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + characters.next()?.to_digit(16)?;
    }
    Some(unit)
}
