//! `keywright backup new-identity`, and reading identities.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base::{Clock as _, SecretString, SystemClock};
use crypto::SystemRandomness;
use crypto::age::{Identity, read_identities};

use super::BackupCommandError;
use crate::command_line::NewIdentity;
use crate::terminal;

/// Makes an identity, and tells its recipient.
pub(in crate::commands) fn new_identity(arguments: &NewIdentity) -> Result<(), BackupCommandError> {
    let identity = Identity::draw(&SystemRandomness::new())?;
    let path = &arguments.file;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| {
        let is_there = error.kind() == ErrorKind::AlreadyExists;
        if is_there {
            BackupCommandError::Exists(path.clone())
        } else {
            BackupCommandError::file(path, "made")(error)
        }
    })?;
    let text = text_of(&identity);
    let written = file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half an identity opens nothing, and would be in the way of a whole one.
        let _ = std::fs::remove_file(path);
    }
    written.map_err(BackupCommandError::written(path))?;
    terminal::say(&format!("Public key: {}\n", identity.recipient()));
    Ok(())
}

/// As age-keygen writes it.
fn text_of(identity: &Identity) -> SecretString {
    SecretString::new(format!(
        "# created: {}\n# public key: {}\n{}\n",
        SystemClock.now().iso_extended(),
        identity.recipient(),
        identity.to_text().expose()
    ))
}

/// The identities in a file.
pub(super) fn read(path: &Path) -> Result<Vec<Identity>, BackupCommandError> {
    let text = std::fs::read_to_string(path).map_err(BackupCommandError::file(path, "read"))?;
    let text = SecretString::new(text);
    let identities = read_identities(text.expose())
        .map_err(|line| BackupCommandError::NoIdentity { path: path.to_owned(), line })?;
    if identities.is_empty() {
        Err(BackupCommandError::NoIdentities(path.to_owned()))
    } else {
        Ok(identities)
    }
}
