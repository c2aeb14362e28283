//! Where a listing of everybody who can do something with a key goes on.

use std::fmt;
use std::str::FromStr;

/// The place behind which the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the beginning: the root user, and whom the key policy names.
    Start,
    /// Behind a grant.
    Grants(Option<String>),
    /// Behind a user.
    Users(Option<String>),
    /// Behind a role.
    Roles(Option<String>),
}

/// The text is no marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a marker")]
pub(crate) struct InvalidMarker;

impl FromStr for Place {
    type Err = InvalidMarker;

    fn from_str(marker: &str) -> Result<Self, InvalidMarker> {
        let (kind, last) = marker.split_once('/').ok_or(InvalidMarker)?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if last.len() > 128 || !last.bytes().all(is_name) {
            return Err(InvalidMarker);
        }
        let last = Some(last.to_owned()).filter(|last| !last.is_empty());
        match kind {
            "grants" => Ok(Self::Grants(last)),
            "users" => Ok(Self::Users(last)),
            "roles" => Ok(Self::Roles(last)),
            _ => Err(InvalidMarker),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, last) = match self {
            Self::Start => return Ok(()),
            Self::Grants(last) => ("grants", last),
            Self::Users(last) => ("users", last),
            Self::Roles(last) => ("roles", last),
        };
        write!(f, "{kind}/{}", last.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_texts_are_no_markers() {
        for text in ["", "users", "groups/a", "users/a/b", "users/ä", "users/a b", "grants/\u{0}"] {
            assert_eq!(text.parse::<Place>(), Err(InvalidMarker), "{text}");
        }
    }

    proptest! {
        #[test]
        fn markers_read_back(name in "[a-z0-9+=,.@_-]{0,64}") {
            let last = Some(name).filter(|name| !name.is_empty());
            for place in [Place::Grants(last.clone()), Place::Users(last.clone()), Place::Roles(last)] {
                prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<Place>();
        }
    }
}
