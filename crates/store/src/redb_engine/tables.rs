//! The layout of the file.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::{Key, Revision};

/// The layout that this program writes, and the newest that it reads.
pub(super) const FORMAT_VERSION: u64 = 1;

/// Key → revision (8 bytes, big-endian), then the value.
pub(super) const ENTRIES: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("entries");

/// Position → record.
pub(super) const OUTBOX: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("outbox");

/// The numbers below.
const NUMBERS: TableDefinition<'static, &str, u64> = TableDefinition::new("numbers");

/// Format version of the file; there since the file was made.
const FORMAT: &str = "format";
/// Revision of the last commit that wrote.
const REVISION: &str = "revision";
/// Position of the last outbox record that was ever put.
const POSITION: &str = "outbox position";

/// Format version, if the file has one. It lies in the same place in every version.
pub(super) fn format(state: &ReadTransaction) -> Result<Option<u64>, redb::Error> {
    Ok(state.open_table(NUMBERS)?.get(FORMAT)?.map(|number| number.value()))
}

/// Revision of the last commit that wrote.
pub(super) fn revision(state: &ReadTransaction) -> Result<Revision, redb::Error> {
    number(&state.open_table(NUMBERS)?, REVISION).map(Revision::from_engine)
}

/// Makes the tables of a new file.
pub(super) fn make(change: &WriteTransaction) -> Result<(), redb::Error> {
    change.open_table(ENTRIES)?;
    change.open_table(OUTBOX)?;
    let mut numbers = change.open_table(NUMBERS)?;
    for (name, number) in [(FORMAT, FORMAT_VERSION), (REVISION, 0), (POSITION, 0)] {
        numbers.insert(name, number)?;
    }
    Ok(())
}

/// Copies everything of one state into a file whose tables are made.
pub(super) fn copy(state: &ReadTransaction, change: &WriteTransaction) -> Result<(), redb::Error> {
    copy_table(state, change, ENTRIES)?;
    copy_table(state, change, OUTBOX)?;
    copy_table(state, change, NUMBERS)
}

fn copy_table<K: redb::Key, V: redb::Value>(
    state: &ReadTransaction,
    change: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<(), redb::Error> {
    let mut copied = change.open_table(table)?;
    for row in state.open_table(table)?.iter()? {
        let (key, value) = row?;
        copied.insert(key.value(), value.value())?;
    }
    Ok(())
}

/// The tables, open for a change.
pub(super) struct Tables<'a> {
    pub(super) entries: Table<'a, &'static [u8], &'static [u8]>,
    pub(super) outbox: Table<'a, u64, &'static [u8]>,
    numbers: Table<'a, &'static str, u64>,
    pub(super) revision: u64,
    pub(super) position: u64,
}

impl<'a> Tables<'a> {
    pub(super) fn open(change: &'a WriteTransaction) -> Result<Self, redb::Error> {
        let numbers = change.open_table(NUMBERS)?;
        Ok(Self {
            entries: change.open_table(ENTRIES)?,
            outbox: change.open_table(OUTBOX)?,
            revision: number(&numbers, REVISION)?,
            position: number(&numbers, POSITION)?,
            numbers,
        })
    }

    /// Writes the numbers back.
    pub(super) fn close(mut self) -> Result<(), redb::Error> {
        self.numbers.insert(REVISION, self.revision)?;
        self.numbers.insert(POSITION, self.position)?;
        Ok(())
    }

    /// The revision of the entry at `key`, if there is one.
    pub(super) fn revision_of(&self, key: &Key) -> Result<Option<Revision>, redb::Error> {
        let Some(row) = self.entries.get(key.as_str().as_bytes())? else { return Ok(None) };
        Ok(Some(split(key.as_str(), row.value())?.0))
    }
}

/// A row of [`ENTRIES`].
pub(super) fn join(revision: u64, value: &[u8]) -> Vec<u8> {
    [revision.to_be_bytes().as_slice(), value].concat()
}

/// A row of [`ENTRIES`], taken apart.
pub(super) fn split<'row>(key: &str, row: &'row [u8]) -> Result<(Revision, &'row [u8]), redb::Error> {
    let (revision, value) = row
        .split_first_chunk()
        .ok_or_else(|| redb::Error::Corrupted(format!("the row of {key} is too short")))?;
    Ok((Revision::from_engine(u64::from_be_bytes(*revision)), value))
}

fn number(numbers: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    let number = numbers.get(name)?.map(|number| number.value());
    number.ok_or_else(|| redb::Error::Corrupted(format!("the number `{name}` is missing")))
}
