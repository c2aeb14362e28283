//! `keywright trail …`: reads the audit trail from its files.

mod filter;
mod rendering;
mod search;
mod tail;
mod verify;

use std::path::PathBuf;

use crate::command_line::LogPlace;
use crate::config::{Config, Environment};
use crate::delivery::LOG_FOLDER;
use crate::start_error::StartError;

pub(super) use search::search;
pub(super) use tail::tail;
pub(crate) use verify::VerifyTrailError;
pub(super) use verify::verify;

/// The trail cannot be read, or not as it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrailReadError {
    #[error("there is no audit log in {}; check --data-dir", .0.display())]
    NoLog(PathBuf),
    #[error("the audit log in {} cannot be read: {source}", folder.display())]
    Unreadable { folder: PathBuf, source: std::io::Error },
    #[error(
        "`{0}` is no moment; write a time such as 2026-01-31T12:00:00Z, a day, or how long ago it was, such as 12h"
    )]
    Moment(String),
}

/// The folder of the audit log, which must be there.
fn log_folder(place: &LogPlace) -> Result<PathBuf, StartError> {
    let config = Config::load(place.config.as_deref(), Environment::of_process()?, &place.flags())?;
    let folder = config.data_dir.join(LOG_FOLDER);
    match std::fs::read_dir(&folder) {
        Ok(_) => Ok(folder),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(TrailReadError::NoLog(folder).into())
        }
        Err(source) => Err(TrailReadError::Unreadable { folder, source }.into()),
    }
}
