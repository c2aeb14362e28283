//! The store: an ordered key-value space with serialisable transactions, behind one contract.
//!
//! # The contract
//!
//! Every engine promises what follows, and `tests/contract` holds it to that. The contract is what both an embedded
//! engine (redb) and a cluster engine (etcd) can keep: compare on revisions, bounded transactions, ranges.
//!
//! * **Revisions.** The store has one revision; it only grows, across restarts too. A commit that writes has a
//!   revision of its own, higher than that of every commit before it. An entry carries the revision of the commit that
//!   wrote it last. A key deleted and written again has a new revision, never an old one.
//! * **Transactions.** A [`Transaction`] is checked and applied as one: its expectations are compared with the state
//!   at its commit, and if all hold, all its writes are applied; otherwise nothing is. [`CommitError::Conflict`] names
//!   the first expectation that did not hold. Deleting a key that is absent is allowed and changes nothing. A
//!   transaction without writes checks its expectations and answers with the store's present revision, which can be
//!   above that of the last commit: engines spend revisions on work of their own.
//! * **Isolation.** Transactions are serialisable: they take effect one after another, in the order of their
//!   revisions. No lock is held between two calls; a caller reads, decides, and states what it read as expectations.
//! * **Durability.** When [`Store::commit`] returns a revision, the writes survive a kill and a power cut.
//! * **Failure.** A commit that fails has changed nothing, with one exception that has its own name:
//!   [`StoreError::OutcomeUnknown`]. Dropping the future of a commit does not withdraw the transaction.
//! * **Reads.** A read that begins after a commit was acknowledged sees it, through whichever task it is made.
//!   [`Store::range`] reads one state of the store, in bytewise order of keys. A page ends at its limit of entries or
//!   at [`PAGE_BYTES_MAX`], whichever comes first, but holds at least one entry if there is one; [`Page::more`]
//!   tells whether the range goes on.
//! * **Outbox.** A record put with [`Transaction::outbox`] appears with the writes of its commit, after the records of
//!   every earlier commit; records of one transaction keep their order. Positions only grow and are never reused.
//!   Records stay until [`Store::remove_from_outbox`] takes them away. They are not entries and show in no range.
//! * **Observers.** [`Observer::committed`] is called once for each commit that wrote anything, never for a failed
//!   one, in the order of the commits, after the commit is durable and before it is acknowledged to its caller.
//!   [`Observer::uncertain`] is called before a caller is told that the outcome is unknown.
//!
//! What the store never does: interpret a value. [`Record`] is the form that rooms give to theirs.

pub mod cache;
pub mod due;
mod entry;
mod error;
mod key;
mod range;
mod record;
pub mod redb_engine;
mod transaction;

use std::sync::Weak;

use async_trait::async_trait;

pub use entry::{Entry, OutboxEntry, OutboxPosition, Revision};
pub use error::{CommitError, Measure, StoreError};
pub use key::{KEY_BYTES_MAX, Key, KeyError};
pub use range::{PAGE_BYTES_MAX, PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX, Page, Range};
pub use record::{Record, decode_record, encode_record};
pub use transaction::{
    TRANSACTION_BYTES_MAX, TRANSACTION_EXPECTATIONS_MAX, TRANSACTION_WRITES_MAX, Transaction,
};

/// The most outbox records that one call of [`Store::outbox`] returns.
pub const OUTBOX_RECORDS_MAX: usize = 1_000;

/// An ordered key-value space with serialisable transactions. The crate's documentation is the contract.
#[async_trait]
pub trait Store: Send + Sync {
    /// The entry at `key`, if there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError>;

    /// One page of the entries in `range`, in bytewise order of their keys.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn range(&self, range: Range) -> Result<Page, StoreError>;

    /// Applies `transaction` as one; durable when this returns.
    ///
    /// # Errors
    /// An expectation did not hold, the transaction is over a limit, or the store cannot be written.
    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError>;

    /// The oldest outbox records, oldest first: at most `limit`, [`OUTBOX_RECORDS_MAX`] and [`PAGE_BYTES_MAX`],
    /// but at least one if there is one and `limit` is not 0.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Removes the outbox records up to and including `through`; durable when this returns. Records that are gone
    /// already are no error.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError>;

    /// Tells `observer` of every later commit, for as long as both live. The store keeps nobody alive: observers hold the
    /// store, and a store that held them would never be closed.
    fn observe(&self, observer: Weak<dyn Observer>);
}

/// Is told of commits; what keeps caches honest.
pub trait Observer: Send + Sync {
    /// A commit at `revision` wrote or deleted `keys` (none, if it wrote to the outbox alone). Called in commit
    /// order, before the commit is acknowledged to its caller. Must not block, wait for the store, or panic: an
    /// engine whose observer panicked takes no further commits, for a cache that missed one is no longer to be trusted.
    fn committed(&self, keys: &[Key], revision: Revision);

    /// A commit that would have written or deleted `keys` ended in [`StoreError::OutcomeUnknown`]: what a cache holds of
    /// them may be old. Called like [`Observer::committed`], under the same rules.
    fn uncertain(&self, keys: &[Key]);
}
