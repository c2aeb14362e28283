//! Bodies and values that are not what their JSON type has to be: `SerializationException`.
//!
//! Texts as measured on a service that speaks the same protocol (wire specification, section 9). Those for booleans,
//! blobs, maps and moments are known from other services of the same framework.

use crate::Fault;

/// Why a body cannot be read at all. It ends the reading: type faults win over constraint violations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeFault {
    message: Option<String>,
}

/// What a JSON value starts like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{`
    Object,
    /// `[`
    List,
    /// A quotation mark.
    Text,
    /// A digit or a minus sign.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

impl Kind {
    /// The kind of a value, by the first byte of its text (which is known to be well-formed JSON).
    pub(crate) fn of(json: &str) -> Self {
        match json.bytes().next() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::List,
            Some(b'"') => Self::Text,
            Some(b't') => Self::True,
            Some(b'f') => Self::False,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    fn token(self) -> &'static str {
        match self {
            Self::Object => "START_OBJECT",
            Self::List => "START_ARRAY",
            Self::Text => "STRING_VALUE",
            Self::Number => "NUMBER_VALUE",
            Self::True => "TRUE_VALUE",
            Self::False => "FALSE_VALUE",
            Self::Null => "NULL_VALUE",
        }
    }
}

impl TypeFault {
    /// Not JSON, not an object, not base64: AWS answers without a text.
    pub(crate) fn malformed() -> Self {
        Self { message: None }
    }

    /// A scalar was wanted: `wanted` is, for example, `an Integer`.
    pub(crate) fn not_scalar(found: Kind, wanted: &str) -> Self {
        Self::opening(found).unwrap_or_else(|| Self {
            message: Some(format!("{} can not be converted to {wanted}", found.token())),
        })
    }

    /// A list, map or structure was wanted: `expected` is the text for a scalar in its place.
    pub(crate) fn not_collection(found: Kind, expected: &str) -> Self {
        Self::opening(found).unwrap_or_else(|| Self { message: Some(expected.to_owned()) })
    }

    fn opening(found: Kind) -> Option<Self> {
        let text = match found {
            Kind::List => "Start of list found where not expected",
            Kind::Object => "Start of structure or map found where not expected.",
            Kind::Text | Kind::Number | Kind::True | Kind::False | Kind::Null => return None,
        };
        Some(Self { message: Some(text.to_owned()) })
    }
}

impl From<TypeFault> for Fault {
    fn from(fault: TypeFault) -> Self {
        Self { code: "SerializationException", status: 400, message: fault.message }
    }
}
