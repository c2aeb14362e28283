//! One day's events in a file: appended, synced, and put right after a crash when it is opened again.

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How many of a file's last events are known by id. More than can be written before the outbox is told of it, so
/// that what a crash left in both places is always recognised.
pub(crate) const REMEMBERED_EVENTS: usize = 1_024;

const CHUNK_BYTES: u64 = 64 * 1_024;

/// An event as it lies in the outbox, with what is needed to file it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FiledEvent {
    pub(crate) id: String,
    pub(crate) day: Day,
    line: Vec<u8>,
}

/// The UTC day of an event, `YYYY-MM-DD`. It names the file, so nothing but digits and dashes is ever in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Day(String);

impl FiledEvent {
    /// Reads id and day out of an event; `None` if it is not one line of JSON with both.
    pub(crate) fn read(mut event: Vec<u8>) -> Option<Self> {
        // Of members that it skips the parser does not look at the encoding.
        let Head { event_id, event_time } = serde_json::from_str(std::str::from_utf8(&event).ok()?).ok()?;
        if event.contains(&b'\n') {
            return None;
        }
        event.push(b'\n');
        Some(Self { id: event_id, day: Day::of(event_time?.as_str())?, line: event })
    }
}

impl Day {
    fn of(time: &str) -> Option<Self> {
        let day = time.get(..10)?;
        let right = day.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        right.then(|| Self(day.to_owned()))
    }

    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("events-{}.jsonl", self.0))
    }
}

/// Makes the folder of the event files, for its owner alone, if it is not there.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A day's file, open for appending.
pub(crate) struct EventFile {
    day: Day,
    path: PathBuf,
    file: File,
    /// Length up to which the file is known to be durable, in bytes.
    synced_length: u64,
    recent: VecDeque<String>,
}

impl EventFile {
    /// Opens or makes the file (0600) and its folder, cuts off a line that a crash left unfinished and reads the last events' ids.
    pub(crate) fn open(folder: &Path, day: Day) -> io::Result<Self> {
        let path = day.path(folder);
        make_folder(folder)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?;
        // The file's name must survive a power cut as well as its content.
        File::open(folder)?.sync_all()?;
        let tail = Tail::read(&mut file)?;
        if tail.end < tail.length {
            file.set_len(tail.end)?;
        }
        file.sync_data()?;
        Ok(Self { day, path, file, synced_length: tail.end, recent: tail.event_ids() })
    }

    /// Whether this is the file for `day`, still the one under its name, and nobody else wrote to it.
    pub(crate) fn serves(&self, day: &Day) -> bool {
        let same = |ours: &Metadata, theirs: &Metadata| {
            (ours.dev(), ours.ino(), self.synced_length) == (theirs.dev(), theirs.ino(), theirs.len())
        };
        let metadata = || Some((self.file.metadata().ok()?, std::fs::metadata(&self.path).ok()?));
        self.day == *day && metadata().is_some_and(|(ours, theirs)| same(&ours, &theirs))
    }

    /// Appends those events that are not in the file yet; they are durable when this returns. After an error the
    /// file has to be opened again: nothing is known of its end.
    pub(crate) fn append<'a>(mut self, events: impl IntoIterator<Item = &'a FiledEvent>) -> io::Result<Self> {
        let mut lines = Vec::new();
        for event in events {
            if !self.recent.contains(&event.id) {
                lines.extend_from_slice(&event.line);
                self.remember(event.id.clone());
            }
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What did not reach the disk for certain must not be taken for written later.
            let _ = self.file.set_len(self.synced_length);
            return Err(error);
        }
        self.synced_length += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(self)
    }

    fn remember(&mut self, id: String) {
        if self.recent.len() == REMEMBERED_EVENTS {
            self.recent.pop_front();
        }
        self.recent.push_back(id);
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "eventTime")]
    event_time: Option<String>,
}

/// The end of a file: its last lines, and where the last whole line ends.
struct Tail {
    length: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Tail {
    /// Reads backwards until enough whole lines are there.
    fn read(file: &mut File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut start = length;
        let mut bytes = Vec::new();
        while start > 0 && count_lines(&bytes) <= REMEMBERED_EVENTS {
            let from = start.saturating_sub(CHUNK_BYTES);
            let mut chunk = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            Read::by_ref(file).take(start - from).read_to_end(&mut chunk)?;
            chunk.append(&mut bytes);
            bytes = chunk;
            start = from;
        }
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
        let end = start + u64::try_from(whole).unwrap_or(u64::MAX);
        Ok(Self { length, end, bytes })
    }

    /// The ids of the last events, oldest first. A piece of a line or a line of somebody else's has none.
    fn event_ids(&self) -> VecDeque<String> {
        let lines = self.bytes.rsplit(|&byte| byte == b'\n');
        let heads = lines.filter_map(|line| serde_json::from_slice::<Head>(line).ok());
        let mut ids: VecDeque<String> = heads.take(REMEMBERED_EVENTS).map(|head| head.event_id).collect();
        ids.make_contiguous().reverse();
        ids
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn event(id: &str) -> FiledEvent {
        let text = format!(r#"{{"eventTime":"2018-09-20T17:41:01Z","eventID":"{id}","x":"äöü"}}"#);
        FiledEvent::read(text.into_bytes()).unwrap()
    }

    fn ids(folder: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(event("x").day.path(folder)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str::<Head>(line).unwrap().event_id).collect()
    }

    fn open(folder: &Path) -> EventFile {
        EventFile::open(folder, event("x").day).unwrap()
    }

    #[test]
    fn events_are_appended_in_order_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path()).append(&[event("a"), event("b"), event("a")]).unwrap();
        drop(file.append(&[event("b"), event("c")]).unwrap());
        open(folder.path()).append(&[event("c"), event("d")]).unwrap();
        assert_eq!(ids(folder.path()), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_torn_last_line_is_cut_off_wherever_it_was_torn() {
        let whole = [event("a"), event("b")];
        let bytes: Vec<u8> = whole.iter().flat_map(|event| event.line.clone()).collect();
        for length in 0..=bytes.len() {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(whole[0].day.path(folder.path()), &bytes[..length]).unwrap();
            open(folder.path()).append(&whole).unwrap();
            assert_eq!(ids(folder.path()), ["a", "b"], "torn after {length} bytes");
        }
    }

    #[test]
    fn the_last_events_of_a_long_file_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let long: Vec<FiledEvent> = (0..3 * REMEMBERED_EVENTS).map(|at| event(&format!("e{at}"))).collect();
        open(folder.path()).append(&long).unwrap();
        let again = open(folder.path());
        assert_eq!(again.recent.len(), REMEMBERED_EVENTS);
        again.append(&long[2 * REMEMBERED_EVENTS..]).unwrap();
        assert_eq!(ids(folder.path()).len(), long.len());
    }

    #[test]
    fn a_file_that_was_moved_or_touched_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let day = event("x").day;
        let file = open(folder.path()).append(&[event("a")]).unwrap();
        assert!(file.serves(&day));
        assert!(!file.serves(&Day::of("2018-09-21").unwrap()));
        std::fs::rename(day.path(folder.path()), folder.path().join("moved")).unwrap();
        assert!(!file.serves(&day));
        std::fs::write(day.path(folder.path()), b"foreign\n").unwrap();
        assert!(!file.serves(&day));
        let file = open(folder.path()).append(&[event("b")]).unwrap();
        std::fs::write(day.path(folder.path()), b"").unwrap();
        assert!(!file.serves(&day));
    }

    #[test]
    fn only_the_owner_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_folder(&inner).unwrap();
        make_folder(&inner).unwrap();
        drop(open(&inner));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(mode(&event("x").day.path(&inner)), 0o600);
    }

    #[test]
    fn what_is_no_event_is_not_filed() {
        for text in [
            "",
            "{}",
            r#"{"eventID":"a"}"#,
            r#"{"eventTime":"2018-09-20T17:41:01Z"}"#,
            r#"{"eventID":"a","eventTime":"../../etc/x"}"#,
            r#"{"eventID":"a","eventTime":"2018-09-2"}"#,
            "{\"eventID\":\"a\",\n\"eventTime\":\"2018-09-20T17:41:01Z\"}",
        ] {
            assert_eq!(FiledEvent::read(text.as_bytes().to_vec()), None, "{text}");
        }
        let mut event = br#"{"eventID":"a","eventTime":"2018-09-20T17:41:01Z","userAgent":"?"}"#.to_vec();
        assert!(FiledEvent::read(event.clone()).is_some());
        let at = event.iter().position(|byte| *byte == b'?').unwrap();
        event[at] = 0xff;
        assert_eq!(FiledEvent::read(event), None, "not UTF-8");
    }
}
