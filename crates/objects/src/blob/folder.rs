//! Blobs in a folder: one file each, for its owner alone. A file is written under a temporary name, synced, renamed,
//! and its folder synced, so that after any crash it is whole or not there.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{BlobError, BlobName, BlobReader, BlobWriter, Blobs};

/// Bytes that are read at once.
const PIECE: u64 = 256 * 1_024;
const TEMPORARY: &str = "new";
/// Deletions that are remembered while they are put off.
const KEPT_MAX: usize = 1_000_000;

/// A folder of blobs. Files lie in 256 folders below it, by the first two digits of their names.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
    named: Arc<Named>,
    kept: Arc<Mutex<Kept>>,
}

/// What is deleted later, because somebody wants all blobs to stay for a while.
#[derive(Default)]
struct Kept {
    /// How many want that.
    keepers: usize,
    deleted: Vec<BlobName>,
}

/// The files of blobs that are deleted stay until this is dropped. If the process ends before, they go with the next sweep.
pub struct KeptBlobs {
    folder: Folder,
}

impl Drop for KeptBlobs {
    fn drop(&mut self) {
        let mut kept = self.folder.kept();
        kept.keepers = kept.keepers.saturating_sub(1);
        if kept.keepers > 0 {
            return;
        }
        let deleted = std::mem::take(&mut kept.deleted);
        drop(kept);
        for name in deleted {
            // What cannot be deleted now goes with the next sweep.
            if let Err(error) = remove(&self.folder.place(name)) {
                tracing::warn!(%error, blob = %name, "the contents of a deleted object cannot be removed; the next start tries again");
            }
        }
    }
}

/// The folders below of which it is known that their names are on the disk.
type Named = Mutex<BTreeSet<PathBuf>>;

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the folder of objects {} cannot be used: {source}", path.display())]
pub struct FolderError {
    /// Where it is.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

impl Folder {
    /// Opens the folder, or makes it. What a crash left half written is removed; nobody else may use the folder.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(path: PathBuf) -> Result<Self, FolderError> {
        prepare(&path).map_err(|source| FolderError { path: path.clone(), source })?;
        Ok(Self { path, named: Arc::default(), kept: Arc::default() })
    }

    /// Keeps the files of blobs that are deleted from now on, until what is returned is dropped, which may block for as long
    /// as removing them takes. Of more than a million the rest goes with the next sweep.
    pub fn keep_deleted(&self) -> KeptBlobs {
        self.kept().keepers += 1;
        KeptBlobs { folder: self.clone() }
    }

    /// Where the file of a blob is.
    pub fn place(&self, name: BlobName) -> PathBuf {
        let name = name.to_string();
        self.path.join(name.get(..2).unwrap_or_default()).join(name)
    }

    /// Whether the deletion of a blob is put off.
    fn keeps(&self, name: BlobName) -> bool {
        let mut kept = self.kept();
        let keeps = kept.keepers > 0;
        if keeps && kept.deleted.len() < KEPT_MAX {
            kept.deleted.push(name);
        }
        keeps
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn temporary(&self, name: BlobName) -> PathBuf {
        self.path.join(TEMPORARY).join(name.to_string())
    }
}

#[async_trait]
impl Blobs for Folder {
    async fn create(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError> {
        let (temporary, place, named) = (self.temporary(name), self.place(name), Arc::clone(&self.named));
        let writer = blocking(move || {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            Ok(Writing { file: Some(file), temporary, place, named })
        });
        Ok(Box::new(writer.await.map_err(BlobError::failed)?))
    }

    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<Box<dyn BlobReader>, BlobError> {
        let place = self.place(name);
        let opened = blocking(move || {
            let mut file = File::open(place)?;
            file.seek(SeekFrom::Start(range.start))?;
            Ok(Reading { file: Some(file), missing: range.end.saturating_sub(range.start) })
        });
        match opened.await {
            Ok(reading) => Ok(Box::new(reading)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::Missing(name)),
            Err(error) => Err(BlobError::failed(error)),
        }
    }

    async fn delete(&self, name: BlobName) -> Result<(), BlobError> {
        if self.keeps(name) {
            return Ok(());
        }
        let place = self.place(name);
        blocking(move || remove(&place)).await.map_err(BlobError::failed)
    }

    async fn names(&self) -> Result<Vec<BlobName>, BlobError> {
        let path = self.path.clone();
        blocking(move || names_in(&path)).await.map_err(BlobError::failed)
    }
}

/// A file that is being written; removed when dropped unfinished.
struct Writing {
    file: Option<File>,
    temporary: PathBuf,
    place: PathBuf,
    named: Arc<Named>,
}

#[async_trait]
impl BlobWriter for Writing {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        let Some(mut file) = self.file.take() else { return Err(BlobError::failed(broken())) };
        let written = blocking(move || file.write_all(&bytes).map(|()| file)).await;
        self.file = Some(written.map_err(BlobError::failed)?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        let Some(file) = self.file.take() else { return Err(BlobError::failed(broken())) };
        let (temporary, place, named) = (self.temporary.clone(), self.place.clone(), Arc::clone(&self.named));
        let finished = blocking(move || {
            file.sync_all()?;
            let folder = place.parent().ok_or_else(broken)?;
            make_named(folder, &named)?;
            std::fs::rename(&temporary, &place)?;
            sync(folder)
        });
        finished.await.map_err(BlobError::failed)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Renamed, it is gone from here; what cannot be removed is at the next start.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

struct Reading {
    file: Option<File>,
    missing: u64,
}

#[async_trait]
impl BlobReader for Reading {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        if self.missing == 0 {
            return Ok(None);
        }
        let Some(file) = self.file.take() else { return Err(BlobError::failed(broken())) };
        let wanted = self.missing.min(PIECE);
        let read = blocking(move || {
            let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
            (&file).take(wanted).read_to_end(&mut bytes)?;
            Ok((file, bytes))
        });
        let (file, bytes) = read.await.map_err(BlobError::failed)?;
        self.file = Some(file);
        self.missing = self.missing.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if bytes.is_empty() {
            self.missing = 0;
            return Ok(None);
        }
        Ok(Some(bytes))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(broken()))
}

/// The work before this one did not come to its end.
fn broken() -> std::io::Error {
    std::io::Error::other("an earlier step failed")
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn prepare(path: &Path) -> std::io::Result<()> {
    make(path)?;
    let temporary = path.join(TEMPORARY);
    make(&temporary)?;
    let mut unfinished = 0_u64;
    for file in std::fs::read_dir(&temporary)? {
        std::fs::remove_file(file?.path())?;
        unfinished += 1;
    }
    if unfinished > 0 {
        tracing::warn!(unfinished, "a crash left contents of objects unfinished; they are removed");
    }
    sync(path)?;
    path.parent().map_or(Ok(()), sync)
}

fn make(path: &Path) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder if it is not there, and waits until its name is on the disk, also where another writer has just made it.
fn make_named(folder: &Path, named: &Named) -> std::io::Result<()> {
    let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
    if !named.contains(folder) || !folder.exists() {
        make(folder)?;
        sync(folder.parent().ok_or_else(broken)?)?;
        named.insert(folder.to_path_buf());
    }
    Ok(())
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn names_in(path: &Path) -> std::io::Result<Vec<BlobName>> {
    let mut names = Vec::new();
    for folder in std::fs::read_dir(path)? {
        let folder = folder?;
        if folder.file_name() == TEMPORARY || !folder.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            names.extend(file?.file_name().to_str().and_then(|name| name.parse::<BlobName>().ok()));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use testkit::SeededRandomness;

    use super::*;
    use crate::blob::InvalidBlobName;

    async fn read(folder: &Folder, name: BlobName, range: Range<u64>) -> Option<Vec<u8>> {
        let mut reader = folder.read(name, range).await.ok()?;
        let mut all = Vec::new();
        while let Some(bytes) = reader.next().await.unwrap() {
            all.extend_from_slice(&bytes);
        }
        Some(all)
    }

    #[tokio::test]
    async fn a_blob_is_there_once_it_is_finished_and_gone_once_it_is_deleted() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().join("objects")).unwrap();
        let name = BlobName::draw(&SeededRandomness::new(1)).unwrap();
        let mut writer = folder.create(name).await.unwrap();
        writer.write(b"hello ".to_vec()).await.unwrap();
        writer.write(b"world".to_vec()).await.unwrap();
        assert!(read(&folder, name, 0..11).await.is_none());
        assert_eq!(folder.names().await.unwrap(), []);
        writer.finish().await.unwrap();
        assert_eq!(read(&folder, name, 0..99).await.unwrap(), b"hello world");
        assert_eq!(read(&folder, name, 4..7).await.unwrap(), b"o w");
        assert_eq!(folder.names().await.unwrap(), [name]);
        folder.delete(name).await.unwrap();
        folder.delete(name).await.unwrap();
        assert!(matches!(folder.read(name, 0..1).await, Err(BlobError::Missing(missing)) if missing == name));
    }

    #[tokio::test]
    async fn what_is_deleted_while_somebody_keeps_it_goes_with_the_last_who_does() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().join("objects")).unwrap();
        let random = SeededRandomness::new(1);
        let (before, kept) = (BlobName::draw(&random).unwrap(), BlobName::draw(&random).unwrap());
        for name in [before, kept] {
            folder.create(name).await.unwrap().finish().await.unwrap();
        }
        folder.delete(before).await.unwrap();
        assert!(!folder.place(before).exists());
        let (first, second) = (folder.keep_deleted(), folder.keep_deleted());
        folder.delete(kept).await.unwrap();
        folder.delete(kept).await.unwrap();
        drop(first);
        assert!(folder.place(kept).exists());
        drop(second);
        assert!(!folder.place(kept).exists());
    }

    #[tokio::test]
    async fn what_was_not_finished_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().join("objects")).unwrap();
        let random = SeededRandomness::new(1);
        drop(folder.create(BlobName::draw(&random).unwrap()).await.unwrap());
        let left = place.path().join("objects/new");
        assert_eq!(std::fs::read_dir(&left).unwrap().count(), 0);
        std::fs::write(left.join("0".repeat(32)), "left by a crash").unwrap();
        drop(Folder::open(place.path().join("objects")).unwrap());
        assert_eq!(std::fs::read_dir(&left).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn files_and_folders_are_their_owners_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().join("objects")).unwrap();
        let name = BlobName::draw(&SeededRandomness::new(1)).unwrap();
        folder.create(name).await.unwrap().finish().await.unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.place(name)), 0o600);
        assert_eq!(mode(folder.place(name).parent().unwrap()), 0o700);
        assert_eq!(mode(&folder.path), 0o700);
    }

    #[test]
    fn names_are_32_digits() {
        let name = BlobName::draw(&SeededRandomness::new(1)).unwrap();
        assert_eq!(name.to_string().parse(), Ok(name));
        for bad in ["", "../../../../../../../../etc/passwd", &"A".repeat(32), &"0".repeat(33)] {
            assert_eq!(bad.parse::<BlobName>(), Err(InvalidBlobName), "{bad}");
        }
    }
}
