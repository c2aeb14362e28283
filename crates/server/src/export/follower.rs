//! Reads the audit log on from where it has come to.

use std::io;
use std::path::{Path, PathBuf};

use audit::log::{LogLine, segments};
use serde::Deserialize;

/// An event, with what receivers want to know of it apart.
#[derive(Clone, Debug)]
pub(super) struct LoggedEvent {
    /// The event: one line of JSON.
    pub(super) json: String,
    pub(super) name: String,
    /// `2018-09-20T17:41:01Z`
    pub(super) time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    event_name: String,
    event_time: String,
}

/// A reader who knows where it is.
pub(super) struct Follower {
    folder: PathBuf,
    /// The number of the next line, and of the one behind what was given last.
    next: u64,
    behind: u64,
    /// A place in the segment of this number that is not behind the next line.
    offset: (u64, u64),
    offset_behind: (u64, u64),
}

impl Follower {
    pub(super) fn new(folder: &Path, next: u64) -> Self {
        let nowhere = (0, 0);
        Self { folder: folder.to_owned(), next, behind: next, offset: nowhere, offset_behind: nowhere }
    }

    /// The number of the next line.
    pub(super) fn sequence(&self) -> u64 {
        self.next
    }

    /// The next events before the line of number `end`, up to `limit`. They come again until [`Follower::advance`].
    pub(super) fn next(&mut self, end: u64, limit: usize) -> io::Result<Vec<LoggedEvent>> {
        (self.behind, self.offset_behind) = (self.next, self.offset);
        let mut events = Vec::new();
        if self.next >= end {
            return Ok(events);
        }
        let all = segments(&self.folder)?;
        let first = all.iter().rposition(|segment| segment.first <= self.next).unwrap_or(0);
        let mut line = Vec::new();
        for segment in all.iter().skip(first) {
            let offset = if self.offset.0 == segment.first { self.offset.1 } else { 0 };
            let mut lines = segment.lines(offset)?;
            while events.len() < limit && self.behind < end && lines.read(&mut line)? {
                // What is no line of the log is for those to tell who verify it.
                let Ok(read) = serde_json::from_slice::<LogLine>(&line) else { continue };
                if read.sequence >= self.next {
                    self.behind = read.sequence + 1;
                    events.extend(event(read.event.get()));
                }
                self.offset_behind = (segment.first, lines.offset());
            }
        }
        Ok(events)
    }

    /// What was given last is done.
    pub(super) fn advance(&mut self) {
        (self.next, self.offset) = (self.behind, self.offset_behind);
    }
}

fn event(json: &str) -> Option<LoggedEvent> {
    let Head { event_name, event_time } = serde_json::from_str(json).ok()?;
    Some(LoggedEvent { json: json.to_owned(), name: event_name, time: event_time })
}

#[cfg(test)]
mod tests {
    use audit::log::{Entry, Log, LogSettings};

    use super::*;

    async fn append(log: &Log, names: std::ops::Range<usize>) {
        for name in names {
            let event = format!(r#"{{"eventName":"E{name}","eventTime":"2018-09-20T17:41:01Z"}}"#);
            log.append(vec![Entry { event: event.into_bytes(), decisions: None }]).await.unwrap();
        }
    }

    fn names(events: &[LoggedEvent]) -> Vec<String> {
        events.iter().map(|event| event.name.clone()).collect()
    }

    fn expected(names: std::ops::Range<usize>) -> Vec<String> {
        names.map(|name| format!("E{name}")).collect()
    }

    #[tokio::test]
    async fn events_come_once_in_order_over_segments_and_from_the_middle() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LogSettings { segment_bytes: 500, ..LogSettings::default() };
        let log = Log::open(folder.path(), settings).unwrap();
        append(&log, 0..20).await;
        let mut follower = Follower::new(folder.path(), 6);
        let mut all = Vec::new();
        loop {
            let events = follower.next(*log.durable().borrow(), 4).unwrap();
            if events.is_empty() {
                break;
            }
            assert_eq!(names(&events), names(&follower.next(*log.durable().borrow(), 4).unwrap()));
            follower.advance();
            all.extend(names(&events));
        }
        assert_eq!(all, expected(5..20));
        append(&log, 20..23).await;
        assert_eq!(names(&follower.next(23, 100).unwrap()), expected(20..22));
        follower.advance();
        assert_eq!(names(&follower.next(24, 100).unwrap()), expected(22..23));
    }
}
