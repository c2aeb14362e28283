//! Reads the log on from where delivery has come to, and looks at the chain while it does.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base::{AccountId, Region, Timestamp};
use serde::Deserialize;

use crate::log::{BrokenLine, Head, LogLine, Segment, segments};
use crate::trails::{DataEvent, EventOrigin, TrailSettings};

/// A place in the log: everything before it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number and chain of the log there.
    pub(crate) head: Head,
    /// The segment, by the number of its first line; 0 before the first one.
    pub(super) segment: u64,
    /// Bytes of that segment that have been read.
    pub(super) offset: u64,
}

impl Position {
    pub(super) const BEGINNING: Self = Self { head: Head::BEGINNING, segment: 0, offset: 0 };
}

/// How much is read at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// An event of the log, with what decides who gets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoggedEvent {
    pub(super) sequence: u64,
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) source: String,
    pub(super) time: Timestamp,
    /// Of a data event whether it only read, and type and ARN of each of its resources.
    data: Option<(bool, Vec<(String, String)>)>,
    /// The event, byte for byte.
    pub(super) json: String,
}

/// Something in the log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogBreak {
    /// The segment.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub what: BreakKind,
}

/// What is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakKind {
    /// A line was changed, moved, taken out or put in.
    Line(BrokenLine),
    /// Lines are missing, from the first of these numbers to the second.
    Missing(u64, u64),
    /// The segment in which reading had come to this place is gone.
    NoSegment,
    /// The segment is shorter than what was read of it.
    Shortened,
    /// The log ends before what was read of it: its next line is the first of these numbers, and should be the second.
    RolledBack(u64, u64),
    /// The line with this number holds no event that could be given to an account.
    NoEvent(u64),
}

impl fmt::Display for LogBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: ", self.path.display(), self.offset)?;
        match &self.what {
            BreakKind::Line(broken) => broken.fmt(f),
            BreakKind::Missing(first, last) => write!(f, "lines {first} to {last} are missing"),
            BreakKind::NoSegment => f.write_str("the segment is gone"),
            BreakKind::RolledBack(next, expected) => write!(
                f,
                "the log was replaced by an older one: its next line is {next}, and {expected} was to come; the last segment \
                 is delivered again"
            ),
            BreakKind::Shortened => f.write_str("the segment is shorter than what was read of it before"),
            BreakKind::NoEvent(sequence) => {
                write!(f, "line {sequence} holds no event with an account and a Region")
            }
        }
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<LoggedEvent>,
    pub(super) breaks: Vec<LogBreak>,
    /// Behind the last line.
    pub(super) end: Position,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventFields {
    recipient_account_id: String,
    aws_region: String,
    event_source: String,
    event_time: String,
    #[serde(default)]
    event_category: Option<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    resources: Option<Vec<ResourceFields>>,
}

#[derive(Deserialize)]
struct ResourceFields {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(rename = "ARN", default)]
    arn: String,
}

impl LoggedEvent {
    fn of(line: &LogLine) -> Option<Self> {
        let json = line.event.get();
        let fields: EventFields = serde_json::from_str(json).ok()?;
        let is_data = fields.event_category.as_deref() == Some("Data");
        let resources = fields.resources.into_iter().flatten().map(|resource| (resource.kind, resource.arn));
        Some(Self {
            data: is_data.then(|| (fields.read_only, resources.collect())),
            sequence: line.sequence,
            account: fields.recipient_account_id.parse().ok()?,
            region: fields.aws_region.parse().ok()?,
            time: fields.event_time.parse().ok()?,
            source: fields.event_source,
            json: json.to_owned(),
        })
    }

    /// Whether a trail delivers it.
    pub(super) fn is_wanted_by(&self, trail: &TrailSettings) -> bool {
        let Self { account, region, time, source, data, .. } = self;
        let of = |resources| DataEvent { read_only: data.as_ref().is_some_and(|(read, _)| *read), resources };
        let resources: Option<Vec<_>> = data.as_ref().map(|(_, resources)| {
            resources.iter().map(|(kind, arn)| (kind.as_str(), arn.as_str())).collect()
        });
        trail.wants(&EventOrigin {
            account: *account,
            region: *region,
            source,
            time: *time,
            data: resources.as_deref().map(of),
        })
    }
}

/// Reads the lines from `start` on that have numbers below `until`, at most about as much as `bounds` say.
///
/// # Errors
/// The folder or a file in it cannot be read. What is not as it was written is no error: it is told, and reading goes on
/// behind it.
pub(super) fn read(folder: &Path, start: Position, until: u64, bounds: Bounds) -> io::Result<Batch> {
    let mut reading = Reading {
        until,
        bounds,
        bytes: 0,
        batch: Batch { events: Vec::new(), breaks: Vec::new(), end: start },
        is_lost: false,
    };
    let all = segments(folder)?;
    if until < start.head.next {
        reading.begin_anew(folder, all.last());
    } else if start.segment != 0 {
        reading.look_at_segment(folder, start, all.iter().find(|segment| segment.first == start.segment))?;
    }
    let begins = reading.batch.end.segment;
    for segment in all.iter().filter(|segment| segment.first >= begins) {
        if !reading.goes_on() {
            break;
        }
        reading.enter(segment);
        reading.read(segment)?;
    }
    Ok(reading.batch)
}

struct Reading {
    until: u64,
    bounds: Bounds,
    bytes: usize,
    batch: Batch,
    /// The next line is believed: what was before it is missing.
    is_lost: bool,
}

impl Reading {
    fn goes_on(&self) -> bool {
        self.batch.end.head.next < self.until
            && self.bytes < self.bounds.bytes
            && self.batch.events.len() < self.bounds.events
    }

    fn tell(&mut self, path: &Path, what: BreakKind) {
        let offset = self.batch.end.offset;
        self.batch.breaks.push(LogBreak { path: path.to_owned(), offset, what });
    }

    /// Goes back to the beginning of the last segment. What was read of it before is read again: better twice than never.
    fn begin_anew(&mut self, folder: &Path, last: Option<&Segment>) {
        let expected = self.batch.end.head.next;
        self.tell(last.map_or(folder, |last| &last.path), BreakKind::RolledBack(self.until, expected));
        let first = last.map_or(Head::BEGINNING.next, |last| last.first);
        let head = Head { next: first, ..self.batch.end.head };
        self.batch.end = Position { head, segment: last.map_or(0, |last| last.first), offset: 0 };
        self.is_lost = true;
    }

    /// Whether the segment in which reading had come to a place is still there and holds as much.
    fn look_at_segment(
        &mut self,
        folder: &Path,
        start: Position,
        segment: Option<&Segment>,
    ) -> io::Result<()> {
        match segment {
            None => self.tell(&folder.join(format!("{:020}.jsonl", start.segment)), BreakKind::NoSegment),
            Some(segment) if std::fs::metadata(&segment.path)?.len() < start.offset => {
                self.tell(&segment.path, BreakKind::Shortened);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Goes to the beginning of a segment, unless reading has come to a place in it.
    fn enter(&mut self, segment: &Segment) {
        let end = &mut self.batch.end;
        if segment.first == end.segment {
            return;
        }
        (end.segment, end.offset) = (segment.first, 0);
        let next = end.head.next;
        if segment.first > next {
            end.head.next = segment.first;
            self.is_lost = true;
            self.tell(&segment.path, BreakKind::Missing(next, segment.first - 1));
        }
    }

    fn read(&mut self, segment: &Segment) -> io::Result<()> {
        let mut lines = segment.lines(self.batch.end.offset)?;
        let mut line = Vec::new();
        while self.goes_on() && lines.read(&mut line)? {
            self.take(segment, &line);
            self.batch.end.offset = lines.offset();
            self.bytes += line.len();
        }
        Ok(())
    }

    fn take(&mut self, segment: &Segment, line: &[u8]) {
        let is_lost = std::mem::take(&mut self.is_lost);
        let broken = match self.batch.end.head.read(line) {
            Ok(read) => return self.keep(segment, &read),
            Err(broken) => broken,
        };
        let behind = Head::behind(line).filter(|behind| behind.next > self.batch.end.head.next);
        let what = match broken {
            BrokenLine::OutOfSequence { found, expected } if found > expected => {
                BreakKind::Missing(expected, found - 1)
            }
            other @ (BrokenLine::NoLine | BrokenLine::OutOfChain | BrokenLine::OutOfSequence { .. }) => {
                BreakKind::Line(other)
            }
        };
        if !(is_lost && broken == BrokenLine::OutOfChain) {
            self.tell(&segment.path, what);
        }
        // What comes behind the break is delivered rather than lost; that it cannot be relied on has been told. A line
        // that was there before is not delivered again.
        if let (Some(behind), Ok(read)) = (behind, serde_json::from_slice::<LogLine>(line)) {
            self.batch.end.head = behind;
            self.keep(segment, &read);
        }
    }

    fn keep(&mut self, segment: &Segment, line: &LogLine) {
        match LoggedEvent::of(line) {
            Some(event) => self.batch.events.push(event),
            None => self.tell(&segment.path, BreakKind::NoEvent(line.sequence)),
        }
    }
}
