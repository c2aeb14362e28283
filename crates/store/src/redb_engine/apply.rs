//! One group of transactions, applied to the tables as one.

use redb::{Database, Durability};

use super::tables::{Tables, join};
use crate::transaction::Expectation;
use crate::{Key, OutboxPosition, Revision, Transaction};

/// One thing to be written.
pub(super) enum Change {
    /// A transaction that was found to be within the limits.
    Commit(Transaction),
    /// The records up to this one are to go.
    RemoveFromOutbox(OutboxPosition),
}

impl Change {
    /// What observers are told of, if this is for them.
    pub(super) fn observed_keys(&self) -> Option<Vec<Key>> {
        match self {
            Self::Commit(transaction) => transaction.writes_anything().then(|| transaction.written_keys()),
            Self::RemoveFromOutbox(_) => None,
        }
    }
}

/// What became of a change once its group is durable.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Applied, or without writes; the store's revision after it.
    Applied(Revision),
    /// Nothing was applied: this key was not as expected.
    Conflict(Key),
}

/// What a group comes to if it takes effect.
#[derive(Default)]
pub(super) struct Prepared {
    /// One for each change, in their order.
    pub(super) outcomes: Vec<Outcome>,
    /// The store's revision after the group; `None` until the group is about to be committed.
    pub(super) revision: Option<Revision>,
}

/// Applies `changes` in their order and waits for the disk. On an error after `prepared` has a revision, the group may
/// have taken effect; on any other, it has not.
pub(super) fn apply<'a>(
    database: &Database,
    changes: impl Iterator<Item = &'a Change>,
    prepared: &mut Prepared,
) -> Result<(), redb::Error> {
    let mut group = database.begin_write()?;
    group.set_durability(Durability::Immediate)?;
    let mut tables = Tables::open(&group)?;
    let mut written = false;
    for change in changes {
        let (outcome, wrote) = apply_one(&mut tables, change)?;
        written |= wrote;
        prepared.outcomes.push(outcome);
    }
    if !written {
        drop(tables);
        return Ok(group.abort()?);
    }
    let revision = Revision::from_engine(tables.revision);
    tables.close()?;
    prepared.revision = Some(revision);
    Ok(group.commit()?)
}

/// The outcome, and whether anything was written.
fn apply_one(tables: &mut Tables<'_>, change: &Change) -> Result<(Outcome, bool), redb::Error> {
    let transaction = match change {
        Change::Commit(transaction) => transaction,
        Change::RemoveFromOutbox(through) => {
            tables.outbox.retain_in(..=through.number(), |_, _| false)?;
            // A revision of its own: by it a failed group is told from one that took effect.
            tables.revision += 1;
            return Ok((Outcome::Applied(Revision::from_engine(tables.revision)), true));
        }
    };
    if let Some(key) = first_unmet(tables, transaction.expectations())? {
        return Ok((Outcome::Conflict(key), false));
    }
    let writes = transaction.writes_anything();
    if writes {
        tables.revision += 1;
        write(tables, transaction)?;
    }
    Ok((Outcome::Applied(Revision::from_engine(tables.revision)), writes))
}

fn first_unmet(tables: &Tables<'_>, expectations: &[Expectation]) -> Result<Option<Key>, redb::Error> {
    for Expectation { key, revision } in expectations {
        if tables.revision_of(key)? != *revision {
            return Ok(Some(key.clone()));
        }
    }
    Ok(None)
}

fn write(tables: &mut Tables<'_>, transaction: &Transaction) -> Result<(), redb::Error> {
    for write in transaction.writes() {
        let key = write.key.as_str().as_bytes();
        match &write.value {
            Some(value) => tables.entries.insert(key, join(tables.revision, value).as_slice())?,
            None => tables.entries.remove(key)?,
        };
    }
    for record in transaction.outbox_records() {
        tables.position += 1;
        tables.outbox.insert(tables.position, record.as_slice())?;
    }
    Ok(())
}
