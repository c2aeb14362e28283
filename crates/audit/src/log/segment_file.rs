//! The segment that is being written: appended, synced, and put right after a crash when it is opened again.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::line::Head;
use super::reader::{Segment, segments};

const CHUNK_BYTES: u64 = 64 * 1_024;
/// So much must fit behind the lines before a log that could not be written is written to again.
const ROOM_BYTES: usize = 64 * 1_024;

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
            return Ok(Found { file: Self { segment, file, length: end }, head });
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
        Ok(Self { segment, file, length: 0 })
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
            (ours.dev(), ours.ino(), self.length) == (theirs.dev(), theirs.ino(), theirs.len())
        };
        let both = || Some((self.file.metadata().ok()?, std::fs::metadata(&self.segment.path).ok()?));
        both().is_some_and(|(ours, theirs)| same(&ours, &theirs))
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all_at(lines, self.length)?;
        self.length += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Takes back everything behind `length`, which must be at a line's end.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.length = length;
        self.file.set_len(length)?;
        self.file.sync_data()
    }

    /// Fails unless there is room for more. An attempt leaves nothing that is taken for a line.
    pub(super) fn find_room(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[0; ROOM_BYTES], self.length)?;
        self.file.sync_data()?;
        self.cut(self.length)
    }
}

fn open(segment: &Segment) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&segment.path)
}

/// Where the last whole line ends, and that line without its line end.
fn last_line(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut start = file.metadata()?.len();
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let mut ends = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let (end, before) = (ends.next(), ends.next());
        if let (Some(end), true) = (end, before.is_some() || start == 0) {
            let line = bytes.get(before.map_or(0, |before| before + 1)..end).map(<[u8]>::to_vec);
            return Ok((start + u64::try_from(end + 1).unwrap_or(u64::MAX), line));
        }
        if start == 0 {
            return Ok((0, None));
        }
        let from = start.saturating_sub(CHUNK_BYTES);
        let mut chunk = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        Read::by_ref(file).take(start - from).read_to_end(&mut chunk)?;
        chunk.append(&mut bytes);
        (bytes, start) = (chunk, from);
    }
}
