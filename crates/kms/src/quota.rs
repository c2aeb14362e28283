//! How many keys an account has in a Region.
//!
//! The number is the sum of shards. Which shard counts a key means nothing: calls that create keys at the same time
//! take different ones, and a key that is deleted is taken out of any that counts some. The shards are added up only
//! as often as the room that was left asks for. A few calls that race at the very end of the quota may each find room;
//! the count itself is always exact.

#[cfg(test)]
mod interleavings;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
#[cfg(not(test))]
use std::sync::Mutex as Lock;
use std::sync::{Arc, PoisonError};

use base::KeyArn;
use store::{Entry, Range, Store, Transaction};
#[cfg(test)]
use testkit::interleavings::Mutex as Lock;
use tokio::sync::{Mutex, MutexGuard};

use crate::change::Edit;
use crate::error::{KmsError, LimitExceeded};
use crate::paths::{self, Place};
use crate::record::KeyCountRecord;

/// Shards of the count of an account and Region: as many calls can create keys there in one write to the disk.
const SHARDS: usize = 64;

/// The share of the room left that may be used up before the shards are added up anew: so many nodes that create keys
/// equally fast stay within the quota together.
const NODES: u64 = 64;

/// Places of which it is remembered how much room is left.
const PLACES_MAX: usize = 10_000;

/// The counts of keys, with turns of those who change them, so that within one process nobody loses a race for a shard. Turns
/// only save work: correctness rests on the store's compare-and-swap.
pub(crate) struct CountShards {
    store: Arc<dyn Store>,
    limit: u64,
    turns: Vec<Mutex<()>>,
    room: Room,
    /// The shard that is asked for first: nodes of one cluster begin at different ones.
    first: usize,
}

/// The turn to change a shard. Hold it until the change is committed.
#[must_use]
pub(crate) struct ShardTurn<'a> {
    number: usize,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl CountShards {
    /// So many keys an account may have in a Region.
    pub(crate) fn new(store: Arc<dyn Store>, limit: u64) -> Self {
        Self::of(SHARDS, any_shard(), store, limit)
    }

    fn of(shards: usize, first: usize, store: Arc<dyn Store>, limit: u64) -> Self {
        let turns = (0..shards).map(|_| Mutex::new(())).collect();
        Self { store, limit, turns, room: Room::default(), first }
    }

    /// The turn of a shard that nobody is changing; if there is none, waits for one. Whoever takes it may hold the turn
    /// of a key, and takes none while holding this.
    pub(crate) async fn take(&self) -> ShardTurn<'_> {
        let shards = self.turns.len();
        let mut numbers = (self.first..shards).chain(0..self.first);
        match numbers.find_map(|number| self.try_take(number)) {
            Some(turn) => turn,
            None => self.wait_for(any_shard() % shards.max(1)).await,
        }
    }

    fn try_take(&self, number: usize) -> Option<ShardTurn<'_>> {
        let turn = self.turns.get(number)?.try_lock().ok()?;
        Some(ShardTurn { number, _turn: Some(turn) })
    }

    async fn wait_for(&self, number: usize) -> ShardTurn<'_> {
        let turn = match self.turns.get(number) {
            Some(shard) => Some(shard.lock().await),
            None => None,
        };
        ShardTurn { number, _turn: turn }
    }

    /// Counts the new key in the commit that creates it, if the quota has room. Hold the turn until that has ended.
    pub(crate) async fn count_new_key(&self, edit: &mut Edit, turn: &ShardTurn<'_>) -> Result<(), KmsError> {
        let place = Place::from(edit.arn);
        let path = paths::key_count(&place, turn.number)?;
        if !self.room.take(&place) {
            self.find_room(place).await?;
        }
        let entry = self.store.get(&path).await?;
        let own = entry.as_ref().map(store::decode_record::<KeyCountRecord>).transpose()?.unwrap_or_default();
        let revision = entry.map(|entry| entry.revision);
        edit.put(path.clone(), &own.one_more())?;
        edit.expect(path, revision);
        Ok(())
    }

    /// Takes a key out of the count, in the commit that deletes it: the turn is to be held until that has ended. A
    /// store in which no shard counts a key has none to take out.
    pub(crate) async fn count_deleted_key(
        &self,
        arn: &KeyArn,
        transaction: Transaction,
    ) -> Result<(Transaction, Option<ShardTurn<'_>>), KmsError> {
        let place = Place::from(*arn);
        for seen in self.shards_of(&place).await? {
            let Some(number) = paths::key_count_shard(&place, &seen.key) else { continue };
            if store::decode_record::<KeyCountRecord>(&seen)?.keys == 0 {
                continue;
            }
            let turn = self.wait_for(number).await;
            // Whoever had the turn before may have changed it.
            let Some(entry) = self.store.get(&seen.key).await? else { continue };
            let count: KeyCountRecord = store::decode_record(&entry)?;
            if count.keys > 0 {
                let less = store::encode_record(&count.less_one())?;
                let transaction = transaction.expect_revision(entry.key.clone(), entry.revision);
                return Ok((transaction.put(entry.key, less), Some(turn)));
            }
        }
        Ok((transaction, None))
    }

    /// Adds the shards up, and refuses one more key if the quota has no room for it.
    async fn find_room(&self, place: Place) -> Result<(), KmsError> {
        let limit = self.limit;
        let mut keys = 0_u64;
        for entry in self.shards_of(&place).await? {
            keys = keys.saturating_add(store::decode_record::<KeyCountRecord>(&entry)?.keys);
        }
        let room = limit.saturating_sub(keys);
        let left = room.checked_sub(1).ok_or(LimitExceeded::Keys(limit))?;
        self.room.found(place, left);
        Ok(())
    }

    async fn shards_of(&self, place: &Place) -> Result<Vec<Entry>, KmsError> {
        Ok(self.store.range(Range::prefix(paths::key_counts(place)).limit(SHARDS)).await?.entries)
    }
}

/// How many keys may be created in a place before its shards are added up anew.
#[derive(Default)]
struct Room(Lock<HashMap<Place, u64>>);

impl Room {
    /// Uses up some for one key; false if there is none that is known of.
    fn take(&self, place: &Place) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(keys) = places.get_mut(place) else { return false };
        let left = keys.checked_sub(1);
        *keys = left.unwrap_or_default();
        left.is_some()
    }

    /// Takes note of what was left beside one more key when the shards were added up.
    fn found(&self, place: Place, left: u64) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PLACES_MAX {
            places.clear();
        }
        places.insert(place, left / NODES);
    }
}

/// A shard by chance: a new hasher is seeded at random.
fn any_shard() -> usize {
    usize::try_from(RandomState::new().hash_one(SHARDS)).unwrap_or_default() % SHARDS
}

impl KeyCountRecord {
    fn one_more(self) -> Self {
        Self { keys: self.keys.saturating_add(1) }
    }

    fn less_one(self) -> Self {
        Self { keys: self.keys.saturating_sub(1) }
    }
}
