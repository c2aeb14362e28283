//! `keywright restore`.

use std::fs::File;
use std::io::Read;

use super::{BackupCommandError, identity};
use crate::backup::{self, Restored};
use crate::command_line::Restore;
use crate::start_error::StartError;
use crate::terminal;

/// Makes a data folder out of a backup.
pub(in crate::commands) fn restore(arguments: &Restore) -> Result<(), StartError> {
    let identities = identity::read(&arguments.identity)?;
    let path = &arguments.backup;
    let backup: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(BackupCommandError::file(path, "read"))?)
    };
    let Restored { time, files, is_upstream } =
        backup::restore(backup, &identities, &arguments.data_dir, arguments.take_over_upstream)?;
    let folder = arguments.data_dir.display();
    terminal::say(&format!("{folder} is as it was at {time}: {files} files.\n"));
    if is_upstream {
        terminal::say(
            "Contents of objects lie upstream, and were not in the backup: what is missing there cannot be read.\n",
        );
    }
    Ok(())
}
