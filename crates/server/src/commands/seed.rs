//! `keywright seed convert`: a seed file of local-kms becomes one of ours.

use std::path::PathBuf;

use crate::command_line::Convert;
use crate::seed::{self, ConvertError};
use crate::terminal;

/// The file was not converted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedConversionError {
    #[error("the file {} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} cannot be converted: {source}", path.display())]
    NotConverted { path: PathBuf, source: ConvertError },
}

/// Prints the converted file; what was left out goes to standard error.
pub(super) fn convert(arguments: &Convert) -> Result<(), SeedConversionError> {
    let path = &arguments.file;
    let yaml = std::fs::read_to_string(path)
        .map_err(|error| SeedConversionError::Unreadable { path: path.clone(), reason: error.to_string() })?;
    let converted = seed::convert(&yaml, arguments.account, arguments.region)
        .map_err(|source| SeedConversionError::NotConverted { path: path.clone(), source })?;
    terminal::put(&converted.toml);
    for note in &converted.notes {
        terminal::complain(note);
    }
    Ok(())
}
