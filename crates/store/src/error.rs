//! What can go wrong, by who is at fault.

use crate::{Key, KeyError};

/// The store cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The operator's: the disk or the server behind the store does not answer as it should. Nothing was changed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The operator's: there is no space left. Nothing was changed; reads go on, and so do writes once there is space.
    #[error("the disk that holds the store is full: free some space, writing then goes on by itself")]
    Full,
    /// The operator's: the commit was cut off where nobody can tell whether it took effect. Read before trying again.
    #[error("the store failed during a commit that may or may not have taken effect: {0}")]
    OutcomeUnknown(String),
    /// The operator's: what is stored is not what was written.
    #[error("the store is damaged at {place}: {reason}; restore it from a backup")]
    Damaged {
        /// A key, or the part of the store.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// The operator's: a newer release wrote this.
    #[error(
        "{kind} at {place} has format version {found}, this release reads up to {supported}: \
         the data was written by a newer Keywright, run that one"
    )]
    Newer {
        /// The kind of record.
        kind: &'static str,
        /// Its key.
        place: String,
        /// The version that was found.
        found: u8,
        /// The newest version that this program reads.
        supported: u8,
    },
    /// A bug: the program built a path that is no key.
    #[error("a path cannot be a store key: {0}")]
    Key(#[from] KeyError),
    /// A bug: a record does not have a form in JSON.
    #[error("{kind} cannot be encoded: {reason}")]
    Encoding {
        /// The kind of record.
        kind: &'static str,
        /// What the encoder said.
        reason: String,
    },
}

impl StoreError {
    /// What is stored at `place` is not what was written, and why one can tell.
    pub fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { place: place.into(), reason: reason.into() }
    }
}

/// What is measured of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Expectations.
    Expectations,
    /// Puts, deletes and outbox records together.
    Writes,
    /// Bytes of all keys, values and outbox records together.
    Bytes,
    /// Bytes of one key.
    KeyBytes,
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expectations => "expectations",
            Self::Writes => "writes",
            Self::Bytes => "bytes",
            Self::KeyBytes => "bytes in a key",
        })
    }
}

/// A transaction was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nobody's: another commit came first. Read again and decide anew.
    #[error("{key} is not what the transaction expected")]
    Conflict {
        /// The first key whose expectation did not hold.
        key: Key,
    },
    /// A bug, or too large a request let through: the transaction is over a limit that holds for every engine.
    #[error("a transaction has at most {limit} {measure}, this one has {found}")]
    TooLarge {
        /// What there is too much of.
        measure: Measure,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// A bug: one key is put or deleted twice in one transaction.
    #[error("{key} is written twice in one transaction")]
    WrittenTwice {
        /// The key.
        key: Key,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
