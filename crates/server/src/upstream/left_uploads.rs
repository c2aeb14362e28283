//! Uploads in parts that are under way upstream, noted in a folder: a process that is killed leaves parts there which no
//! list of objects shows.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use objects::{BlobName, FolderError};

/// The folder: a file for each upload, named as its blob, with the id of the upload.
pub(super) struct LeftUploads {
    path: PathBuf,
    /// Those of earlier processes.
    found: Mutex<Vec<(BlobName, String)>>,
}

impl LeftUploads {
    /// Opens the folder, or makes it.
    pub(super) fn open(path: PathBuf) -> Result<Self, FolderError> {
        match found_in(&path) {
            Ok(found) => Ok(Self { path, found: Mutex::new(found) }),
            Err(source) => Err(FolderError { path, source }),
        }
    }

    /// One that an earlier process left.
    pub(super) fn last(&self) -> Option<(BlobName, String)> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// Nothing is left of one any more.
    pub(super) fn remove(&self, name: BlobName) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).retain(|(left, _)| *left != name);
    }

    /// Notes an upload, durably.
    pub(super) async fn note(&self, name: BlobName, id: String) -> std::io::Result<()> {
        let (folder, file) = (self.path.clone(), self.path.join(name.to_string()));
        blocking(move || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
            file.write_all(id.as_bytes())?;
            file.sync_all()?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// Forgets an upload that has ended.
    pub(super) async fn forget(&self, name: BlobName) -> std::io::Result<()> {
        let file = self.path.join(name.to_string());
        blocking(move || match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

async fn blocking(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> std::io::Result<()> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(std::io::Error::other("an earlier step failed")))
}

fn found_in(path: &Path) -> std::io::Result<Vec<(BlobName, String)>> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut found = Vec::new();
    for file in std::fs::read_dir(path)? {
        let file = file?;
        let name = file.file_name().to_str().and_then(|name| name.parse().ok());
        let id = std::fs::read_to_string(file.path())?;
        match name.filter(|_| !id.is_empty()) {
            Some(name) => found.push((name, id)),
            // Cut off before it said anything.
            None => std::fs::remove_file(file.path())?,
        }
    }
    Ok(found)
}
