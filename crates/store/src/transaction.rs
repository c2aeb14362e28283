//! Transactions: what must hold, and what is then written, as one.

use std::collections::HashSet;
use std::fmt;

use crate::{CommitError, KEY_BYTES_MAX, Key, Measure, Revision};

/// The most expectations of a transaction; etcd's default for the operations of one.
pub const TRANSACTION_EXPECTATIONS_MAX: usize = 128;

/// The most writes of a transaction, outbox records included; etcd's default for the operations of one.
pub const TRANSACTION_WRITES_MAX: usize = 128;

/// The most bytes of all keys, values and outbox records of a transaction: 1.5 MiB, etcd's default for a request.
pub const TRANSACTION_BYTES_MAX: usize = 1_536 * 1_024;

/// What must hold at the commit, and what is then written as one. Limits are checked at the commit.
#[derive(Default)]
pub struct Transaction {
    expectations: Vec<Expectation>,
    writes: Vec<Write>,
    outbox: Vec<Vec<u8>>,
}

/// What must hold of one key; no revision means that the key must be absent.
pub(crate) struct Expectation {
    pub(crate) key: Key,
    pub(crate) revision: Option<Revision>,
}

/// What becomes of one key; no value means that it is deleted.
pub(crate) struct Write {
    pub(crate) key: Key,
    pub(crate) value: Option<Vec<u8>>,
}

impl Transaction {
    /// Expects nothing and writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing must be stored at `key`.
    #[must_use]
    pub fn expect_absent(mut self, key: Key) -> Self {
        self.expectations.push(Expectation { key, revision: None });
        self
    }

    /// The entry at `key` must be the one of this revision.
    #[must_use]
    pub fn expect_revision(mut self, key: Key, revision: Revision) -> Self {
        self.expectations.push(Expectation { key, revision: Some(revision) });
        self
    }

    /// Writes `value` at `key`, whether or not there was one.
    #[must_use]
    pub fn put(mut self, key: Key, value: Vec<u8>) -> Self {
        self.writes.push(Write { key, value: Some(value) });
        self
    }

    /// Takes away what is at `key`, if anything is.
    #[must_use]
    pub fn delete(mut self, key: Key) -> Self {
        self.writes.push(Write { key, value: None });
        self
    }

    /// Leaves `record` in the outbox; counts as a write.
    #[must_use]
    pub fn outbox(mut self, record: Vec<u8>) -> Self {
        self.outbox.push(record);
        self
    }

    pub(crate) fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    pub(crate) fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub(crate) fn outbox_records(&self) -> &[Vec<u8>] {
        &self.outbox
    }

    pub(crate) fn writes_anything(&self) -> bool {
        !self.writes.is_empty() || !self.outbox.is_empty()
    }

    /// The keys that are put or deleted, as an observer is told of them.
    pub(crate) fn written_keys(&self) -> Vec<Key> {
        self.writes.iter().map(|write| write.key.clone()).collect()
    }

    /// Bytes of all keys, values and outbox records.
    pub(crate) fn bytes(&self) -> usize {
        let expected = self.expectations.iter().map(|expectation| expectation.key.bytes_len());
        let written =
            self.writes.iter().map(|write| write.key.bytes_len() + write.value.as_ref().map_or(0, Vec::len));
        expected.chain(written).chain(self.outbox.iter().map(Vec::len)).sum()
    }

    /// Holds the transaction to the limits; every engine calls this first.
    pub(crate) fn check(&self) -> Result<(), CommitError> {
        at_most(Measure::Expectations, self.expectations.len(), TRANSACTION_EXPECTATIONS_MAX)?;
        at_most(Measure::Writes, self.writes.len() + self.outbox.len(), TRANSACTION_WRITES_MAX)?;
        at_most(Measure::Bytes, self.bytes(), TRANSACTION_BYTES_MAX)?;
        let mut seen = HashSet::with_capacity(self.writes.len());
        for Write { key, .. } in &self.writes {
            at_most(Measure::KeyBytes, key.bytes_len(), KEY_BYTES_MAX)?;
            if !seen.insert(key) {
                return Err(CommitError::WrittenTwice { key: key.clone() });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Transaction {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected: Vec<&Key> = self.expectations.iter().map(|expectation| &expectation.key).collect();
        let written: Vec<&Key> = self.writes.iter().map(|write| &write.key).collect();
        f.debug_struct("Transaction")
            .field("expected", &expected)
            .field("written", &written)
            .field("outbox_records", &self.outbox.len())
            .finish()
    }
}

fn at_most(measure: Measure, found: usize, limit: usize) -> Result<(), CommitError> {
    if found > limit { Err(CommitError::TooLarge { measure, found, limit }) } else { Ok(()) }
}
