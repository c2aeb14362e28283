//! Values that do not have the form of their type.

use crate::Fault;

/// A value cannot be read at all. It ends the reading: type faults win over constraint violations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeFault(String);

impl TypeFault {
    /// The parameter is there, but not as `wanted`: `an integer`, `a list`.
    pub(crate) fn not(wanted: &str, parameter: &str) -> Self {
        const SHOWN: usize = 128;
        Self(format!("The parameter {} is not {wanted}.", parameter.chars().take(SHOWN).collect::<String>()))
    }

    /// A request that lacks something.
    pub(crate) fn missing() -> Self {
        Self("The request lacks a parameter.".to_owned())
    }
}

impl From<TypeFault> for Fault {
    fn from(fault: TypeFault) -> Self {
        Self::bad_request("MalformedInput", fault.0)
    }
}
