//! What a call changes: expectations and writes, collected while the handler decides.

use base::AccountId;
use store::{Key, Record, Revision, Transaction, encode_record};
use wire::iam::Operation;

use super::error::IamError;
use super::resource::Resource;
use crate::paths;
use crate::principal::{Holder, UniqueIdRecord};

/// What is committed as one. Empty, if a call changes nothing.
#[derive(Default)]
pub(crate) struct Plan {
    transaction: Transaction,
    writes: bool,
}

/// An answer, and what has to be committed before it is given.
pub(crate) struct Done<O: Operation> {
    pub(crate) response: O::Response,
    pub(crate) plan: Plan,
    /// What the audit record names.
    pub(crate) resource: Resource,
}

impl Plan {
    /// Changes nothing.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether anything changes.
    pub(crate) fn changes_anything(&self) -> bool {
        self.writes
    }

    /// The transaction with the audit event.
    pub(crate) fn into_transaction(self, event: Vec<u8>) -> Transaction {
        self.transaction.outbox(event)
    }

    /// Makes a record where there must be none.
    pub(crate) fn create<R: Record>(self, path: Key, record: &R) -> Result<Self, IamError> {
        Ok(self.expect(path.clone(), None).put(path, encode_record(record)?))
    }

    /// Replaces the record that was read.
    pub(crate) fn replace<R: Record>(
        self,
        path: Key,
        revision: Revision,
        record: &R,
    ) -> Result<Self, IamError> {
        Ok(self.expect(path.clone(), Some(revision)).put(path, encode_record(record)?))
    }

    /// Makes or replaces a record that a record which the plan expects speaks for.
    pub(crate) fn set<R: Record>(self, path: Key, record: &R) -> Result<Self, IamError> {
        Ok(self.put(path, encode_record(record)?))
    }

    /// Puts a value in the place of what was read, or of nothing.
    pub(crate) fn exchange(self, path: Key, revision: Option<Revision>, value: Vec<u8>) -> Self {
        self.expect(path.clone(), revision).put(path, value)
    }

    /// Writes an entry whose key says everything.
    pub(crate) fn mark(self, path: Key) -> Self {
        self.put(path, Vec::new())
    }

    /// Notes where the user or role of a unique id is.
    pub(crate) fn known_as(
        self,
        account: AccountId,
        holder: Holder,
        unique_id: &str,
        name: &str,
    ) -> Result<Self, IamError> {
        self.set(paths::unique_id(unique_id)?, &UniqueIdRecord::new(account, holder, name))
    }

    /// Removes the record that was read.
    pub(crate) fn remove(self, path: Key, revision: Revision) -> Self {
        self.expect(path.clone(), Some(revision)).delete(path)
    }

    /// Removes what a record that the plan expects speaks for.
    pub(crate) fn delete(self, path: Key) -> Self {
        Self { transaction: self.transaction.delete(path), writes: true }
    }

    /// What lies at `path` must be of this revision; absent if there is none.
    pub(crate) fn expect(self, path: Key, revision: Option<Revision>) -> Self {
        let transaction = match revision {
            Some(revision) => self.transaction.expect_revision(path, revision),
            None => self.transaction.expect_absent(path),
        };
        Self { transaction, writes: self.writes }
    }

    fn put(self, path: Key, value: Vec<u8>) -> Self {
        Self { transaction: self.transaction.put(path, value), writes: true }
    }
}
