//! Reads of one state of the store.

use redb::{ReadTransaction, ReadableTable};

use super::tables::{ENTRIES, OUTBOX, split};
use crate::{Entry, Key, OUTBOX_RECORDS_MAX, OutboxEntry, OutboxPosition, PAGE_BYTES_MAX, Page, Range};

pub(super) fn get(state: &ReadTransaction, key: &Key) -> Result<Option<Entry>, redb::Error> {
    let Some(row) = state.open_table(ENTRIES)?.get(key.as_str().as_bytes())? else { return Ok(None) };
    entry(key.clone(), row.value()).map(Some)
}

pub(super) fn range(state: &ReadTransaction, range: &Range) -> Result<Page, redb::Error> {
    let mut entries = Vec::new();
    let Some((start, end)) = range.bounds() else { return Ok(Page { entries, more: false }) };
    let (start, end) = (start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice));
    let mut bytes = 0;
    for row in state.open_table(ENTRIES)?.range::<&[u8]>((start, end))? {
        if entries.len() >= range.entries_max() || bytes >= PAGE_BYTES_MAX {
            return Ok(Page { entries, more: true });
        }
        let (key, row) = row?;
        bytes += key.value().len() + row.value().len();
        entries.push(entry(key_from(key.value())?, row.value())?);
    }
    Ok(Page { entries, more: false })
}

pub(super) fn outbox(state: &ReadTransaction, limit: usize) -> Result<Vec<OutboxEntry>, redb::Error> {
    let mut records = Vec::new();
    let mut bytes = 0;
    for row in state.open_table(OUTBOX)?.iter()? {
        if records.len() >= limit.min(OUTBOX_RECORDS_MAX) || bytes >= PAGE_BYTES_MAX {
            break;
        }
        let (position, record) = row?;
        let record = record.value().to_vec();
        bytes += record.len();
        records.push(OutboxEntry { position: OutboxPosition::from_engine(position.value()), record });
    }
    Ok(records)
}

fn entry(key: Key, row: &[u8]) -> Result<Entry, redb::Error> {
    let (revision, value) = split(key.as_str(), row)?;
    Ok(Entry { key, revision, value: value.to_vec() })
}

fn key_from(bytes: &[u8]) -> Result<Key, redb::Error> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| redb::Error::Corrupted("a key is not text".to_owned()))?;
    Key::new(text).map_err(|error| redb::Error::Corrupted(error.to_string()))
}
