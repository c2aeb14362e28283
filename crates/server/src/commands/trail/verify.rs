//! `keywright trail verify`: whether the audit log and what was delivered are as they were written.

use std::path::{Path, PathBuf};

use audit::delivery::{Kept, PublicDigestKey, all_public_keys, read_mark, read_public_keys};
use audit::verification::{Delivered, Findings, Known, known, verify_delivered, verify_log};
use base::{Clock as _, SystemClock};
use store::redb_engine::RedbStore;

use crate::command_line::VerifyTrail;
use crate::config::{Config, DestinationChoice, Environment};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::delivery::{LOG_FOLDER, PUBLIC_KEYS, RETENTION_MARK};
use crate::start_error::StartError;
use crate::terminal::{self, Progress};

/// The trail does not hold, or could not be verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyTrailError {
    #[error("the trail is not as it was written: {0} findings")]
    Found(u64),
    #[error("{path} cannot be used: {reason}")]
    File { path: PathBuf, reason: String },
    #[error(
        "there is nothing to verify: {0} holds no audit log and no delivered files; name folders with --data-dir and \
         --delivered"
    )]
    Nothing(PathBuf),
    #[error(
        "there are delivered files, but no public keys to verify them with: stop the service, or name a file with \
         --public-keys"
    )]
    NoKeys,
}

/// What is held against the files.
struct Reference {
    /// None if nobody could be asked for them. That there are none as yet is no such case: no digest was signed.
    keys: Option<Vec<PublicDigestKey>>,
    known: Known,
}

/// Verifies what the command line names.
pub(in crate::commands) async fn verify(arguments: &VerifyTrail) -> Result<(), StartError> {
    let config = Config::load(arguments.config.as_deref(), Environment::of_process()?, &arguments.flags())?;
    let data = &config.data_dir;
    let reference = reference(arguments, data).await?;
    let kept = kept(arguments, data, &reference)?;
    let folder = match (&arguments.delivered, &config.trail.destination) {
        (Some(folder), _) => Some(folder.clone()),
        (None, DestinationChoice::Folder(folder)) => Some(folder.clone()).filter(|folder| folder.exists()),
        (None, DestinationChoice::Bucket(_)) => {
            terminal::say(
                "Delivered files are in a bucket; `aws cloudtrail validate-logs` verifies them there.\n",
            );
            None
        }
    };
    let log = Some(data.join(LOG_FOLDER)).filter(|folder| folder.exists());
    if log.is_none() && folder.is_none() {
        return Err(VerifyTrailError::Nothing(data.clone()).into());
    }
    let mut count = 0;
    if let Some(log) = log {
        count += look_at_log(&log, kept, &reference)?;
    }
    if let Some(folder) = folder {
        count += look_at_delivered(&folder, kept, &reference)?;
    }
    if count > 0 { Err(VerifyTrailError::Found(count).into()) } else { Ok(()) }
}

/// From a file that is named, or the store, or the file that the service keeps beside the log.
async fn reference(arguments: &VerifyTrail, data: &Path) -> Result<Reference, StartError> {
    let (stored, known) = stored(data).await?;
    let file = arguments.public_keys.clone().or_else(|| stored.is_none().then(|| data.join(PUBLIC_KEYS)));
    let keys = match file {
        Some(file) if arguments.public_keys.is_some() || file.exists() => {
            terminal::say(&format!("Public keys: {}\n", file.display()));
            let wrong = |reason: String| VerifyTrailError::File { path: file.clone(), reason };
            let text = std::fs::read(&file).map_err(|error| wrong(error.to_string()))?;
            Some(read_public_keys(&text).map_err(|error| wrong(error.to_string()))?)
        }
        Some(_) | None => stored,
    };
    Ok(Reference { keys, known })
}

/// What the store has, if there is one and nobody uses it.
async fn stored(data: &Path) -> Result<(Option<Vec<PublicDigestKey>>, Known), StartError> {
    let folder = match DataFolder::open(data) {
        Ok(folder) => folder,
        Err(DataFolderError::InUse { .. }) => {
            terminal::say(
                "The service is running, so files are not held against its store: what is missing at the end of the log or of \
                 a chain of digests is not noticed.\n",
            );
            return Ok((None, Known::default()));
        }
        Err(DataFolderError::Missing(_)) => return Ok((None, Known::default())),
        Err(other) => return Err(other.into()),
    };
    let path = folder.store_path()?;
    if !path.exists() {
        return Ok((None, Known::default()));
    }
    let store = RedbStore::open(&path)?;
    let keys = all_public_keys(&store).await.map_err(failed(&path))?;
    let known = known(&store).await.map_err(failed(&path))?;
    Ok((Some(keys), known))
}

fn failed<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> VerifyTrailError {
    move |error| VerifyTrailError::File { path: path.to_owned(), reason: error.to_string() }
}

/// What was removed on purpose.
fn kept(arguments: &VerifyTrail, data: &Path, reference: &Reference) -> Result<Kept, StartError> {
    let default = data.join(RETENTION_MARK);
    let path = match &arguments.retention_mark {
        Some(path) => path,
        None if default.exists() => &default,
        None => return Ok(Kept::ALL),
    };
    let text = std::fs::read(path).map_err(failed(path))?;
    Ok(read_mark(&text, reference.keys.as_deref().unwrap_or_default()).map_err(failed(path))?)
}

fn look_at_log(folder: &Path, kept: Kept, reference: &Reference) -> Result<u64, StartError> {
    let mut progress = Progress::new("lines of the log verified");
    let report = verify_log(folder, kept.log, reference.known.log, &mut |lines| progress.tell(lines));
    progress.end();
    let report = report.map_err(failed(folder))?;
    tell(&report.findings);
    terminal::say(&format!(
        "Log: {} lines in {} segments, from line {} on: {}\n",
        report.lines,
        report.segments,
        kept.log.next,
        verdict(&report.findings)
    ));
    Ok(report.findings.count())
}

fn look_at_delivered(folder: &Path, kept: Kept, reference: &Reference) -> Result<u64, StartError> {
    if reference.keys.is_none() && std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(VerifyTrailError::NoKeys.into());
    }
    let given = Delivered {
        folder,
        public_keys: reference.keys.as_deref().unwrap_or_default(),
        newest_digests: &reference.known.newest_digests,
        kept_since: kept.delivered_since,
        now: SystemClock.now(),
    };
    let mut progress = Progress::new("delivered files verified");
    let report = verify_delivered(&given, &mut |files| progress.tell(files));
    progress.end();
    let report = report.map_err(failed(folder))?;
    tell(&report.findings);
    for name in &report.restarts {
        terminal::say(&format!("Note: a new chain of digests begins with {name}\n"));
    }
    terminal::say(&format!(
        "Delivered: {} digests, {} files, {} files too new for a digest: {}\n",
        report.digests,
        report.files,
        report.undigested,
        verdict(&report.findings)
    ));
    Ok(report.findings.count())
}

fn verdict(findings: &Findings) -> &'static str {
    if findings.count() == 0 { "as written" } else { "NOT as written" }
}

fn tell(findings: &Findings) {
    for finding in findings.listed() {
        terminal::say(&format!("{finding}\n"));
    }
    let listed = u64::try_from(findings.listed().len()).unwrap_or(u64::MAX);
    if findings.count() > listed {
        terminal::say(&format!("… and {} more\n", findings.count() - listed));
    }
}
