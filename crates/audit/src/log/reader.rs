//! Reading the log, also while it is written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Digits in the name of a segment.
const NAME_DIGITS: usize = 20;
const EXTENSION: &str = "jsonl";

/// A file of the log. All but the last are complete and never change again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first line.
    pub first: u64,
    /// Where it is.
    pub path: PathBuf,
}

impl Segment {
    pub(super) fn new(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(format!("{first:0NAME_DIGITS$}.{EXTENSION}")) }
    }

    /// The segment of this path, if it is called like one.
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
        let is_one = name.len() == NAME_DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
        let first = is_one.then(|| name.parse().ok())??;
        Some(Self { first, path })
    }

    /// Its whole lines, from `offset` bytes on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lines(&self, offset: u64) -> io::Result<Lines> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Lines { file: BufReader::with_capacity(1 << 17, file), offset })
    }
}

/// The segments in the log's folder, oldest first; none if there is no folder.
///
/// # Errors
/// The folder cannot be read.
pub fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(Segment::of(entry?.path()));
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}

/// The segments in the log's folder, oldest first, each with the bytes of it that are whole lines now. What is logged behind
/// them later leaves these as they are.
///
/// # Errors
/// A segment cannot be read.
pub fn written(folder: &Path) -> io::Result<Vec<(Segment, u64)>> {
    let mut found = segments(folder)?;
    let last = found.pop();
    let complete = found.into_iter().map(|segment| {
        let length = segment.path.metadata()?.len();
        Ok((segment, length))
    });
    let mut written = complete.collect::<io::Result<Vec<_>>>()?;
    if let Some(segment) = last {
        let (mut lines, mut line) = (segment.lines(0)?, Vec::new());
        while lines.read(&mut line)? {}
        let length = lines.offset();
        written.push((segment, length));
    }
    Ok(written)
}

/// Reads line by line; an unfinished last line is not given, nor what is being written at this moment: where zero bytes are,
/// something is still to come.
#[derive(Debug)]
pub struct Lines {
    file: BufReader<File>,
    offset: u64,
}

impl Lines {
    /// Where the next line begins, in bytes from the beginning of the segment.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next line into `line`, without its line end; false if there is no further whole line.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if self.file.fill_buf()?.first() == Some(&0) {
            return Ok(false);
        }
        let length = self.file.read_until(b'\n', line)?;
        if line.pop() != Some(b'\n') || line.contains(&0) {
            return Ok(false);
        }
        self.offset += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_come_in_order_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "00000000000000000012.jsonl",
            "00000000000000000003.jsonl",
            "3.jsonl",
            "x.index",
            "00000000000000000003.json",
        ] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let found: Vec<u64> = segments(folder.path()).unwrap().iter().map(|segment| segment.first).collect();
        assert_eq!(found, [3, 12]);
        assert_eq!(Segment::new(folder.path(), 12), segments(folder.path()).unwrap()[1]);
        assert!(segments(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn whole_lines_are_read_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::new(folder.path(), 1);
        std::fs::write(&segment.path, b"one\ntwo\nthr").unwrap();
        let mut line = Vec::new();
        let mut lines = segment.lines(0).unwrap();
        assert!(lines.read(&mut line).unwrap());
        assert_eq!((line.as_slice(), lines.offset()), (&b"one"[..], 4));
        let mut lines = segment.lines(4).unwrap();
        assert!(lines.read(&mut line).unwrap());
        assert_eq!((line.as_slice(), lines.offset()), (&b"two"[..], 8));
        assert!(!lines.read(&mut line).unwrap());
        assert_eq!(lines.offset(), 8);
    }

    #[test]
    fn what_is_written_ends_with_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Segment::new(folder.path(), 1), Segment::new(folder.path(), 3));
        std::fs::write(&first.path, b"one\ntwo\n").unwrap();
        std::fs::write(&second.path, b"three\nfo\0\0").unwrap();
        assert_eq!(written(folder.path()).unwrap(), [(first, 8), (second, 6)]);
        assert!(written(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_being_written_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::new(folder.path(), 1);
        for written in [&b"one\n\0\0\0\0"[..], b"one\nt\0\0\0", b"one\nt\0o\n\0", b"one\n\0\0o\n"] {
            std::fs::write(&segment.path, written).unwrap();
            let (mut lines, mut line) = (segment.lines(0).unwrap(), Vec::new());
            assert!(lines.read(&mut line).unwrap());
            assert_eq!(line, b"one");
            assert!(!lines.read(&mut line).unwrap(), "{written:?}");
            assert_eq!(lines.offset(), 4);
        }
    }
}
