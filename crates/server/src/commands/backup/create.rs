//! `keywright backup FILE`.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use base::{Clock as _, SystemClock};
use crypto::SystemRandomness;
use serde_json::json;
use store::redb_engine::RedbStore;

use super::BackupCommandError;
use super::output::Output;
use crate::backup::{self, BackupError, Snapshot};
use crate::client::{Client, ClientError};
use crate::command_line::CreateBackup;
use crate::commands::calling;
use crate::config::{Config, Environment, Flags};
use crate::data_folder::DataFolder;
use crate::start_error::StartError;
use crate::terminal::Progress;

/// Bytes that are written to the file at once.
const PIECE: usize = 256 * 1_024;

/// Makes a backup of a running service or of a stopped one.
pub(in crate::commands) async fn create(arguments: &CreateBackup) -> Result<(), StartError> {
    let Some(file) = &arguments.file else { return Ok(()) };
    if arguments.is_of_stopped_service() {
        return of_stopped(arguments, file).await;
    }
    if !arguments.recipient.is_empty() || arguments.recipients_file.is_some() {
        return Err(BackupCommandError::RecipientsOfRunning.into());
    }
    let profile = calling::profile(&arguments.connection).map_err(ClientError::from)?;
    let client = Client::new(profile)?;
    let mut answer = client.stream("CreateBackup", &json!({})).await?;
    let mut output = Output::begin(file)?;
    let (mut progress, mut written) = (Progress::new("bytes of the backup"), 0_u64);
    while let Some(piece) = answer.next().await.map_err(BackupCommandError::CutOff)? {
        output.write_all(&piece).map_err(BackupCommandError::written(file))?;
        written = written.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        progress.tell(written);
    }
    progress.end();
    Ok(output.finish()?)
}

async fn of_stopped(arguments: &CreateBackup, file: &Path) -> Result<(), StartError> {
    let flags = Flags::default().path("data_dir", arguments.data_dir.as_deref());
    let config = Config::load(arguments.config.as_deref(), Environment::of_process()?, &flags)?;
    let named = (&arguments.recipient, arguments.recipients_file.as_deref());
    let recipients = backup::chosen(&config.backup_recipients, named.0, named.1)?;
    let folder = DataFolder::open(&config.data_dir)?;
    let (store, root) = (folder.store_path()?, folder.root_path()?);
    if !store.exists() || !root.exists() {
        return Err(BackupCommandError::NoRoot(config.data_dir).into());
    }
    let store = Arc::new(RedbStore::open(&store)?);
    let snapshot = Snapshot::take(store, folder.path(), SystemClock.now(), Vec::new()).await?;
    let output = BufWriter::with_capacity(PIECE, Output::begin(file)?);
    let output = backup::write(snapshot, output, &recipients, &SystemRandomness::new());
    let output = output.map_err(|error| match error {
        BackupError::Write(source) => BackupCommandError::written(file)(source).into(),
        other @ (BackupError::File { .. }
        | BackupError::MissingContents(_)
        | BackupError::NoRoom { .. }
        | BackupError::Store(_)
        | BackupError::Copy(_)
        | BackupError::Encrypt(_)
        | BackupError::Interrupted) => StartError::from(other),
    })?;
    let output =
        output.into_inner().map_err(|error| BackupCommandError::written(file)(error.into_error()))?;
    Ok(output.finish()?)
}
