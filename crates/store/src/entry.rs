//! What a store holds: entries under keys, and records in the outbox.

use std::fmt;

use crate::Key;

/// Which commit: a number that only grows over the life of a store. Only an engine makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    pub(crate) const fn from_engine(number: u64) -> Self {
        Self(number)
    }

    /// The number, for a message or an entity tag.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value under its key, with the revision of the commit that wrote it last.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub key: Key,
    /// Which commit wrote it; what [`crate::Transaction::expect_revision`] takes.
    pub revision: Revision,
    /// The bytes, as they were put.
    pub value: Vec<u8>,
}

impl fmt::Debug for Entry {
    /// Values stay out of logs: their length has to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("revision", &self.revision)
            .field("value_bytes", &self.value.len())
            .finish()
    }
}

/// The place of a record in the outbox: grows with every record, is never reused. Only an engine makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxPosition(u64);

impl OutboxPosition {
    pub(crate) const fn from_engine(number: u64) -> Self {
        Self(number)
    }

    /// The number, for a message.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for OutboxPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record that a commit left in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its place; what [`crate::Store::remove_from_outbox`] takes.
    pub position: OutboxPosition,
    /// The bytes, as they were put.
    pub record: Vec<u8>,
}

impl fmt::Debug for OutboxEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEntry")
            .field("position", &self.position)
            .field("record_bytes", &self.record.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_values() {
        let entry =
            Entry { key: Key::new("a").unwrap(), revision: Revision(7), value: b"sealed-material".to_vec() };
        let outbox = OutboxEntry { position: OutboxPosition(3), record: b"sealed-material".to_vec() };
        for shown in [format!("{entry:?}"), format!("{outbox:?}")] {
            assert!(!shown.contains("sealed") && !shown.contains("115, 101"), "{shown}");
            assert!(shown.contains("15"), "{shown}");
        }
    }
}
