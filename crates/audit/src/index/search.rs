//! Goes through the events that a query asks for, newest first.
//!
//! Segments lie one behind the other but for events that took longer than others, so their times overlap a little. A heap
//! holds what comes next of each: of a segment that is not looked into yet, the best that it could hold.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::complete::{Complete, Cursor};
use super::event::LoggedEvent;
use super::query::{Place, Position, Query};
use crate::log::{LogLine, Segment};

/// Files of segments that are kept open.
const OPEN_FILES_MAX: usize = 8;
/// No line of the log is longer, in bytes.
const LINE_MAX: u32 = 16 * 1_024 * 1_024;

/// Looks up one event after the other.
pub struct Search {
    query: Query,
    writes: bool,
    heap: BinaryHeap<Next>,
    files: Vec<(u64, File)>,
}

/// What can come next.
struct Next {
    /// Where it is, or what it cannot be above.
    position: Position,
    what: What,
}

enum What {
    /// A segment that was not looked into yet.
    Segment(Arc<Complete>),
    /// An event.
    Event(Place, Events),
}

/// The events behind it.
struct Events {
    cursor: Cursor,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Complete(Arc<Complete>),
    Open(Segment),
}

impl Source {
    fn segment(&self) -> &Segment {
        match self {
            Self::Complete(complete) => &complete.segment,
            Self::Open(segment) => segment,
        }
    }
}

impl Search {
    /// Among complete segments, and the events that were found in the open one.
    pub(super) fn new(
        query: Query,
        writes: bool,
        complete: &[Arc<Complete>],
        open: Option<(Segment, Vec<Cursor>)>,
    ) -> io::Result<Self> {
        let mut search = Self { query, writes, heap: BinaryHeap::new(), files: Vec::new() };
        for one in complete {
            let newest = unless_gone(one.newest_of(&search.query, writes))?.flatten();
            search
                .heap
                .extend(newest.map(|position| Next { position, what: What::Segment(Arc::clone(one)) }));
        }
        if let Some((segment, cursors)) = open {
            for cursor in cursors {
                search.push(Events { cursor, source: Source::Open(segment.clone()) }, None)?;
            }
        }
        Ok(search)
    }

    /// The next event, if there is one.
    ///
    /// # Errors
    /// A file of the log cannot be read.
    pub fn advance(&mut self) -> io::Result<Option<LoggedEvent>> {
        while let Some(next) = self.heap.pop() {
            match next.what {
                What::Segment(complete) => {
                    let cursors = unless_gone(complete.cursors(&self.query, self.writes))?;
                    for cursor in cursors.into_iter().flatten() {
                        self.push(Events { cursor, source: Source::Complete(Arc::clone(&complete)) }, None)?;
                    }
                }
                What::Event(place, events) => {
                    let event = self.read(events.source.segment(), place)?;
                    self.push(events, Some(place.position))?;
                    // Two values may have one term.
                    if let Some(event) = event.filter(|event| self.query.wants(event)) {
                        return Ok(Some(event));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Puts the next of some events on the heap. If their index turns out to be damaged, they are found anew.
    fn push(&mut self, mut events: Events, last: Option<Position>) -> io::Result<()> {
        match (events.cursor.next(), &events.source) {
            (Ok(None), _) => {}
            (Ok(Some(place)), _) => {
                self.heap.push(Next { position: place.position, what: What::Event(place, events) });
            }
            (Err(error), Source::Complete(complete)) => {
                tracing::warn!(%error, segment = %complete.segment.path.display(), "an index is damaged; it is made anew");
                let behind = last.or(self.query.behind);
                let rest = Query { behind, ..self.query.clone() }.within(events.cursor.scope);
                for mut cursor in
                    unless_gone(complete.cursors_anew(&rest, self.writes))?.into_iter().flatten()
                {
                    let Ok(Some(place)) = cursor.next() else { continue };
                    let events = Events { cursor, source: Source::Complete(Arc::clone(complete)) };
                    self.heap.push(Next { position: place.position, what: What::Event(place, events) });
                }
            }
            (Err(_), Source::Open(_)) => {}
        }
        Ok(())
    }

    /// Reads an event where its index says it is. What is not there any more is left out: `verify` tells of it.
    fn read(&mut self, segment: &Segment, place: Place) -> io::Result<Option<LoggedEvent>> {
        if place.length > LINE_MAX {
            return Ok(None);
        }
        let mut line = vec![0; usize::try_from(place.length).unwrap_or_default()];
        let Some(file) = unless_gone(self.file(segment))? else { return Ok(None) };
        match file.read_exact_at(&mut line, place.offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let read: Option<LogLine> = serde_json::from_slice(&line).ok();
        let read = read.filter(|read| read.sequence == place.position.sequence);
        Ok(read.and_then(|read| LoggedEvent::read(read.sequence, read.event.get())))
    }

    fn file(&mut self, segment: &Segment) -> io::Result<&File> {
        let place = match self.files.iter().position(|(first, _)| *first == segment.first) {
            Some(place) => place,
            None => {
                let file = File::open(&segment.path)?;
                if self.files.len() >= OPEN_FILES_MAX {
                    self.files.remove(0);
                }
                self.files.push((segment.first, file));
                self.files.len() - 1
            }
        };
        self.files.get(place).map(|(_, file)| file).ok_or_else(|| io::Error::other("no file"))
    }
}

/// A segment that was taken away has no events.
fn unless_gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position)
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Next {}
