//! Checks that several operations make of their requests.

use std::collections::BTreeMap;

use crypto::EncryptionContext;

use crate::error::{InvalidRequest, KmsError};

/// The encryption context in its canonical form; none is the same as an empty one.
pub(super) fn encryption_context(pairs: Option<&BTreeMap<String, String>>) -> EncryptionContext {
    match pairs {
        Some(pairs) => {
            EncryptionContext::new(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        }
        None => EncryptionContext::empty(),
    }
}

/// DryRun ends here, when everything but the work itself has succeeded.
pub(super) fn stop_if_dry_run(dry_run: Option<bool>) -> Result<(), KmsError> {
    if dry_run == Some(true) { Err(KmsError::DryRun) } else { Ok(()) }
}

/// `DryRunModifiers` asks to check authorization without a ciphertext.
pub(super) fn ignores_ciphertext<M>(
    dry_run: Option<bool>,
    modifiers: Option<&Vec<M>>,
) -> Result<bool, KmsError> {
    match modifiers {
        Some(modifiers) if !modifiers.is_empty() => {
            if dry_run == Some(true) {
                Ok(true)
            } else {
                Err(InvalidRequest::ModifierWithoutDryRun.into())
            }
        }
        _ => Ok(false),
    }
}
