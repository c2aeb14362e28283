//! A complete segment: what is known of it in memory, and its index file, made when it is missing or damaged.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blocks::BlockError;
use super::file::{self, FileCursor, Header, IndexFile};
use super::memory::{MemoryIndex, Span};
use super::query::{Bounds, Place, Position, Query};
use super::term::Scope;
use crate::log::Segment;

/// Scopes of a segment that are kept in memory.
const SCOPES_MAX: u32 = 64;

/// A segment that never changes again.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) segment: Segment,
    known: Mutex<Known>,
}

/// What is known of it.
#[derive(Debug)]
enum Known {
    /// Nothing yet.
    Nothing,
    /// All, in memory: its index file is still to be written.
    All(Arc<MemoryIndex>),
    /// What tells whether its index file need be looked into.
    Outline(Outline),
    /// That there is nothing in it.
    NoEvents,
}

/// When its events were, and whose they are.
#[derive(Debug)]
struct Outline {
    span: Span,
    /// None if there are too many.
    scopes: Option<Vec<(Scope, Span)>>,
    /// How its index file begins, if it has one.
    header: Option<Header>,
}

/// Goes through events of a scope in a segment, newest first.
pub(super) struct Cursor {
    pub(super) scope: Scope,
    places: Places,
}

enum Places {
    OfFile(Box<FileCursor>),
    OfMemory(std::vec::IntoIter<Place>),
}

impl Cursor {
    pub(super) fn next(&mut self) -> Result<Option<Place>, BlockError> {
        match &mut self.places {
            Places::OfFile(cursor) => cursor.next(),
            Places::OfMemory(places) => Ok(places.next()),
        }
    }
}

impl Complete {
    pub(super) fn new(segment: Segment) -> Self {
        Self { segment, known: Mutex::new(Known::Nothing) }
    }

    /// Of a segment that has just been read to its end.
    pub(super) fn of(index: MemoryIndex) -> Self {
        Self { segment: index.segment().clone(), known: Mutex::new(Known::All(Arc::new(index))) }
    }

    /// Learns what is in it, from its index file or from itself, and has an index file made, if files are written.
    pub(super) fn prepare(&self, writes: bool) -> io::Result<()> {
        let mut known = self.known();
        match &*known {
            Known::Outline(_) | Known::NoEvents => return Ok(()),
            Known::All(index) => {
                let index = Arc::clone(index);
                *known = self.put_down(&index, writes)?;
            }
            Known::Nothing => *known = self.learn(writes)?,
        }
        Ok(())
    }

    /// The best that an event wanted by a query could be; `None` if there is none.
    pub(super) fn newest_of(&self, query: &Query, writes: bool) -> io::Result<Option<Position>> {
        let mut known = self.known();
        if matches!(*known, Known::Nothing) {
            *known = self.learn(writes)?;
        }
        let span = match &*known {
            Known::Nothing | Known::NoEvents => None,
            Known::All(index) => span_of(index.scopes.iter().map(|(scope, span)| (*scope, *span)), query),
            Known::Outline(Outline { scopes: Some(scopes), .. }) => span_of(scopes.iter().copied(), query),
            Known::Outline(outline) => Some(outline.span),
        };
        Ok(span.and_then(|span| newest_within(span, &query.bounds())))
    }

    /// Goes through its events wanted by a query, newest first, a cursor for each scope.
    pub(super) fn cursors(&self, query: &Query, writes: bool) -> io::Result<Vec<Cursor>> {
        let (in_memory, header) = match &*self.known() {
            Known::All(index) => (Some(Arc::clone(index)), None),
            Known::Outline(outline) => (None, outline.header),
            Known::Nothing | Known::NoEvents => (None, None),
        };
        if let Some(index) = in_memory {
            return Ok(cursors_in_memory(&index, query));
        }
        match self.cursors_in_file(query, header) {
            Ok(cursors) => Ok(cursors),
            Err(BlockError::Io(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) => self.cursors_anew(query, writes),
        }
    }

    /// The same, from the segment itself: its index file is damaged, and is made anew.
    pub(super) fn cursors_anew(&self, query: &Query, writes: bool) -> io::Result<Vec<Cursor>> {
        let index = MemoryIndex::of(&self.segment)?;
        let cursors = cursors_in_memory(&index, query);
        let mut known = self.known();
        *known = self.put_down(&index, writes)?;
        Ok(cursors)
    }

    fn cursors_in_file(&self, query: &Query, header: Option<Header>) -> Result<Vec<Cursor>, BlockError> {
        let open = || match header {
            Some(header) => IndexFile::reopen(&self.segment, header),
            None => IndexFile::open(&self.segment),
        };
        let scopes = match query.only_scope() {
            Some(scope) => vec![scope],
            None => {
                let all = open()?.scopes()?.into_iter().map(|(scope, _)| scope);
                all.filter(|scope| query.wants_scope(scope)).collect()
            }
        };
        let mut cursors = Vec::new();
        for scope in scopes {
            let cursor = open()?.cursor(query.term(&scope), &query.bounds())?;
            cursors.extend(cursor.map(|cursor| Cursor { scope, places: Places::OfFile(Box::new(cursor)) }));
        }
        Ok(cursors)
    }

    fn learn(&self, writes: bool) -> io::Result<Known> {
        match self.outline_in_file() {
            Ok(known) => return Ok(known),
            Err(BlockError::Damaged) => {
                tracing::warn!(segment = %self.segment.path.display(), "the index of a segment is damaged; it is made anew");
            }
            Err(BlockError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(BlockError::Io(error)) => return Err(error),
        }
        self.put_down(&MemoryIndex::of(&self.segment)?, writes)
    }

    fn outline_in_file(&self) -> Result<Known, BlockError> {
        let mut file = IndexFile::open(&self.segment)?;
        let Some(span) = file.span()? else { return Ok(Known::NoEvents) };
        let scopes = if file.scope_count() <= SCOPES_MAX { Some(file.scopes()?) } else { None };
        let header = Some(file.header());
        Ok(Known::Outline(Outline { span, scopes, header }))
    }

    /// Writes the index file, if files are written, and keeps the outline. An index that cannot be written is no reason to
    /// give no answer: it is made again from the segment whenever it is needed.
    fn put_down(&self, index: &MemoryIndex, writes: bool) -> io::Result<Known> {
        let written = writes.then(|| file::write(index));
        if let Some(Err(error)) = &written {
            tracing::error!(%error, segment = %self.segment.path.display(), "the index of a segment cannot be written");
        }
        let header = written.and_then(Result::ok);
        let spans = index.scopes.values().copied();
        let Some(span) = spans.reduce(Span::with) else { return Ok(Known::NoEvents) };
        let few = u32::try_from(index.scopes.len()).is_ok_and(|count| count <= SCOPES_MAX);
        let scopes = few.then(|| index.scopes.iter().map(|(scope, span)| (*scope, *span)).collect());
        Ok(Known::Outline(Outline { span, scopes, header }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the events of all wanted scopes were.
fn span_of(scopes: impl Iterator<Item = (Scope, Span)>, query: &Query) -> Option<Span> {
    scopes.filter(|(scope, _)| query.wants_scope(scope)).map(|(_, span)| span).reduce(Span::with)
}

/// Above the newest position that is in a span and allowed by bounds.
fn newest_within(span: Span, bounds: &Bounds) -> Option<Position> {
    let newest = Position { seconds: span.newest, sequence: u64::MAX }.min(bounds.below);
    let is_any = span.newest >= bounds.from && Position { seconds: span.oldest, sequence: 0 } < bounds.below;
    is_any.then_some(newest)
}

pub(super) fn cursors_in_memory(index: &MemoryIndex, query: &Query) -> Vec<Cursor> {
    let scopes = index.scopes.keys().filter(|scope| query.wants_scope(scope));
    let cursors = scopes.map(|scope| {
        let places = index.find(query.term(scope), &query.bounds());
        Cursor { scope: *scope, places: Places::OfMemory(places.into_iter()) }
    });
    cursors.collect()
}
