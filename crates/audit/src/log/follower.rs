//! Reads the lines of a log one after the other, also those that are written meanwhile, from segment to segment.

use std::io;
use std::path::{Path, PathBuf};

use super::line::LogLine;
use super::reader::{Segment, segments};

/// Follows a log from its files. It sees a line as soon as it is written, perhaps a moment before it is safely on disk.
#[derive(Debug)]
pub struct Follower {
    folder: PathBuf,
    segment: Option<Segment>,
    /// Behind the last line that was read, in bytes from the beginning of the segment.
    offset: u64,
}

impl Follower {
    /// From the beginning of the last segment on.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: folder.to_owned(), segment: segments(folder)?.pop(), offset: 0 })
    }

    /// Gives every whole line that was not given yet. What is no line of a log is passed over: `verify` tells of it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(&mut self, mut take: impl FnMut(LogLine)) -> io::Result<()> {
        loop {
            // What is there now was begun after the last line of the one before was written.
            let behind = self.segment.as_ref().map_or(0, |segment| segment.first);
            let next = segments(&self.folder)?.into_iter().find(|segment| segment.first > behind);
            self.read_segment(&mut take)?;
            let Some(next) = next else { return Ok(()) };
            (self.segment, self.offset) = (Some(next), 0);
        }
    }

    fn read_segment(&mut self, take: &mut impl FnMut(LogLine)) -> io::Result<()> {
        let Some(segment) = &self.segment else { return Ok(()) };
        let mut lines = match segment.lines(self.offset) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            lines => lines?,
        };
        let mut line = Vec::new();
        while lines.read(&mut line)? {
            self.offset = lines.offset();
            if let Ok(read) = serde_json::from_slice(&line) {
                take(read);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Entry, Log, LogSettings};

    #[tokio::test]
    async fn every_line_comes_once_and_those_of_earlier_segments_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LogSettings { segment_bytes: 500, ..LogSettings::default() };
        let log = Log::open(folder.path(), settings).unwrap();
        let append = async |count: usize| {
            for _ in 0..count {
                log.append(vec![Entry { event: b"{}".to_vec(), decisions: None }]).await.unwrap();
            }
        };
        append(20).await;
        let first = segments(folder.path()).unwrap().pop().unwrap().first;
        assert!(first > 1);
        let mut follower = Follower::new(folder.path()).unwrap();
        let mut seen = Vec::new();
        for _ in 0..10 {
            follower.read(|line| seen.push(line.sequence)).unwrap();
            append(7).await;
        }
        follower.read(|line| seen.push(line.sequence)).unwrap();
        assert_eq!(seen, (first..=90).collect::<Vec<_>>());
        log.close();
    }

    #[tokio::test]
    async fn a_log_may_begin_later() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("log");
        let mut follower = Follower::new(&place).unwrap();
        let mut seen = 0;
        follower.read(|_| seen += 1).unwrap();
        let log = Log::open(&place, LogSettings::default()).unwrap();
        log.append(vec![Entry { event: b"{}".to_vec(), decisions: None }]).await.unwrap();
        follower.read(|_| seen += 1).unwrap();
        assert_eq!(seen, 1);
    }
}
