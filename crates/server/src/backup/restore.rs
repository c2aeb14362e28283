//! A data folder out of a backup.
//!
//! The folder is marked as being restored before anything else is in it, and as a data folder only once everything is there,
//! was looked at and is on disk. So what a crash leaves is started by nobody.

use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use base::Timestamp;
use crypto::age::{Decryptor, Identity, OpenError};
use crypto::root::{RootError, RootFile};
use objects::{BlobName, blobs_in_folder};
use store::StoreError;
use store::redb_engine::RedbStore;
use tar::{Archive, Entries, Entry, EntryType};

use super::contents::{self, FORMAT, HEAD, Head, MARK, ROOT, STORE};
use crate::data_folder::{DataFolderError, Restoring};
use crate::terminal;

/// No file that is read whole is longer, in bytes.
const SMALL_MAX: u64 = 65_536;
/// No name is longer, in bytes: Linux takes no path beyond that.
const NAME_MAX: u64 = 4_096;

/// A backup cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error("the backup cannot be opened: {0}")]
    Open(#[from] OpenError),
    #[error("the backup cannot be read: {}", terminal::in_a_line(&.0.to_string()))]
    Read(io::Error),
    #[error("the file is encrypted as a backup is, but what is in it is none: {0}")]
    Foreign(&'static str),
    #[error(
        "the backup has format {0}, written by a newer Keywright; this one reads up to format {FORMAT}: restore it with the \
         newer one"
    )]
    Newer(u32),
    #[error(
        "contents of objects lie upstream, and whoever is restored deletes there what it does not know, which would be all that \
         was written since the backup was made: if the service that was backed up is gone for good, say --take-over-upstream"
    )]
    Upstream,
    #[error("the backup holds a file `{0}`, which has no place in a data folder; nothing of it was kept")]
    Misplaced(String),
    #[error("the backup holds two files for one place in a data folder, `{0}`; nothing of it was kept")]
    Twice(String),
    #[error("the backup is not complete: its {0} is missing")]
    Missing(&'static str),
    #[error("the backup is not complete: contents of an object are missing ({0})")]
    MissingContents(BlobName),
    #[error("what was restored does not hold: {0}")]
    Store(#[from] store::redb_engine::OpenError),
    #[error("what was restored does not hold: {0}")]
    Records(#[from] StoreError),
    #[error("what was restored does not hold: {0}")]
    Root(#[from] RootError),
    #[error(transparent)]
    Folder(#[from] DataFolderError),
}

/// What was restored.
pub(crate) struct Restored {
    /// When the backup was made.
    pub(crate) time: String,
    /// Files.
    pub(crate) files: u64,
    /// Whether contents of objects lie upstream.
    pub(crate) is_upstream: bool,
}

/// Makes the folder out of a backup. Blocks. `takes_over` says that nobody else has contents of objects upstream under the
/// store's name any more.
///
/// # Errors
/// The backup is none, or not whole, or not for these identities, or the folder is not empty. What was made is removed again.
pub(crate) fn restore(
    backup: impl Read,
    identities: &[Identity],
    folder: &Path,
    takes_over: bool,
) -> Result<Restored, RestoreError> {
    let mut archive = Archive::new(Decryptor::new(backup, identities)?);
    let mut entries = archive.entries().map_err(RestoreError::Read)?.raw(true);
    let head = read_head(&mut entries)?;
    if head.objects_upstream && !takes_over {
        return Err(RestoreError::Upstream);
    }
    let restoring = Restoring::begin(folder)?;
    let (files, mark) = unpack(entries, folder)?;
    // What is behind the archive's end belongs to the file all the same: only its end proves that it is whole.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(RestoreError::Read)?;
    let is_upstream = look_over(folder)?;
    if is_upstream != head.objects_upstream {
        return Err(RestoreError::Foreign("it does not tell rightly where contents of objects lie"));
    }
    restoring.finish(&mark)?;
    Ok(Restored { time: head.time, files, is_upstream })
}

/// The first file says what the archive is.
fn read_head<R: Read>(entries: &mut Entries<'_, R>) -> Result<Head, RestoreError> {
    const NO_ARCHIVE: RestoreError = RestoreError::Foreign("it does not begin with keywright-backup.json");
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let (name, mut first) = match next_file(entries) {
        Err(RestoreError::Read(error)) if is_damage(&error) => return Err(RestoreError::Read(error)),
        first => first.ok().flatten().ok_or(NO_ARCHIVE)?,
    };
    if name != HEAD {
        return Err(NO_ARCHIVE);
    }
    const UNKNOWN: RestoreError = RestoreError::Foreign("its keywright-backup.json is not understood");
    let text = read_at_most(SMALL_MAX, &mut first)?.ok_or(UNKNOWN)?;
    let unknown = |_| UNKNOWN;
    // A newer one may say other things besides.
    let Format { format } = serde_json::from_slice(&text).map_err(unknown)?;
    if format > FORMAT {
        return Err(RestoreError::Newer(format));
    }
    let head: Head = serde_json::from_slice(&text).map_err(unknown)?;
    let _: Timestamp =
        head.time.parse().map_err(|_| RestoreError::Foreign("it does not say when it was made"))?;
    Ok(head)
}

fn is_damage(error: &io::Error) -> bool {
    error.kind() == ErrorKind::InvalidData
}

/// The next file of the archive, with its name. The library would take any length of what describes a file into memory
/// first, and several forms of it, which other programs read otherwise. Our writer has one: a name of more than 100 bytes
/// stands in an entry of its own, before its file.
fn next_file<'a, R: Read>(
    entries: &mut Entries<'a, R>,
) -> Result<Option<(String, Entry<'a, R>)>, RestoreError> {
    let Some(mut entry) = entries.next().transpose().map_err(RestoreError::Read)? else { return Ok(None) };
    let mut name = entry.path_bytes().into_owned();
    if entry.header().entry_type() == EntryType::GNULongName {
        let placeholder = || misplaced(&name);
        let mut long = read_at_most(NAME_MAX, &mut entry)?.ok_or_else(placeholder)?;
        long.pop_if(|last| *last == 0);
        entry = entries.next().ok_or_else(placeholder)?.map_err(RestoreError::Read)?;
        name = long;
    }
    match (entry.header().entry_type(), String::from_utf8(name)) {
        (EntryType::Regular, Ok(name)) => Ok(Some((name, entry))),
        (_, Ok(name)) => Err(misplaced(name.as_bytes())),
        (_, Err(error)) => Err(misplaced(error.as_bytes())),
    }
}

/// The name is for a sentence, whatever is in it.
fn misplaced(name: &[u8]) -> RestoreError {
    RestoreError::Misplaced(terminal::in_a_line(&String::from_utf8_lossy(name)).into_owned())
}

/// Unpacks all files but the mark, and gives their number and the mark.
fn unpack<R: Read>(mut entries: Entries<'_, R>, folder: &Path) -> Result<(u64, Vec<u8>), RestoreError> {
    let (mut files, mut mark, mut made) = (0, None, HashSet::new());
    while let Some((name, mut entry)) = next_file(&mut entries)? {
        if !contents::is_allowed(&name) {
            return Err(misplaced(name.as_bytes()));
        }
        files += 1;
        if name == MARK {
            let bytes = read_at_most(SMALL_MAX, &mut entry)?;
            let bytes = bytes.ok_or(RestoreError::Foreign("its file `format` is too long"))?;
            if mark.replace(bytes).is_some() {
                return Err(RestoreError::Twice(name));
            }
            continue;
        }
        let path = folder.join(&name);
        if let Some(parent) = path.parent().filter(|parent| !made.contains(*parent)) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(|error| not_made(error, &name, parent, "created"))?;
            made.insert(parent.to_owned());
        }
        unpack_file(&mut entry, &name, &path)?;
    }
    Ok((files, mark.ok_or(RestoreError::Missing(MARK))?))
}

/// The folder was empty: where something is in the way, the backup has put it.
fn not_made(error: io::Error, name: &str, path: &Path, action: &'static str) -> RestoreError {
    use ErrorKind::{AlreadyExists, IsADirectory, NotADirectory};
    if matches!(error.kind(), AlreadyExists | IsADirectory | NotADirectory) {
        RestoreError::Twice(name.to_owned())
    } else {
        DataFolderError::of_file(path, action, error).into()
    }
}

fn unpack_file<R: Read>(entry: &mut Entry<'_, R>, name: &str, path: &Path) -> Result<(), RestoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| not_made(error, name, path, "written"))?;
    let trouble = |error| DataFolderError::of_file(path, "written", error);
    let mut piece = vec![0; 128 * 1_024];
    loop {
        let length = entry.read(&mut piece).map_err(RestoreError::Read)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { return Ok(()) };
        io::Write::write_all(&mut file, read).map_err(trouble)?;
    }
}

/// What an entry holds, if that is not longer.
fn read_at_most<R: Read>(length: u64, entry: &mut Entry<'_, R>) -> Result<Option<Vec<u8>>, RestoreError> {
    if entry.size() > length {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(RestoreError::Read)?;
    Ok(Some(bytes))
}

/// Whether everything is there that belongs together; answers whether contents of objects lie upstream.
fn look_over(folder: &Path) -> Result<bool, RestoreError> {
    let (root, store) = (folder.join(ROOT), folder.join(STORE));
    for (path, name) in [(&root, ROOT), (&store, STORE)] {
        if !path.exists() {
            return Err(RestoreError::Missing(name));
        }
    }
    RootFile::open(&root)?;
    let store = RedbStore::open(&store)?;
    // The engine answers at once.
    let blobs = futures_util::FutureExt::now_or_never(blobs_in_folder(&store));
    let blobs = blobs.unwrap_or_else(|| Err(StoreError::Unavailable("it does not answer".to_owned())))?;
    let is_upstream = blobs.is_none();
    let missing = |blob: &BlobName| !folder.join(contents::blob_name(*blob)).exists();
    match blobs.unwrap_or_default().into_iter().find(missing) {
        Some(blob) => Err(RestoreError::MissingContents(blob)),
        None => Ok(is_upstream),
    }
}
