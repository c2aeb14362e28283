//! The condition keys of a simulated request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html>

use policy::{ContextEntries, ContextFault, ContextType};
use wire::iam::{ContextEntry, ContextKeyTypeEnum};

use crate::iam::error::IamError;

/// Bytes of a value.
const VALUE_MAX: usize = 8_192;

/// What the entries of a request state.
///
/// # Errors
/// InvalidInput for an entry that is not whole, is there twice, or whose values are not of its type.
pub(super) fn entries(stated: Option<&Vec<ContextEntry>>) -> Result<ContextEntries, IamError> {
    let mut entries = ContextEntries::default();
    for entry in stated.into_iter().flatten() {
        state(&mut entries, entry).map_err(IamError::InvalidInput)?;
    }
    Ok(entries)
}

fn state(entries: &mut ContextEntries, entry: &ContextEntry) -> Result<(), String> {
    let name = entry.context_key_name.as_deref().ok_or("ContextKeyName cannot be null or empty.")?;
    let wire_type = entry.context_key_type;
    let wire_type = wire_type.ok_or_else(|| format!("Context key {name} has invalid type null."))?;
    let values = entry.context_key_values.clone().unwrap_or_default();
    if values.is_empty() {
        return Err(format!("Context values for context key {name} cannot be null or empty."));
    }
    if values.iter().any(|value| value.len() > VALUE_MAX) {
        return Err(format!(
            "Context values for context key {name} cannot be longer than {VALUE_MAX} bytes."
        ));
    }
    let (kind, is_list) = type_of(wire_type);
    let stated = match <[String; 1]>::try_from(values) {
        Ok([value]) if !is_list => entries.state(name, kind, value),
        Ok([value]) => entries.state_several(name, kind, vec![value]),
        Err(values) if is_list => entries.state_several(name, kind, values),
        Err(values) => {
            let count = values.len();
            return Err(format!("Context key {wire_type} expected a single value, but received {count}."));
        }
    };
    stated.map_err(|fault| match fault {
        ContextFault::Twice => format!("Duplicate context key: {name}."),
        ContextFault::Value(kind) => {
            format!("Invalid context value for key {name}: expected {}.", form_of(kind))
        }
    })
}

fn type_of(wire_type: ContextKeyTypeEnum) -> (ContextType, bool) {
    use ContextKeyTypeEnum as Wire;
    match wire_type {
        Wire::String => (ContextType::String, false),
        Wire::StringList => (ContextType::String, true),
        Wire::Numeric => (ContextType::Numeric, false),
        Wire::NumericList => (ContextType::Numeric, true),
        Wire::Boolean => (ContextType::Boolean, false),
        Wire::BooleanList => (ContextType::Boolean, true),
        Wire::Ip => (ContextType::Ip, false),
        Wire::IpList => (ContextType::Ip, true),
        Wire::Binary => (ContextType::Binary, false),
        Wire::BinaryList => (ContextType::Binary, true),
        Wire::Date => (ContextType::Date, false),
        Wire::DateList => (ContextType::Date, true),
    }
}

/// A type in AWS's words.
fn form_of(kind: ContextType) -> &'static str {
    match kind {
        ContextType::String => "a string",
        ContextType::Numeric => "numeric format",
        ContextType::Boolean => "true or false",
        ContextType::Ip => "IP address",
        ContextType::Binary => "base-64 encoded binary format",
        ContextType::Date => "DateTime format",
    }
}
