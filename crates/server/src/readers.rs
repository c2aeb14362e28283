//! What the readers of the operator's files make of a text, and nothing beyond: for tests outside of this crate, which
//! hand them whatever they like.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use base::{AccountId, Region};
use crypto::age::Identity;

use crate::backup;
use crate::config::{Config, Environment};
use crate::seed::{self, Purpose, SeedFile};
use crate::terminal;

/// Reads and checks a configuration file, with these variables of the environment over it.
///
/// # Errors
/// What is wrong, as the operator is told.
pub fn configuration(
    text: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(), String> {
    let environment = Environment::from_variables(variables).map_err(|error| error.to_string())?;
    Config::of_text(text, environment).map(|_| ()).map_err(|error| error.to_string())
}

/// Reads and checks a seed file, which may hold key material only `for_development`.
///
/// # Errors
/// What is wrong, as the operator is told.
pub fn seed_file(text: &str, for_development: bool) -> Result<(), String> {
    let purpose = if for_development { Purpose::Development } else { Purpose::Production };
    SeedFile::parse("text", text, purpose).map(|_| ()).map_err(|error| error.to_string())
}

/// Converts a seed file of local-kms and gives the seed file that it becomes.
///
/// # Errors
/// What is wrong, as the operator is told.
pub fn local_kms_seed(yaml: &str, account: AccountId, region: Region) -> Result<String, String> {
    seed::convert(yaml, account, region).map(|converted| converted.toml).map_err(|error| error.to_string())
}

/// Makes a data folder out of a backup for this identity, as `keywright restore` does.
///
/// # Errors
/// What is wrong, as the operator is told. Nothing of the folder is left then.
pub fn backup(file: impl Read, identity: Identity, folder: &Path) -> Result<(), String> {
    let restored = backup::restore(file, &[identity], folder, false);
    restored.map(|_| ()).map_err(|error| terminal::shown(&error.to_string()).into_owned())
}
