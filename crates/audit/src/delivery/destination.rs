//! Where delivered files go.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::object::Object;

/// Stands behind the name of an object in a folder, for the file with its user metadata.
pub const METADATA_SUFFIX: &str = ".metadata.json";
/// Stands behind the name of a file that is being written.
const UNFINISHED_SUFFIX: &str = ".new";

/// The destination did not take a file. It is tried again later; nobody waits for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} cannot be delivered to {destination}: {reason}")]
pub struct DestinationError {
    /// The file's name.
    pub object: String,
    /// The folder or bucket.
    pub destination: String,
    /// What it said.
    pub reason: String,
}

/// Takes delivered files.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Keeps the object, in place of one of the same name. Durable when this returns. Must end in bounded time.
    ///
    /// # Errors
    /// It is not kept, or may not be.
    async fn put(&self, object: &Object) -> Result<(), DestinationError>;
}

/// A folder: each object is a file (0600) in folders (0700) that are called like the parts of its name. User metadata
/// stands beside it in `<name>.metadata.json`.
#[derive(Clone, Debug)]
pub struct FolderDestination {
    folder: PathBuf,
    /// Folders whose names are durable, as this process knows: one that is there may be one that a crash cut off, or a sync
    /// that failed, and would go with the next power cut.
    durable: Arc<Mutex<HashSet<PathBuf>>>,
}

/// How many folders are remembered; each day has new ones.
const FOLDERS_MAX: usize = 4_096;

impl FolderDestination {
    /// Makes nothing yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, durable: Arc::default() }
    }

    fn write(&self, object: &Object) -> io::Result<()> {
        let path = path_in(&self.folder, &object.name)?;
        self.make_folder(path.parent().unwrap_or(&self.folder))?;
        if !object.metadata.is_empty() {
            let fields =
                object.metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
            let metadata = serde_json::Value::Object(fields.collect());
            let mut name = path.clone().into_os_string();
            name.push(METADATA_SUFFIX);
            // Before the object: who finds that finds its signature.
            replace_file(Path::new(&name), metadata.to_string().as_bytes())?;
        }
        replace_file(&path, &object.content)
    }

    /// Makes a folder and those above it, where they are missing, durably.
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let is_the_operators = path.is_dir() && !path.starts_with(&self.folder);
        if is_the_operators || self.knows(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_folder(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        path.parent().map_or(Ok(()), sync_folder)?;
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.len() >= FOLDERS_MAX {
            durable.clear();
        }
        durable.insert(path.to_owned());
        Ok(())
    }

    fn knows(&self, path: &Path) -> bool {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(path) && path.is_dir()
    }
}

#[async_trait]
impl Destination for FolderDestination {
    async fn put(&self, object: &Object) -> Result<(), DestinationError> {
        let (place, taken) = (self.clone(), object.clone());
        let written = tokio::task::spawn_blocking(move || place.write(&taken)).await;
        let outcome =
            written.unwrap_or_else(|_| Err(io::Error::other("interrupted by the end of the process")));
        outcome.map_err(|error| DestinationError {
            object: object.name.clone(),
            destination: self.folder.display().to_string(),
            reason: error.to_string(),
        })
    }
}

/// The file of an object. No name leads out of the folder.
pub(crate) fn path_in(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if !name.split('/').all(is_plain) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name cannot be that of a file"));
    }
    Ok(folder.join(name))
}

/// Replaces a file in one step, durably. Only the owner may read it.
///
/// # Errors
/// The file is as it was, or replaced.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(UNFINISHED_SUFFIX);
    let unfinished = PathBuf::from(unfinished);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// All files that were put below a folder, and none that is still being written; none if there is no folder.
///
/// # Errors
/// A folder cannot be read.
pub fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        let entries = match std::fs::read_dir(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let is_unfinished = entry.file_name().as_encoded_bytes().ends_with(UNFINISHED_SUFFIX.as_bytes());
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if !is_unfinished {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn object(name: &str, content: &[u8]) -> Object {
        Object {
            name: name.to_owned(),
            content: content.to_vec(),
            metadata: vec![("signature", "00ff".to_owned())],
        }
    }

    #[tokio::test]
    async fn objects_are_private_files_with_their_metadata_beside_them() {
        let place = tempfile::tempdir().unwrap();
        let destination = FolderDestination::new(place.path().join("d"));
        for content in [&b"first, longer"[..], b"second"] {
            destination.put(&object("a/b/c.json.gz", content)).await.unwrap();
            assert_eq!(std::fs::read(place.path().join("d/a/b/c.json.gz")).unwrap(), content);
        }
        let metadata = std::fs::read_to_string(place.path().join("d/a/b/c.json.gz.metadata.json")).unwrap();
        assert_eq!(metadata, "{\"signature\":\"00ff\"}");
        let mode = |path| std::fs::metadata(place.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("d"), mode("d/a/b"), mode("d/a/b/c.json.gz")), (0o700, 0o700, 0o600));
        assert_eq!(std::fs::read_dir(place.path().join("d/a/b")).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let destination = FolderDestination::new(place.path().join("d"));
        for name in ["../x", "a/../../x", "/x", "", "a//b", "."] {
            assert!(destination.put(&object(name, b"")).await.is_err(), "{name}");
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_in_the_way_is_told() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("d"), b"a file").unwrap();
        let error =
            FolderDestination::new(place.path().join("d")).put(&object("a/b", b"")).await.unwrap_err();
        assert!(error.to_string().contains("a/b") && error.to_string().contains("/d"), "{error}");
    }
}
