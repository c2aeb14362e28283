//! The file of a backup: it has its name once it is whole and on disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::BackupCommandError;

/// What the unfinished file is called behind its name.
const UNFINISHED: &str = ".unfinished";

/// Where a backup goes. Dropped before [`Output::finish`], it leaves no file.
pub(super) enum Output {
    /// Standard output.
    Standard(io::Stdout),
    /// A file.
    File(NewFile),
}

/// A file that is being written.
pub(super) struct NewFile {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Output {
    /// Begins it; `-` is standard output.
    ///
    /// # Errors
    /// The file is there already, or cannot be made.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupCommandError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Standard(io::stdout()));
        }
        if path.exists() {
            return Err(BackupCommandError::Exists(path.to_owned()));
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        // What an earlier run left may have other rights; it is made anew.
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupCommandError::file(unfinished, "removed")(error));
            }
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let file = file.map_err(BackupCommandError::file(&unfinished, "made"))?;
        Ok(Self::File(NewFile { file, unfinished, path: path.to_owned() }))
    }

    /// Brings it to disk and gives it its name.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn finish(self) -> Result<(), BackupCommandError> {
        match self {
            Self::Standard(mut out) => out.flush().map_err(BackupCommandError::written("standard output")),
            Self::File(new) => new.rename().map_err(BackupCommandError::written(&new.path)),
        }
    }
}

impl NewFile {
    fn rename(&self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.unfinished, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Renamed, it is gone from here.
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(new) => new.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(new) => new.file.flush(),
        }
    }
}
