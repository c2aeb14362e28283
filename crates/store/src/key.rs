//! Keys: ordered textual paths.

use std::fmt;
use std::sync::Arc;

/// The longest key in bytes. Keys of S3's objects have up to 1,024, each of which may take two here.
pub const KEY_BYTES_MAX: usize = 4_096;

/// An ordered textual path, such as `kms/key/123456789012/eu-central-1/<id>`: 1 to [`KEY_BYTES_MAX`] bytes without
/// control characters. Keys are ordered bytewise. A clone shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// The text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing at all.
    #[error("a store key is at least one byte long")]
    Empty,
    /// Over [`KEY_BYTES_MAX`].
    #[error("a store key is at most {KEY_BYTES_MAX} bytes long, this one has {0}")]
    TooLong(usize),
    /// A line end, a tabulator, NUL and the like.
    #[error("a store key has no control characters")]
    ControlCharacter,
}

impl Key {
    /// Checks the text.
    ///
    /// # Errors
    /// The text is empty, longer than [`KEY_BYTES_MAX`], or has a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        check(&text)?;
        Ok(Self(text.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For text without control characters that is not empty; its length is checked at the commit.
    pub(crate) fn of_escaped_parts(text: String) -> Self {
        Self(text.into())
    }

    /// Length in bytes.
    pub(crate) fn bytes_len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong(text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(KeyError::ControlCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bounds_are_exact() {
        assert_eq!(Key::new(""), Err(KeyError::Empty));
        assert_eq!(Key::new("k").unwrap().as_str(), "k");
        assert!(Key::new("k".repeat(KEY_BYTES_MAX)).is_ok());
        assert_eq!(Key::new("k".repeat(KEY_BYTES_MAX + 1)), Err(KeyError::TooLong(KEY_BYTES_MAX + 1)));
        // Bytes count, not characters.
        assert_eq!(Key::new("é".repeat(KEY_BYTES_MAX / 2 + 1)), Err(KeyError::TooLong(KEY_BYTES_MAX + 2)));
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\0", "a\nb", "\t", "a\u{7f}", "a\u{85}"] {
            assert_eq!(Key::new(text), Err(KeyError::ControlCharacter), "{text:?}");
        }
        assert!(Key::new("alias/ü €/😀").is_ok());
    }

    proptest! {
        #[test]
        fn order_is_bytewise(left in "\\PC{1,40}", right in "\\PC{1,40}") {
            let keys = (Key::new(left.clone()).unwrap(), Key::new(right.clone()).unwrap());
            prop_assert_eq!(keys.0.cmp(&keys.1), left.as_bytes().cmp(right.as_bytes()));
        }

        #[test]
        fn a_key_shows_its_text(text in any::<String>()) {
            if let Ok(key) = Key::new(text.clone()) {
                prop_assert_eq!(key.to_string(), text);
            }
        }
    }
}
