//! Grant ids.

use std::fmt;

use base::{Randomness, RandomnessUnavailable};

use crate::error::KmsError;

/// The id of a grant, unique together with its key: 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantId(String);

impl GrantId {
    /// A new id out of 32 random bytes.
    pub(super) fn generate(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut random = [0; 32];
        randomness.fill(&mut random)?;
        Ok(Self(hexadecimal(random)))
    }

    /// Reads an id as a request gives it.
    pub(crate) fn parse(text: &str) -> Result<Self, KmsError> {
        Self::read(text).ok_or_else(|| KmsError::InvalidGrantId(text.to_owned()))
    }

    /// Reads an id out of what this service wrote itself.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (text.len() == 64 && digits).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 32 bytes as 64 lower-case digits.
pub(super) fn hexadecimal(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::SeededRandomness;

    #[test]
    fn a_new_id_has_the_published_form_and_reads_back() {
        let randomness = SeededRandomness::new(1);
        let id = GrantId::generate(&randomness).unwrap();
        assert_eq!(GrantId::parse(&id.to_string()).unwrap(), id);
        assert_ne!(GrantId::generate(&randomness).unwrap(), id);
    }

    #[test]
    fn other_texts_are_refused() {
        let id = "0123456789abcdef".repeat(4);
        assert!(GrantId::parse(&id).is_ok());
        for text in ["", "x", id.split_at(1).1, &format!("{id}0"), &id.to_uppercase(), &id.replace('0', "é")]
        {
            assert!(matches!(GrantId::parse(text), Err(KmsError::InvalidGrantId(_))), "{text}");
        }
    }
}
