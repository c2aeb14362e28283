//! The index of a segment in memory: of the one that is being written, and of one whose index file is about to be made.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::io;

use smallvec::SmallVec;

use super::fields::{Fields, Line};
use super::query::{Bounds, Place, Position};
use super::term::{Scope, Term, TermHasher, Terms};
use crate::log::{LogLine, Segment};

/// Where the line of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// `eventTime`, in seconds.
    pub(super) seconds: i64,
    /// Which line of the segment it is, counted from 0.
    pub(super) line: u32,
    /// Where it begins, in bytes from the beginning of the segment.
    pub(super) offset: u32,
    /// Its length without the line end, in bytes.
    pub(super) length: u32,
}

/// The first and the last second of some events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) oldest: i64,
    pub(super) newest: i64,
}

/// The index of a segment, as far as it has been read.
#[derive(Debug)]
pub(super) struct MemoryIndex {
    segment: Segment,
    /// Behind the last line that was read, in bytes from the beginning of the segment.
    offset: u64,
    /// The number of the line that comes next.
    next: u64,
    /// The events, in the order of their lines.
    pub(super) rows: Vec<Row>,
    /// For each term the numbers of its rows.
    pub(super) postings: HashMap<Term, Postings, BuildHasherDefault<TermHasher>>,
    pub(super) scopes: BTreeMap<Scope, Span>,
    terms: Terms,
}

/// Numbers of rows. Most terms are the id of one event.
pub(super) type Postings = SmallVec<[u32; 2]>;

impl Span {
    pub(super) fn of(seconds: i64) -> Self {
        Self { oldest: seconds, newest: seconds }
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self { oldest: self.oldest.min(other.oldest), newest: self.newest.max(other.newest) }
    }
}

impl MemoryIndex {
    /// Of a segment of which nothing has been read.
    pub(super) fn new(segment: Segment) -> Self {
        Self {
            next: segment.first,
            segment,
            offset: 0,
            rows: Vec::new(),
            postings: HashMap::default(),
            scopes: BTreeMap::new(),
            terms: Terms::default(),
        }
    }

    /// Of a whole segment.
    pub(super) fn of(segment: &Segment) -> io::Result<Self> {
        let mut index = Self::new(segment.clone());
        index.read_until(u64::MAX)?;
        Ok(index)
    }

    pub(super) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(super) fn bytes(&self) -> u64 {
        self.offset
    }

    /// The number of the line that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Reads the lines that are there, up to one with this number, which is left for later.
    pub(super) fn read_until(&mut self, end: u64) -> io::Result<()> {
        if self.next >= end {
            return Ok(());
        }
        let mut lines = self.segment.lines(self.offset)?;
        let mut line = Vec::new();
        while lines.read(&mut line)? {
            if !self.take(&line, end) {
                break;
            }
            self.offset = lines.offset();
        }
        Ok(())
    }

    /// Takes a line in, unless its number says that it is to be left for later.
    fn take(&mut self, line: &[u8], end: u64) -> bool {
        let Ok(text) = std::str::from_utf8(line) else { return true };
        let (sequence, event) = match serde_json::from_str::<Line<'_>>(text) {
            Ok(line) => (line.sequence, Some(line.event)),
            // An event that nobody can look up, or no line at all.
            Err(_) => match serde_json::from_str::<LogLine>(text) {
                Ok(line) => (line.sequence, None),
                Err(_) => return true,
            },
        };
        if sequence >= end {
            return false;
        }
        self.next = sequence.saturating_add(1).max(self.next);
        if let Some(event) = event {
            self.add(sequence, &event, line.len());
        }
        true
    }

    /// What lies behind the first four gibibytes of a segment is left out: the settings allow none of such a size.
    fn add(&mut self, sequence: u64, event: &Fields<'_>, length: usize) {
        let Some((scope, time)) = event.place() else { return };
        let line = sequence.checked_sub(self.segment.first).and_then(|line| u32::try_from(line).ok());
        let (Some(line), Ok(offset), Ok(length), Ok(number)) =
            (line, u32::try_from(self.offset), u32::try_from(length), u32::try_from(self.rows.len()))
        else {
            return;
        };
        let seconds = time.seconds();
        self.rows.push(Row { seconds, line, offset, length });
        let span = Span::of(seconds);
        self.scopes.entry(scope).and_modify(|known| *known = known.with(span)).or_insert(span);
        let Self { terms, postings, .. } = self;
        postings.entry(terms.of_all(scope)).or_default().push(number);
        event.each_attribute(|attribute, value| {
            let numbers = postings.entry(terms.of(scope, attribute, value)).or_default();
            // Two attributes may have one term.
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        });
    }

    /// Where the events of a term are, newest first.
    pub(super) fn find(&self, term: Term, bounds: &Bounds) -> Vec<Place> {
        let numbers = self.postings.get(&term).into_iter().flatten();
        let rows = numbers.filter_map(|number| self.rows.get(usize::try_from(*number).ok()?));
        let mut places: Vec<_> = rows.map(|row| row.place(self.segment.first)).collect();
        places.retain(|place| bounds.allow(place.position));
        places.sort_unstable_by_key(|place| std::cmp::Reverse(place.position));
        places
    }
}

impl Row {
    pub(super) fn place(&self, first: u64) -> Place {
        let position =
            Position { seconds: self.seconds, sequence: first.saturating_add(u64::from(self.line)) };
        Place { position, offset: u64::from(self.offset), length: self.length }
    }
}
