//! Writing a file whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const TEMPORARY_BEGIN: &str = ".root-";
const TEMPORARY_END: &str = ".new";

/// What to do with a file that is already there.
#[derive(Clone, Copy)]
pub(super) enum Existing {
    /// Leave it; the write fails with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// Put the new file in its place.
    Replace,
}

/// Writes a file with mode 0600: into a temporary file beside it, made durable, then given its name in one step.
///
/// `unique` tells temporary files of concurrent writers apart.
pub(super) fn write(path: &Path, bytes: &[u8], existing: Existing, unique: u64) -> io::Result<()> {
    let target = match existing {
        Existing::Keep => path.to_path_buf(),
        // Where the path is a link, the file behind it is replaced and the link stays.
        Existing::Replace => path.canonicalize()?,
    };
    let folder = folder_of(&target);
    let temporary = Temporary(folder.join(format!("{TEMPORARY_BEGIN}{unique:016x}{TEMPORARY_END}")));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    match existing {
        // Unlike a rename, a link fails if the name is taken, whoever took it a moment ago.
        Existing::Keep => fs::hard_link(&temporary.0, &target)?,
        Existing::Replace => fs::rename(&temporary.0, &target)?,
    }
    File::open(folder)?.sync_all()
}

/// Removes the temporary files beside `path` of writers that a crash cut off.
pub(super) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = folder_of(&target);
    let mut removed = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if name.starts_with(TEMPORARY_BEGIN) && name.ends_with(TEMPORARY_END) {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    if removed { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Removes the temporary name, whatever happened. After a rename there is nothing left to remove.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_is_for_the_owner_alone_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.json");
        write(&path, b"one", Existing::Keep, 1).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let refused = write(&path, b"two", Existing::Keep, 1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["root.json"]);
    }

    #[test]
    fn replacing_goes_through_a_link_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("root.json"), folder.path().join("link"));
        write(&path, b"one", Existing::Keep, 1).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, b"two", Existing::Replace, 2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["link", "root.json"]);
    }

    #[test]
    fn what_a_crash_left_of_writing_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.json");
        write(&path, b"one", Existing::Keep, 1).unwrap();
        for name in [".root-0123456789abcdef.new", ".root-x", "root.new"] {
            fs::write(folder.path().join(name), b"two").unwrap();
        }
        remove_unfinished(&path).unwrap();
        assert_eq!(names(folder.path()), [".root-x", "root.json", "root.new"]);
    }

    #[test]
    fn nothing_is_replaced_where_nothing_was() {
        let folder = tempfile::tempdir().unwrap();
        let refused = write(&folder.path().join("root.json"), b"one", Existing::Replace, 1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        assert!(names(folder.path()).is_empty());
    }
}
