//! Keys of objects, and their form in paths of the store.

use std::fmt;
use std::str::FromStr;

/// The longest key of an object, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub const OBJECT_KEY_MAX: usize = 1_024;

/// The key of an object: 1 to [`OBJECT_KEY_MAX`] bytes of UTF-8, whatever they are. It is a name and never a path of
/// files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// The text is no key of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObjectKey {
    /// Nothing at all.
    #[error("the key is empty")]
    Empty,
    /// Over [`OBJECT_KEY_MAX`] bytes.
    #[error("the key is longer than 1024 bytes")]
    TooLong(usize),
}

impl ObjectKey {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidObjectKey;

    fn from_str(text: &str) -> Result<Self, InvalidObjectKey> {
        match text.len() {
            0 => Err(InvalidObjectKey::Empty),
            1..=OBJECT_KEY_MAX => Ok(Self(text.to_owned())),
            longer => Err(InvalidObjectKey::TooLong(longer)),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text without control characters, which paths of the store cannot have, in the same order: whatever sorts before
/// something does so here, and what begins with something does so here.
///
/// A control character becomes the character before its range and one more that tells which it is; a space or a tilde
/// of the text itself becomes two characters as well.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let code = u32::from(character);
        let (mark, number) = match code {
            0..=0x20 => (' ', code),
            0x7e => ('~', 0),
            0x7f..=0x9f => ('~', code - 0x7e),
            _ => {
                escaped.push(character);
                continue;
            }
        };
        escaped.push(mark);
        escaped.push(char::from_u32(FIRST + number).unwrap_or(mark));
    }
    escaped
}

/// The text that [`escape`] was given; `None` if it never gave this one.
pub(crate) fn unescape(escaped: &str) -> Option<String> {
    let mut text = String::with_capacity(escaped.len());
    let mut characters = escaped.chars();
    while let Some(character) = characters.next() {
        let code = match character {
            ' ' => u32::from(characters.next()?).checked_sub(FIRST).filter(|number| *number <= 0x20)?,
            '~' => {
                0x7e + u32::from(characters.next()?).checked_sub(FIRST).filter(|number| *number <= 0x21)?
            }
            _ => u32::from(character),
        };
        text.push(char::from_u32(code)?);
    }
    Some(text)
}

/// `!`, the first character that stands for a number.
const FIRST: u32 = 0x21;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_has_a_byte_and_at_most_1024() {
        assert_eq!("".parse::<ObjectKey>(), Err(InvalidObjectKey::Empty));
        assert!("\u{e9}".repeat(512).parse::<ObjectKey>().is_ok());
        assert_eq!(
            format!("{}a", "\u{e9}".repeat(512)).parse::<ObjectKey>(),
            Err(InvalidObjectKey::TooLong(1_025))
        );
        assert!("../\0/.".parse::<ObjectKey>().is_ok());
    }

    #[test]
    fn escaped_texts_that_nothing_gives_are_refused() {
        for bad in [" ", "~", "  ", "~ ", " \u{3ff}", "~\u{3ff}"] {
            assert_eq!(unescape(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn escaping_keeps_order_and_beginnings_and_reads_back(
            left in "[\\x00-\\xa1\u{10ffff}]{0,4}", right in "[\\x00-\\xa1\u{10ffff}]{0,4}",
        ) {
            let (one, other) = (escape(&left), escape(&right));
            prop_assert_eq!(left.as_bytes().cmp(right.as_bytes()), one.as_bytes().cmp(other.as_bytes()));
            prop_assert_eq!(left.starts_with(&right), one.starts_with(&other));
            prop_assert!(!one.chars().any(char::is_control) && one.len() <= 2 * left.len());
            prop_assert_eq!(unescape(&one), Some(left));
        }
    }
}
