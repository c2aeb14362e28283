//! The data folder: made for one user alone, used by one process at a time, for tests or for production.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

const LOCK: &str = "lock";
const MARK: &str = "format";
const STORE: &str = "keywright.redb";
const COMPLETE: &str = "complete";
const ROOT: &str = "root.json";
const PROFILE: &str = "aws-profile";
/// Is there while a process has the store open.
const IN_USE: &str = "in-use";

/// The folder's format that this program writes and the newest that it reads.
const FORMAT: u32 = 1;
/// What the mark says of a folder that is being restored.
const RESTORING: &str = "restoring";
/// No file that is read whole is longer.
const FILE_MAX: u64 = 65_536;

/// What a data folder is for; fixed when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Made with `--dev`.
    Tests,
    /// Made without.
    Production,
}

/// An open data folder. The lock is held until this is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Whether the mark that the folder is in use goes with this.
    is_marked: bool,
    _lock: File,
}

/// The folder cannot be used. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFolderError {
    #[error("{} is not a folder; choose another with --data-dir", .0.display())]
    NotAFolder(PathBuf),
    #[error("the data folder {} does not exist; check --data-dir", .0.display())]
    Missing(PathBuf),
    #[error("the data folder {} is in use by another Keywright process{holder}; stop that one or choose another folder with --data-dir", path.display())]
    InUse { path: PathBuf, holder: String },
    #[error("{} cannot be {action}: permission denied; the data folder must belong to the user who runs Keywright", path.display())]
    Forbidden { path: PathBuf, action: &'static str },
    #[error("{} cannot be written: the disk is full; nothing was changed, free some space and start again", .0.display())]
    Full(PathBuf),
    #[error("{} cannot be {action}: {source}", path.display())]
    Trouble { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("the data folder {} was made with --dev, for tests only; add --dev or choose another folder with --data-dir", .0.display())]
    ForTests(PathBuf),
    #[error("the data folder {} holds production data and --dev never touches that; leave --dev out or choose another folder with --data-dir", .0.display())]
    ForProduction(PathBuf),
    #[error("the data folder {} has format {format}, written by a newer Keywright; this one reads up to format {FORMAT}", path.display())]
    TooNew { path: PathBuf, format: u32 },
    #[error("{} is not empty; a backup is restored into a folder that is empty or not there yet", .0.display())]
    NotEmpty(PathBuf),
    #[error("a restore into the data folder {} did not come to its end; remove the folder, and run `keywright restore` again", .0.display())]
    HalfRestored(PathBuf),
    #[error("the data folder {} is damaged: {problem}; restore it from a backup", path.display())]
    Damaged { path: PathBuf, problem: &'static str },
}

impl DataFolder {
    /// Opens the folder, or makes it if there is none. The lock is taken before anything else is touched.
    pub(crate) fn open_or_create(path: &Path, purpose: Purpose) -> Result<Self, DataFolderError> {
        create(path)?;
        let lock = lock(path)?;
        match read_mark(path)? {
            Some(found) => check_purpose(path, found, purpose)?,
            None => {
                // What is marked is there to stay, and so must be its own name.
                sync_name(path).map_err(|error| trouble(path, "created", error))?;
                mark(path, purpose)?;
            }
        }
        Ok(Self { path: path.to_owned(), is_marked: false, _lock: lock })
    }

    /// Opens a folder that must be there, whatever it is for: for the commands beside `serve`.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let is_folder = path.metadata().map_err(|error| trouble(path, "read", error))?.is_dir();
        if !is_folder {
            return Err(DataFolderError::NotAFolder(path.to_owned()));
        }
        if !path.join(MARK).exists() {
            return Err(DataFolderError::Missing(path.to_owned()));
        }
        let lock = lock(path)?;
        if read_mark(path)?.is_none() {
            return Err(damaged(path, "its file `format` is missing"));
        }
        Ok(Self { path: path.to_owned(), is_marked: false, _lock: lock })
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The embedded store's file.
    ///
    /// # Errors
    /// It is missing although the folder was complete once: a new one would hide that everything is lost.
    pub(crate) fn store_path(&self) -> Result<PathBuf, DataFolderError> {
        let store = self.path.join(STORE);
        if self.path.join(COMPLETE).exists() && !store.exists() {
            return Err(damaged(&self.path, "its keywright.redb is missing"));
        }
        Ok(store)
    }

    /// Notes that root and store are there, so that one which goes missing later is not made anew.
    pub(crate) fn note_complete(&self) -> Result<(), DataFolderError> {
        if self.path.join(COMPLETE).exists() { Ok(()) } else { self.write_private(COMPLETE, b"") }
    }

    /// Marks the folder as in use, until this is dropped. Whether it was so already: whoever used it did not end in order. Then
    /// the mark stays in any case, until [`Self::note_told`].
    pub(crate) fn mark_in_use(&mut self) -> Result<bool, DataFolderError> {
        let was_in_use = self.path.join(IN_USE).exists();
        if !was_in_use {
            self.write_private(IN_USE, b"")?;
        }
        self.is_marked = !was_in_use;
        Ok(was_in_use)
    }

    /// The operator was told that the folder was in use.
    pub(crate) fn note_told(&mut self) {
        self.is_marked = true;
    }

    /// The AWS profile file that the first start writes.
    pub(crate) fn profile_path(&self) -> PathBuf {
        self.path.join(PROFILE)
    }

    /// The root's file.
    ///
    /// # Errors
    /// It is missing although there is a store: a new root could never open what is in there.
    pub(crate) fn root_path(&self) -> Result<PathBuf, DataFolderError> {
        let root = self.path.join(ROOT);
        let was_there = self.path.join(STORE).exists() || self.path.join(COMPLETE).exists();
        if was_there && !root.exists() {
            return Err(damaged(&self.path, "its root.json is missing"));
        }
        Ok(root)
    }

    /// Replaces the profile file in one step.
    pub(crate) fn write_profile(&self, profile: &[u8]) -> Result<(), DataFolderError> {
        self.write_private(PROFILE, profile)
    }

    /// Writes a file that only this user can read (0600), durably and whole or not at all.
    pub(crate) fn write_private(&self, name: &str, content: &[u8]) -> Result<(), DataFolderError> {
        write_private(&self.path, name, content)
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.is_marked {
            // What cannot be taken away is told of at the next start.
            let _ = std::fs::remove_file(self.path.join(IN_USE))
                .and_then(|()| File::open(&self.path)?.sync_all());
        }
    }
}

/// A folder that is being restored: nobody starts on it before [`Restoring::finish`]. Dropped before, it is emptied again. The
/// lock is held until then.
pub(crate) struct Restoring {
    path: PathBuf,
    is_new: bool,
    is_finished: bool,
    _lock: File,
}

impl Restoring {
    /// Makes the folder, or takes an empty one, and marks it.
    ///
    /// # Errors
    /// It is not empty, or cannot be used.
    pub(crate) fn begin(path: &Path) -> Result<Self, DataFolderError> {
        let is_new = !path.exists();
        create(path)?;
        let entries = std::fs::read_dir(path).map_err(|error| trouble(path, "read", error))?.count();
        if entries > 0 {
            let is_half = matches!(read_mark(path), Err(DataFolderError::HalfRestored(_)));
            let path = path.to_owned();
            return Err(if is_half {
                DataFolderError::HalfRestored(path)
            } else {
                DataFolderError::NotEmpty(path)
            });
        }
        let lock = lock(path)?;
        write_private(path, MARK, format!("{FORMAT} {RESTORING}\n").as_bytes())?;
        Ok(Self { path: path.to_owned(), is_new, is_finished: false, _lock: lock })
    }

    /// Brings everything to disk, and then makes it a data folder with this mark, the one of the folder that was backed up.
    ///
    /// # Errors
    /// The mark is none that this program reads, or the disk fails.
    pub(crate) fn finish(mut self, mark: &[u8]) -> Result<(), DataFolderError> {
        read_purpose(&self.path, mark.to_vec())?;
        let failed = |error| trouble(&self.path, "written", error);
        let folder = File::open(&self.path).map_err(failed)?;
        rustix::fs::syncfs(&folder).map_err(|error| failed(error.into()))?;
        write_private(&self.path, MARK, mark)?;
        self.is_finished = true;
        Ok(())
    }

    /// Removes what was made. What cannot be removed stays marked as it is.
    fn take_back(&self) {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return };
        let others = entries.flatten().filter(|entry| entry.file_name() != MARK);
        let is_removed = |entry: std::fs::DirEntry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(entry.path()).is_ok(),
            Ok(_) | Err(_) => std::fs::remove_file(entry.path()).is_ok(),
        };
        // The mark goes last, and only if nothing is left.
        if others.map(is_removed).filter(|is_removed| !is_removed).count() == 0 {
            let _ = std::fs::remove_file(self.path.join(MARK));
            if self.is_new {
                let _ = std::fs::remove_dir(&self.path);
            }
        }
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        if !self.is_finished {
            self.take_back();
        }
    }
}

impl DataFolderError {
    /// What the system said of one file of the folder.
    pub(crate) fn of_file(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        trouble(path, action, source)
    }
}

fn create(path: &Path) -> Result<(), DataFolderError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(DataFolderError::NotAFolder(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path).map_err(|error| trouble(path, "created", error))
        }
        Err(error) => Err(trouble(path, "read", error)),
    }
}

/// Makes the folder and those that lead to it, each with a name that survives a power cut.
fn make(path: &Path) -> std::io::Result<()> {
    let parent = parent(path);
    if !parent.exists() {
        make(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => sync_name(path),
    }
}

/// Waits until the folder's name is on the disk. Where the folder above may be written and not read, that cannot be asked for.
fn sync_name(path: &Path) -> std::io::Result<()> {
    match File::open(parent(path)).and_then(|folder| folder.sync_all()) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn lock(folder: &Path) -> Result<File, DataFolderError> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| trouble(&path, "opened", error))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(DataFolderError::InUse { path: folder.to_owned(), holder: holder(&mut file) });
        }
        Err(error) => return Err(trouble(&path, "locked", error.into())),
    }
    // Only a help for people: whether it can be written decides nothing.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    text.trim().parse::<u32>().map(|process| format!(" (process {process})")).unwrap_or_default()
}

fn read_mark(folder: &Path) -> Result<Option<Purpose>, DataFolderError> {
    let Some(bytes) = read(&folder.join(MARK))? else {
        let has_data = folder.join(STORE).exists() || folder.join(ROOT).exists();
        return if has_data { Err(damaged(folder, "its file `format` is missing")) } else { Ok(None) };
    };
    read_purpose(folder, bytes).map(Some)
}

/// What a mark says that a folder is for.
fn read_purpose(folder: &Path, bytes: Vec<u8>) -> Result<Purpose, DataFolderError> {
    let broken = || damaged(folder, "its file `format` cannot be understood");
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    let mut words = text.split_whitespace();
    let format = words.next().and_then(|word| word.parse::<u32>().ok()).ok_or_else(broken)?;
    if format > FORMAT {
        return Err(DataFolderError::TooNew { path: folder.to_owned(), format });
    }
    match (words.next(), words.next()) {
        (Some(RESTORING), None) => Err(DataFolderError::HalfRestored(folder.to_owned())),
        (Some("production"), None) => Ok(Purpose::Production),
        (Some("dev"), None) => Ok(Purpose::Tests),
        _ => Err(broken()),
    }
}

fn mark(folder: &Path, purpose: Purpose) -> Result<(), DataFolderError> {
    let word = match purpose {
        Purpose::Tests => "dev",
        Purpose::Production => "production",
    };
    write_private(folder, MARK, format!("{FORMAT} {word}\n").as_bytes())
}

fn check_purpose(folder: &Path, found: Purpose, wanted: Purpose) -> Result<(), DataFolderError> {
    match (found, wanted) {
        (Purpose::Tests, Purpose::Production) => Err(DataFolderError::ForTests(folder.to_owned())),
        (Purpose::Production, Purpose::Tests) => Err(DataFolderError::ForProduction(folder.to_owned())),
        (Purpose::Tests, Purpose::Tests) | (Purpose::Production, Purpose::Production) => Ok(()),
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, DataFolderError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble(path, "read", error)),
    };
    let mut content = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut content).map_err(|error| trouble(path, "read", error))?;
    Ok(Some(content))
}

fn write_private(folder: &Path, name: &str, content: &[u8]) -> Result<(), DataFolderError> {
    let temporary = folder.join(format!("{name}.new"));
    let target = folder.join(name);
    let write = || -> std::io::Result<()> {
        // A file that a crash left behind may have other rights; it is made anew.
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &target)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        trouble(&target, "written", error)
    })
}

fn damaged(folder: &Path, problem: &'static str) -> DataFolderError {
    DataFolderError::Damaged { path: folder.to_owned(), problem }
}

fn trouble(path: &Path, action: &'static str, source: std::io::Error) -> DataFolderError {
    let path = path.to_owned();
    if source.kind() == ErrorKind::PermissionDenied || source.kind() == ErrorKind::ReadOnlyFilesystem {
        return DataFolderError::Forbidden { path, action };
    }
    if source.kind() == ErrorKind::StorageFull || source.kind() == ErrorKind::QuotaExceeded {
        return DataFolderError::Full(path);
    }
    if source.kind() == ErrorKind::NotFound {
        return DataFolderError::Missing(path);
    }
    DataFolderError::Trouble { path, action, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    fn message<T>(outcome: Result<T, DataFolderError>) -> String {
        outcome.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_new_folder_is_private_and_opens_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/data");
        let folder = DataFolder::open_or_create(&path, Purpose::Production).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(folder.root_path().unwrap(), path.join(ROOT));
        folder.write_profile(b"first").unwrap();
        folder.write_profile(b"second").unwrap();
        assert_eq!(mode(&folder.profile_path()), 0o600);
        assert_eq!(std::fs::read(folder.profile_path()).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 3);
        drop(folder);
        assert!(DataFolder::open(&path).is_ok());
    }

    #[test]
    fn a_second_process_is_refused_and_told_who_holds_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let first = DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        let told = message(DataFolder::open_or_create(place.path(), Purpose::Production));
        assert!(told.contains("in use") && told.contains(&std::process::id().to_string()), "{told}");
        assert!(message(DataFolder::open(place.path())).contains("in use"));
        drop(first);
        assert!(DataFolder::open(place.path()).is_ok());
    }

    #[test]
    fn whoever_does_not_end_in_order_leaves_a_mark() {
        let place = tempfile::tempdir().unwrap();
        let open = || DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        let mut first = open();
        assert!(!first.mark_in_use().unwrap());
        std::fs::copy(place.path().join(IN_USE), place.path().join("copy")).unwrap();
        drop(first);
        assert!(!open().mark_in_use().unwrap(), "it ended in order");
        std::fs::rename(place.path().join("copy"), place.path().join(IN_USE)).unwrap();
        // Who does not use the store neither makes the mark nor takes it away.
        drop(open());
        // Nor does one that fails before it has told of it.
        assert!(open().mark_in_use().unwrap());
        let mut second = open();
        assert!(second.mark_in_use().unwrap());
        second.note_told();
        drop(second);
        assert!(!open().mark_in_use().unwrap(), "it was told");
    }

    #[test]
    fn tests_and_production_never_mix() {
        let place = tempfile::tempdir().unwrap();
        let (tests, production) = (place.path().join("tests"), place.path().join("production"));
        drop(DataFolder::open_or_create(&tests, Purpose::Tests).unwrap());
        drop(DataFolder::open_or_create(&production, Purpose::Production).unwrap());
        assert!(message(DataFolder::open_or_create(&tests, Purpose::Production)).contains("made with --dev"));
        assert!(message(DataFolder::open_or_create(&production, Purpose::Tests)).contains("production data"));
        assert!(DataFolder::open_or_create(&tests, Purpose::Tests).is_ok());
        assert!(DataFolder::open_or_create(&production, Purpose::Production).is_ok());
    }

    #[test]
    fn a_folder_that_is_being_restored_is_nobodys_until_the_end() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("data");
        drop(Restoring::begin(&path).unwrap());
        assert!(!path.exists());
        let restoring = Restoring::begin(&path).unwrap();
        assert!(message(DataFolder::open(&path)).contains("in use"));
        std::fs::create_dir(path.join("trail")).unwrap();
        std::fs::write(path.join(ROOT), "x").unwrap();
        restoring.finish(b"1 dev\n").unwrap();
        assert!(message(DataFolder::open_or_create(&path, Purpose::Production)).contains("made with --dev"));
        assert!(message(Restoring::begin(&path)).contains("not empty"));
        // As a kill leaves it.
        std::fs::write(path.join(MARK), "1 restoring\n").unwrap();
        for told in [
            message(DataFolder::open(&path)),
            message(DataFolder::open_or_create(&path, Purpose::Tests)),
            message(Restoring::begin(&path)),
        ] {
            assert!(told.contains("did not come to its end"), "{told}");
        }
        let empty = place.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let restoring = Restoring::begin(&empty).unwrap();
        assert!(message(restoring.finish(b"9 production\n")).contains("newer Keywright"));
        assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_a_data_folder_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(message(DataFolder::open_or_create(&file, Purpose::Production)).contains("not a folder"));
        assert!(message(DataFolder::open(&file)).contains("not a folder"));
        assert!(
            message(DataFolder::open_or_create(&file.join("below"), Purpose::Production))
                .contains("Not a directory")
        );
        assert!(message(DataFolder::open(&place.path().join("none"))).contains("does not exist"));
        // Looking at a folder that is not ours leaves nothing in it.
        assert!(message(DataFolder::open(place.path())).contains("does not exist"));
        assert!(!place.path().join(LOCK).exists());
    }

    #[test]
    fn a_damaged_folder_is_refused_and_left_alone() {
        let place = tempfile::tempdir().unwrap();
        drop(DataFolder::open_or_create(place.path(), Purpose::Production).unwrap());
        let open = || message(DataFolder::open_or_create(place.path(), Purpose::Production));
        for (content, words) in [
            ("", "damaged"),
            ("x", "damaged"),
            ("1 both", "damaged"),
            ("1 dev x", "damaged"),
            ("2 production", "newer"),
        ] {
            std::fs::write(place.path().join(MARK), content).unwrap();
            assert!(open().contains(words), "{content}: {}", open());
        }
        std::fs::remove_file(place.path().join(MARK)).unwrap();
        std::fs::write(place.path().join(STORE), "").unwrap();
        assert!(open().contains("`format` is missing"));
        std::fs::write(place.path().join(MARK), "1 production").unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        assert!(message(folder.root_path()).contains("root.json is missing"));
    }

    #[test]
    fn troubles_of_the_system_become_sentences() {
        for (errno, words) in [
            (rustix::io::Errno::NOSPC, "disk is full"),
            (rustix::io::Errno::DQUOT, "disk is full"),
            (rustix::io::Errno::ACCESS, "permission denied"),
            (rustix::io::Errno::ROFS, "permission denied"),
            (rustix::io::Errno::IO, "cannot be written: "),
        ] {
            let told = trouble(Path::new("/d/root.json"), "written", errno.into()).to_string();
            assert!(told.contains(words) && told.contains("/d/root.json"), "{told}");
        }
    }
}
