//! Everything of a data folder as it is at one moment, ready to be written.
//!
//! The moment is that of a read of the store. A change and its event are in one commit, which puts the event into the
//! outbox; it leaves that only once it is on disk in the log. So a copy of the store, and the log as far as it is written
//! once the moment is fixed, hold the event of every change that the copy holds.

use std::any::Any;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::delivery::{all_public_keys, files_below, write_public_keys};
use audit::log::written;
use base::Timestamp;
use objects::{BlobName, blobs_in_folder};
use store::redb_engine::RedbStore;

use super::BackupError;
use super::contents::{self, COMPLETE, FORMAT, HEAD, Head, MARK, ROOT, STORE};
use crate::delivery::{LOG_FOLDER, PUBLIC_KEYS, RETENTION_MARK};
use crate::service::free_bytes;

/// Where files are delivered inside the data folder, unless they are delivered elsewhere.
const DELIVERED: &str = "trail/delivered";
/// What the names of files begin with that say how far events were sent on.
const SENT_ON: &str = "exported-to-";
/// What set lines aside that could not be read.
const SET_ASIDE: &str = "torn";

/// Bytes that stay free beside the copy of the store: 64 MiB.
const ROOM_LEFT: u64 = 64 * 1_024 * 1_024;

/// What a file holds.
pub(super) enum Source {
    /// Few bytes.
    Bytes(Vec<u8>),
    /// The copy of the store.
    Open(File),
    /// So many bytes from the beginning of a file that does not change in these.
    Path { path: PathBuf, length: u64 },
}

/// A file with its name in the archive.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) source: Source,
}

/// What a backup will hold.
pub(crate) struct Snapshot {
    pub(super) seconds: u64,
    /// Where the data folder is.
    pub(super) folder: PathBuf,
    /// What comes first.
    pub(super) items: Vec<Item>,
    /// The contents of objects. There may be many, so that nothing else is kept of them.
    pub(super) blobs: Vec<BlobName>,
    /// What comes last.
    pub(super) end: [Item; 2],
    /// Keeps what is in the data folder from being removed until everything is written.
    _kept: Vec<Box<dyn Any + Send>>,
}

impl Snapshot {
    /// Takes it. `kept` is held as long as the snapshot is. Nothing may be delivered meanwhile.
    ///
    /// # Errors
    /// Something cannot be read, or the copy of the store cannot be written beside it.
    pub(crate) async fn take(
        store: Arc<RedbStore>,
        folder: &Path,
        now: Timestamp,
        kept: Vec<Box<dyn Any + Send>>,
    ) -> Result<Self, BackupError> {
        let place = folder.to_owned();
        let (copy, trail) = blocking(move || copy_store(&store, &place)).await?;
        let (blobs, public_keys) = look_into(&copy, folder).await?;
        let mut items = vec![head(now, blobs.is_none()), whole(folder, ROOT)?];
        items.push(Item { name: STORE.to_owned(), source: Source::Open(copy) });
        items.push(Item { name: PUBLIC_KEYS.to_owned(), source: Source::Bytes(public_keys) });
        items.extend(trail);
        let complete = Item { name: COMPLETE.to_owned(), source: Source::Bytes(Vec::new()) };
        Ok(Self {
            seconds: u64::try_from(now.seconds()).unwrap_or_default(),
            folder: folder.to_owned(),
            items,
            blobs: blobs.unwrap_or_default(),
            end: [complete, whole(folder, MARK)?],
            _kept: kept,
        })
    }
}

fn head(now: Timestamp, objects_upstream: bool) -> Item {
    let head = Head {
        format: FORMAT,
        keywright: env!("CARGO_PKG_VERSION").to_owned(),
        time: now.iso_extended(),
        objects_upstream,
    };
    // Texts and numbers alone always have a form in JSON.
    let text = serde_json::to_vec_pretty(&head).unwrap_or_default();
    Item { name: HEAD.to_owned(), source: Source::Bytes(text) }
}

fn whole(folder: &Path, name: &str) -> Result<Item, BackupError> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(BackupError::file(path, "read"))?;
    Ok(Item { name: name.to_owned(), source: Source::Bytes(bytes) })
}

/// The copy, in a file without a name, and the trail at its moment.
fn copy_store(store: &RedbStore, folder: &Path) -> Result<(File, Vec<Item>), BackupError> {
    let failed = |action| BackupError::file(folder.join(STORE), action);
    look_for_room(folder)?;
    let copy = tempfile::tempfile_in(folder).map_err(failed("copied"))?;
    let file = copy.try_clone().map_err(failed("copied"))?;
    let trail = store.copy_to(file, || trail_files(folder))?;
    Ok((copy, trail.map_err(BackupError::file(folder.join(contents::TRAIL), "read"))?))
}

/// A copy must not take the room that the service needs: it is at most as long as the store.
fn look_for_room(folder: &Path) -> Result<(), BackupError> {
    let store = folder.join(STORE);
    let needed = store.metadata().map_err(BackupError::file(store, "read"))?.len().saturating_add(ROOM_LEFT);
    // What cannot be told is no reason to refuse.
    let free = free_bytes(folder).unwrap_or(u64::MAX);
    if free < needed { Err(BackupError::NoRoom { free, needed }) } else { Ok(()) }
}

/// The files of the trail, each as far as it is written now.
fn trail_files(folder: &Path) -> io::Result<Vec<Item>> {
    let mut items = Vec::new();
    let log = folder.join(LOG_FOLDER);
    // Before the log: what was sent on is never more than what is in it.
    for path in sent_on(&log)? {
        items.extend(bytes_of(folder, &path)?);
    }
    let segments = written(&log)?;
    items.extend(segments.into_iter().filter_map(|(segment, length)| item(folder, segment.path, length)));
    for path in files_with_extension(&log, SET_ASIDE)? {
        let length = path.metadata()?.len();
        items.extend(item(folder, path, length));
    }
    for path in files_below(&folder.join(DELIVERED))? {
        let length = path.metadata()?.len();
        items.extend(item(folder, path, length));
    }
    items.extend(bytes_of(folder, &folder.join(RETENTION_MARK))?);
    Ok(items)
}

/// An item for a part of a file below the folder. A name that no restore takes belongs to none of ours.
fn item(folder: &Path, path: PathBuf, length: u64) -> Option<Item> {
    let name = path.strip_prefix(folder).ok()?.to_str().filter(|name| contents::is_allowed(name))?.to_owned();
    Some(Item { name, source: Source::Path { path, length } })
}

/// A small file as it is now, if it is there.
fn bytes_of(folder: &Path, path: &Path) -> io::Result<Option<Item>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
    Ok(name.map(|name| Item { name: name.to_owned(), source: Source::Bytes(bytes) }))
}

/// The files beside the log that say how far events were sent on.
fn sent_on(log: &Path) -> io::Result<Vec<PathBuf>> {
    let beside = log.parent().unwrap_or(log);
    let mut found = files(beside)?;
    found.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        path.extension().is_none() && name.is_some_and(|name| name.starts_with(SENT_ON))
    });
    Ok(found)
}

fn files_with_extension(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = files(folder)?;
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    Ok(found)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// The blobs that the copied store has in the folder, if they lie there, and the public keys of digests as a file has them.
async fn look_into(copy: &File, folder: &Path) -> Result<(Option<Vec<BlobName>>, Vec<u8>), BackupError> {
    let path = folder.join(STORE);
    let file = copy.try_clone().map_err(BackupError::file(path.clone(), "copied"))?;
    let store = blocking(move || Ok(RedbStore::open_file(file, &path)?)).await?;
    let blobs = blobs_in_folder(&store).await?;
    let public_keys = write_public_keys(&all_public_keys(&store).await?);
    // The copy is brought to its end in order before it is read as a file.
    blocking(move || {
        drop(store);
        Ok((blobs, public_keys))
    })
    .await
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(BackupError::Interrupted))
}
