//! The segment that is being written: appended, synced, and put right after a crash when it is opened again.
//!
//! Behind the lines the file has room, of zero bytes, which is made in large steps: so a sync writes the lines and nothing
//! else, where it would otherwise write the file's new size, too, each time. Nothing in a line is a zero byte, so the first
//! one ends what was written. A complete segment, and one that was closed, has no such room.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, BufRead, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::line::Head;
use super::reader::{Segment, segments};

const CHUNK_BYTES: usize = 256 * 1_024;
/// What is written behind the lines when there is no room for more.
static ROOM: [u8; 256 * 1_024] = [0; 256 * 1_024];

/// Makes the folder, for its owner alone, if it is not there.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A segment, open for appending.
pub(super) struct SegmentFile {
    segment: Segment,
    file: File,
    /// Bytes that are whole lines and, but for those written since the last sync, on disk.
    length: u64,
    /// The file's length: the lines and the room behind them.
    reserved: u64,
}

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
            let Some(line) = last else {
                // A segment that was begun and got no line; the one before it tells where the log has come to.
                std::fs::remove_file(&segment.path)?;
                continue;
            };
            let head = Head::behind(&line).ok_or_else(|| OpenError::Damaged(segment.clone()))?;
            file.set_len(end)?;
            file.sync_data()?;
            return Ok(Found { file: Self { segment, file, length: end, reserved: end }, head });
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
        File::open(folder)?.sync_all()?;
        Ok(Self { segment, file, length: 0, reserved: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.segment.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the file is still the one under its name, and nobody else wrote to it.
    pub(super) fn is_in_place(&self) -> bool {
        let same = |ours: &Metadata, theirs: &Metadata| {
            (ours.dev(), ours.ino(), self.reserved) == (theirs.dev(), theirs.ino(), theirs.len())
        };
        let both = || Some((self.file.metadata().ok()?, std::fs::metadata(&self.segment.path).ok()?));
        both().is_some_and(|(ours, theirs)| same(&ours, &theirs))
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

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn open(segment: &Segment) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&segment.path)
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
