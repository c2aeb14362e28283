//! The segment that is being written: appended, synced, and put right after a crash when it is opened again.
//!
//! Behind the lines the file has room, of zero bytes, which is made in large steps: so a sync writes the lines and nothing
//! else, where it would otherwise write the file's new size, too, each time. Nothing in a line is a zero byte, so the first
//! one ends what was written. A complete segment, and one that was closed, has no such room.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};

use super::line::Head;
use super::reader::{Segment, segments};

const CHUNK_BYTES: usize = 256 * 1_024;
/// How much before its end is written again when a log is opened: more than was ever written between two syncs, 8 MiB.
const REWRITTEN_BYTES: u64 = 8 * 1_024 * 1_024;
/// What is written behind the lines when there is no room for more.
static ROOM: [u8; 256 * 1_024] = [0; 256 * 1_024];

/// Makes the folder, for its owner alone, if it is not there. Its name and that of the folder above survive a power cut, as
/// what is logged must: also if a crash came between making and syncing them.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    folder.ancestors().skip(1).take(2).try_for_each(sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// A segment, open for appending.
pub(super) struct SegmentFile {
    segment: Segment,
    file: File,
    /// Bytes that are whole lines and, but for those written since the last sync, on disk.
    length: u64,
    /// The file's length: the lines and the room behind them.
    reserved: u64,
    identity: FileIdentity,
}

/// Device and number of a file.
type FileIdentity = (u32, u32, u64);

/// A log as it was found.
pub(super) struct Found {
    pub(super) file: SegmentFile,
    pub(super) head: Head,
}

/// Why a log cannot be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    Io(io::Error),
    /// The last line of this segment is none.
    Damaged(Segment),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl SegmentFile {
    /// Opens the last segment of a log, cuts off what a crash left unfinished, and tells where the log has come to.
    pub(super) fn open_last(folder: &Path) -> Result<Found, OpenError> {
        make_folder(folder)?;
        let mut found = segments(folder)?;
        while let Some(segment) = found.pop() {
            let mut file = open(&segment)?;
            let (end, last) = last_line(&mut file)?;
            set_lines_aside(&segment, &mut file, end)?;
            let Some(line) = last else {
                // A segment that was begun and got no line; the one before it tells where the log has come to.
                std::fs::remove_file(&segment.path)?;
                continue;
            };
            let head = Head::behind(&line).ok_or_else(|| OpenError::Damaged(segment.clone()))?;
            file.set_len(end)?;
            write_again(&file, end)?;
            file.sync_data()?;
            return Ok(Found { file: Self::of(segment, file, end)?, head });
        }
        Ok(Found { file: Self::begin(folder, Head::BEGINNING)?, head: Head::BEGINNING })
    }

    /// Begins the segment of the next line.
    pub(super) fn begin(folder: &Path, head: Head) -> io::Result<Self> {
        make_folder(folder)?;
        let segment = Segment::new(folder, head.next);
        let file = open(&segment)?;
        file.set_len(0)?;
        // The file's name must survive a power cut as well as its content.
        file.sync_data()?;
        sync_folder(folder)?;
        Self::of(segment, file, 0)
    }

    /// A file of whole lines alone.
    fn of(segment: Segment, file: File, length: u64) -> io::Result<Self> {
        let (identity, _) = identity(&segment.path)?;
        Ok(Self { segment, file, length, reserved: length, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.segment.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the file is still the one under its name, and nobody else wrote to it.
    pub(super) fn is_in_place(&self) -> bool {
        identity(&self.segment.path).is_ok_and(|found| found == (self.identity, self.reserved))
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let end = self.length + size(lines);
        if end > self.reserved {
            self.make_room(end)?;
        }
        self.file.write_all_at(lines, self.length)?;
        self.length = end;
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Takes back everything behind `length`, which must be at a line's end.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.length = length;
        self.reserved = length;
        self.file.set_len(length)?;
        self.file.sync_data()
    }

    /// Takes back the room behind the lines: nothing more will be written.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.cut(self.length)
    }

    /// Fails unless there is room for more.
    pub(super) fn find_room(&mut self) -> io::Result<()> {
        self.make_room(self.length)?;
        self.file.sync_data()
    }

    /// Makes room from `end` on.
    fn make_room(&mut self, end: u64) -> io::Result<()> {
        self.file.write_all_at(&ROOM, end)?;
        self.reserved = end + size(&ROOM);
        Ok(())
    }
}

/// Which file has this name, and its length. Its times are not asked for: a file whose times were seen gets another one with
/// the next write, and a sync would have to write that as well.
fn identity(path: &Path) -> io::Result<(FileIdentity, u64)> {
    let wanted = StatxFlags::INO | StatxFlags::SIZE;
    let found = rustix::fs::statx(CWD, path, AtFlags::empty(), wanted)?;
    Ok(((found.stx_dev_major, found.stx_dev_minor, found.stx_ino), found.stx_size))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn open(segment: &Segment) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&segment.path)
}

/// Keeps what is cut off behind `end` in a file of its own if there are whole lines in it: a power cut leaves such lines of a
/// group that nobody was told of, but so does whoever puts a zero byte into a line that was safe.
fn set_lines_aside(segment: &Segment, file: &mut File, end: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(end))?;
    let mut unread = Vec::new();
    io::BufReader::with_capacity(CHUNK_BYTES, &mut *file).read_until(b'\n', &mut unread)?;
    if unread.last() != Some(&b'\n') {
        tell_unfinished(segment, &unread);
        return Ok(());
    }
    let aside = segment.path.with_extension(format!("{end}.torn"));
    let mut kept = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.seek(SeekFrom::Start(end))?;
    let bytes = io::copy(file, &mut kept)?;
    kept.sync_all()?;
    tracing::error!(
        file = %segment.path.display(),
        kept = %aside.display(),
        bytes,
        "the audit log goes on before lines that a power cut, or somebody, made unreadable; they are kept, and \
         `keywright trail verify` tells whether any of them had been delivered"
    );
    Ok(())
}

/// Says that a line is cut off of which a crash left a part. The room behind the lines is no line.
fn tell_unfinished(segment: &Segment, unread: &[u8]) {
    let bytes = unread.iter().take_while(|byte| **byte != 0).count();
    if bytes > 0 {
        tracing::warn!(
            file = %segment.path.display(),
            bytes,
            "a crash left a line of the audit log unfinished; it is cut off"
        );
    }
}

/// Writes the last lines as they are. If a sync of the process before this one failed, the system may show lines that are not
/// on the disk and that it will never write: fsync(2), BUGS. Behind such a hole nothing would be safe.
fn write_again(file: &File, end: u64) -> io::Result<()> {
    let begin = end.saturating_sub(REWRITTEN_BYTES);
    let mut lines = vec![0; usize::try_from(end - begin).unwrap_or_default()];
    file.read_exact_at(&mut lines, begin)?;
    file.write_all_at(&lines, begin)
}

/// Where the last whole line ends, and that line without its line end. Everything before the first zero byte was written;
/// what a power cut left behind it was written in part.
fn last_line(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    file.seek(SeekFrom::Start(0))?;
    let mut written = io::BufReader::with_capacity(CHUNK_BYTES, file);
    let (mut end, mut last, mut line) = (0, None, Vec::new());
    loop {
        line.clear();
        written.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') || line.contains(&0) {
            return Ok((end, last));
        }
        end += size(&line);
        line.pop();
        std::mem::swap(last.get_or_insert_default(), &mut line);
    }
}
