//! The index file of a complete segment.
//!
//! Blocks (see [`super::blocks`]) of little-endian numbers:
//!
//! | section | entry | order |
//! |---|---|---|
//! | header, one block | magic, segment's first line and length, counts of all sections, oldest second | |
//! | scopes | account, category, Region, oldest and newest second: 64 bytes | account, Region, category |
//! | rows, one an event | seconds after the oldest, offset, length and number of its line: 16 bytes | second, line |
//! | terms | term, place of the first row number, count: 16 bytes. One row alone: its number in place of the place | term |
//! | row numbers | 4 bytes | term, row |
//!
//! A file is made once and never changed. A newer format gets another magic; a file of an unknown one is made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base::AccountId;

use super::blocks::{BlockError, BlockReader, BlockWriter, Owner, blocks_of, per_block};
use super::memory::{MemoryIndex, Postings, Row, Span};
use super::query::{Bounds, Place, Position};
use super::term::{Category, Scope, Term};
use crate::log::Segment;

const MAGIC: &[u8; 8] = b"KWINDEX1";
const EXTENSION: &str = "index";

const SCOPE_BYTES: usize = 64;
const ROW_BYTES: usize = 16;
const TERM_BYTES: usize = 16;
const NUMBER_BYTES: usize = 4;
const REGION_BYTES: usize = 32;

/// Where the index file of a segment is.
pub(super) fn path_of(segment: &Segment) -> PathBuf {
    segment.path.with_extension(EXTENSION)
}

/// Whether a file is an index file whose segment is not there any more.
pub(super) fn is_left_over(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION) && !path.with_extension("jsonl").exists()
}

/// Writes the index file of a segment that was read to its end.
pub(super) fn write(index: &MemoryIndex) -> io::Result<Header> {
    let path = path_of(index.segment());
    let unfinished = path.with_extension("index.new");
    let header = write_to(index, &unfinished)?;
    fs::rename(&unfinished, &path)?;
    Ok(header)
}

fn write_to(index: &MemoryIndex, path: &Path) -> io::Result<Header> {
    let too_many = |_| io::Error::other("a segment with too many events");
    let owner = Owner { first: index.segment().first, bytes: index.bytes() };
    let mut order: Vec<u32> = (0..u32::try_from(index.rows.len()).map_err(too_many)?).collect();
    let row = |number: u32| usize::try_from(number).ok().and_then(|number| index.rows.get(number));
    order.sort_unstable_by_key(|number| row(*number).map(|row| (row.seconds, row.line)));
    let mut ranks = vec![0_u32; order.len()];
    for (rank, number) in (0_u32..).zip(&order) {
        if let Some(place) = usize::try_from(*number).ok().and_then(|number| ranks.get_mut(number)) {
            *place = rank;
        }
    }
    let mut terms: Vec<_> = index.postings.iter().collect();
    terms.sort_unstable_by_key(|(term, _)| **term);

    let count = |length: usize| u32::try_from(length).map_err(too_many);
    let shared = terms.iter().map(|(_, numbers)| numbers.len()).filter(|length| *length > 1).sum();
    let header = Header {
        owner,
        scopes: count(index.scopes.len())?,
        rows: count(index.rows.len())?,
        terms: count(terms.len())?,
        numbers: count(shared)?,
        oldest: index.scopes.values().map(|span| span.oldest).min().unwrap_or_default(),
    };
    let mut writer = BlockWriter::new(path, owner)?;
    writer.entry(&header.encoded())?;
    writer.end_block()?;
    for (scope, span) in &index.scopes {
        writer.entry(&encoded_scope(scope, *span))?;
    }
    writer.end_block()?;
    for row in order.iter().filter_map(|number| row(*number)) {
        writer.entry(&encoded_row(row, header.oldest))?;
    }
    writer.end_block()?;
    let ranks_of = |numbers: &[u32]| {
        let ranks = numbers.iter().filter_map(|number| ranks.get(usize::try_from(*number).ok()?).copied());
        let mut ranks: Vec<u32> = ranks.collect();
        ranks.sort_unstable();
        ranks
    };
    write_terms(&mut writer, &terms, ranks_of)?;
    writer.finish()?;
    Ok(header)
}

fn write_terms(
    writer: &mut BlockWriter,
    terms: &[(&Term, &Postings)],
    ranks_of: impl Fn(&[u32]) -> Vec<u32>,
) -> io::Result<()> {
    let mut place = 0_u32;
    for (term, numbers) in terms {
        let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let shown = if count == 1 { ranks_of(numbers).first().copied().unwrap_or_default() } else { place };
        let mut entry = [0; TERM_BYTES];
        fill(&mut entry, &[&term.0.to_le_bytes(), &shown.to_le_bytes(), &count.to_le_bytes()]);
        writer.entry(&entry)?;
        place += if count == 1 { 0 } else { count };
    }
    writer.end_block()?;
    for (_, numbers) in terms.iter().filter(|(_, numbers)| numbers.len() > 1) {
        for rank in ranks_of(numbers) {
            writer.entry(&rank.to_le_bytes())?;
        }
    }
    Ok(())
}

/// Puts parts one behind the other.
fn fill(entry: &mut [u8], parts: &[&[u8]]) {
    let bytes = parts.iter().flat_map(|part| part.iter());
    entry.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// An event that is more than 136 years younger than the oldest is taken for one that is not.
fn encoded_row(row: &Row, oldest: i64) -> [u8; ROW_BYTES] {
    let after = u32::try_from(row.seconds.saturating_sub(oldest)).unwrap_or(u32::MAX);
    let numbers = [after, row.offset, row.length, row.line].map(u32::to_le_bytes);
    let mut entry = [0; ROW_BYTES];
    fill(&mut entry, &numbers.each_ref().map(<[u8; 4]>::as_slice));
    entry
}

fn encoded_scope(scope: &Scope, span: Span) -> [u8; SCOPE_BYTES] {
    let mut region = [0; REGION_BYTES];
    fill(&mut region, &[scope.region.as_str().as_bytes()]);
    let (oldest, newest) = (span.oldest.to_le_bytes(), span.newest.to_le_bytes());
    let mut entry = [0; SCOPE_BYTES];
    let kind = [scope.category.number(), 0, 0, 0, 0, 0, 0, 0];
    fill(&mut entry, &[&scope.account.number().to_le_bytes(), &kind, &region, &oldest, &newest]);
    entry
}

/// Reads numbers one behind the other; past the end it reads zeros.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        let (taken, rest) =
            self.0.split_first_chunk().map_or(([0; LENGTH], &[][..]), |(taken, rest)| (*taken, rest));
        self.0 = rest;
        taken
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }
}

/// What a file says of itself at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    owner: Owner,
    scopes: u32,
    rows: u32,
    terms: u32,
    numbers: u32,
    /// The second of the first event.
    oldest: i64,
}

impl Header {
    const BYTES: usize = 48;

    fn encoded(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (first, length) = (self.owner.first.to_le_bytes(), self.owner.bytes.to_le_bytes());
        let counts = [self.scopes, self.rows, self.terms, self.numbers].map(u32::to_le_bytes);
        let [scopes, rows, terms, numbers] = &counts;
        let oldest = self.oldest.to_le_bytes();
        fill(&mut bytes, &[MAGIC, &first, &length, scopes, rows, terms, numbers, &oldest]);
        bytes
    }

    fn read(content: &[u8]) -> Option<Self> {
        let mut numbers = Numbers(content.strip_prefix(MAGIC)?);
        let owner = Owner { first: numbers.u64(), bytes: numbers.u64() };
        let [scopes, rows, terms, count] = [(); 4].map(|()| numbers.u32());
        Some(Self { owner, scopes, rows, terms, numbers: count, oldest: numbers.i64() })
    }

    fn rows_start(&self) -> u64 {
        1 + blocks_of(self.scopes, SCOPE_BYTES)
    }

    fn terms_start(&self) -> u64 {
        self.rows_start() + blocks_of(self.rows, ROW_BYTES)
    }

    fn numbers_start(&self) -> u64 {
        self.terms_start() + blocks_of(self.terms, TERM_BYTES)
    }
}

/// An index file, open.
#[derive(Debug)]
pub(super) struct IndexFile {
    blocks: BlockReader,
    header: Header,
}

/// The rows of a term.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Where their numbers begin, or the only number.
    place: u32,
    count: u32,
}

/// Goes through the events of a term, newest first.
#[derive(Debug)]
pub(super) struct FileCursor {
    file: IndexFile,
    rows: Rows,
    /// How many are left.
    left: u32,
    from: i64,
}

impl IndexFile {
    /// Opens the index file of a segment. What is not the file of this very segment is refused.
    pub(super) fn open(segment: &Segment) -> Result<Self, BlockError> {
        let bytes = fs::metadata(&segment.path)?.len();
        let owner = Owner { first: segment.first, bytes };
        let mut blocks = BlockReader::open(&path_of(segment), owner)?;
        let header = Header::read(blocks.block(0)?).filter(|header| header.owner == owner);
        Ok(Self { blocks, header: header.ok_or(BlockError::Damaged)? })
    }

    /// Opens the file of which the beginning is known already.
    pub(super) fn reopen(segment: &Segment, header: Header) -> Result<Self, BlockError> {
        Ok(Self { blocks: BlockReader::open(&path_of(segment), header.owner)?, header })
    }

    /// What it says of itself.
    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// How many scopes there are.
    pub(super) fn scope_count(&self) -> u32 {
        self.header.scopes
    }

    /// When the first and the last event was; none if there are none.
    pub(super) fn span(&mut self) -> Result<Option<Span>, BlockError> {
        let Some(last) = self.header.rows.checked_sub(1) else { return Ok(None) };
        Ok(Some(Span { oldest: self.row(0)?.seconds, newest: self.row(last)?.seconds }))
    }

    /// Every scope, and when its first and last event was.
    pub(super) fn scopes(&mut self) -> Result<Vec<(Scope, Span)>, BlockError> {
        let mut scopes = Vec::new();
        for number in 0..self.header.scopes {
            let entry: [u8; SCOPE_BYTES] = self.blocks.entry(1, number)?;
            scopes.push(read_scope(&entry).ok_or(BlockError::Damaged)?);
        }
        Ok(scopes)
    }

    /// The events of a term within bounds, newest first.
    pub(super) fn cursor(mut self, term: Term, bounds: &Bounds) -> Result<Option<FileCursor>, BlockError> {
        let Some(rows) = self.term(term)? else { return Ok(None) };
        let end = self.rows_below(bounds.below)?;
        let mut cursor = FileCursor { file: self, rows, left: rows.count, from: bounds.from };
        cursor.left = cursor.numbers_below(end)?;
        Ok(Some(cursor))
    }

    fn row(&mut self, number: u32) -> Result<Row, BlockError> {
        let entry: [u8; ROW_BYTES] = self.blocks.entry(self.header.rows_start(), number)?;
        let mut numbers = Numbers(&entry);
        let [after, offset, length, line] = [(); 4].map(|()| numbers.u32());
        Ok(Row { seconds: self.header.oldest.saturating_add(i64::from(after)), offset, length, line })
    }

    /// How many rows lie below a position.
    fn rows_below(&mut self, position: Position) -> Result<u32, BlockError> {
        let Some(last) = self.header.rows.checked_sub(1) else { return Ok(0) };
        let first = self.header.owner.first;
        if self.row(last)?.place(first).position < position {
            return Ok(self.header.rows);
        }
        partition(last, |number| Ok(self.row(number)?.place(first).position < position))
    }

    /// Terms are spread evenly, so the block of one is guessed; wrong guesses narrow the search down.
    fn term(&mut self, wanted: Term) -> Result<Option<Rows>, BlockError> {
        let per_block = u32::try_from(per_block(TERM_BYTES)).map_err(|_| BlockError::Damaged)?;
        let (mut low, mut high) = (0, self.header.terms.div_ceil(per_block));
        let mut guesses = 0;
        while low < high {
            let block = if guesses < 4 {
                self.guess(wanted, per_block).clamp(low, high - 1)
            } else {
                low.midpoint(high)
            };
            let start = block.saturating_mul(per_block);
            let end = start.saturating_add(per_block).min(self.header.terms);
            let (first, last) = (self.term_entry(start)?.0, self.term_entry(end - 1)?.0);
            if wanted < first {
                high = block;
            } else if wanted > last {
                low = block + 1;
            } else {
                return self.term_between(wanted, start, end);
            }
            guesses += 1;
        }
        Ok(None)
    }

    fn guess(&self, wanted: Term, per_block: u32) -> u32 {
        let place = (u128::from(wanted.0) * u128::from(self.header.terms)) >> 64;
        u32::try_from(place).unwrap_or(u32::MAX) / per_block
    }

    fn term_between(&mut self, wanted: Term, start: u32, end: u32) -> Result<Option<Rows>, BlockError> {
        let at = start + partition(end - start, |number| Ok(self.term_entry(start + number)?.0 < wanted))?;
        let (found, rows) = self.term_entry(at)?;
        Ok((found == wanted).then_some(rows))
    }

    fn term_entry(&mut self, number: u32) -> Result<(Term, Rows), BlockError> {
        let entry: [u8; TERM_BYTES] = self.blocks.entry(self.header.terms_start(), number)?;
        let mut numbers = Numbers(&entry);
        Ok((Term(numbers.u64()), Rows { place: numbers.u32(), count: numbers.u32() }))
    }
}

impl FileCursor {
    /// The next event, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Place>, BlockError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        let number = self.number(left)?;
        let row = self.file.row(number)?;
        if row.seconds < self.from {
            self.left = 0;
            return Ok(None);
        }
        self.left = left;
        Ok(Some(row.place(self.file.header.owner.first)))
    }

    fn number(&mut self, index: u32) -> Result<u32, BlockError> {
        if self.rows.count == 1 {
            return Ok(self.rows.place);
        }
        let place = self.rows.place.checked_add(index).ok_or(BlockError::Damaged)?;
        let entry: [u8; NUMBER_BYTES] = self.file.blocks.entry(self.file.header.numbers_start(), place)?;
        Ok(u32::from_le_bytes(entry))
    }

    /// How many of the rows have a number below `end`.
    fn numbers_below(&mut self, end: u32) -> Result<u32, BlockError> {
        if end == self.file.header.rows {
            return Ok(self.rows.count);
        }
        partition(self.rows.count, |index| Ok(self.number(index)? < end))
    }
}

/// The first of `count` numbers for which `is_before` does not hold, if it holds for none behind it.
fn partition(
    count: u32,
    mut is_before: impl FnMut(u32) -> Result<bool, BlockError>,
) -> Result<u32, BlockError> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn read_scope(entry: &[u8]) -> Option<(Scope, Span)> {
    let mut numbers = Numbers(entry);
    let account = AccountId::from_number(numbers.u64()).ok()?;
    let [category, ..] = numbers.take::<8>();
    let region = numbers.take::<REGION_BYTES>();
    let name = std::str::from_utf8(&region).ok()?.trim_end_matches('\0');
    let scope = Scope { account, region: name.parse().ok()?, category: Category::of_number(category)? };
    Some((scope, Span { oldest: numbers.i64(), newest: numbers.i64() }))
}
