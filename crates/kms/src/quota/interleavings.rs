//! Keys that are created, given up and deleted at the same time, over a real store: the count is that of the keys, no more
//! come than race at the end of the quota, and no room is lost.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use base::KeyId;
use store::redb_engine::RedbStore;
use store::{CommitError, Key, Observer, OutboxEntry, OutboxPosition, Page, Revision, StoreError};
use testkit::interleavings::{explore, explore_all, future, thread};
use tokio::runtime::{Builder, Runtime};
use wire::kms::{KeySpec, KeyUsageType, OriginType};

use super::*;
use crate::key_policy::KeyPolicy;
use crate::ops::NewKey;

const LIMIT: u64 = 3;

/// A store, which all explorations of a test share, each with an account of its own.
struct Engine {
    store: RedbStore,
    runtime: Runtime,
    accounts: AtomicU64,
}

impl Engine {
    fn start() -> Arc<Self> {
        let runtime = Builder::new_current_thread().build().unwrap();
        Arc::new(Self { store: RedbStore::in_memory().unwrap(), runtime, accounts: AtomicU64::new(1) })
    }
}

/// The store as one step after the other: before each call the explorer decides who goes on.
struct Steps {
    engine: Arc<Engine>,
    step: Lock<()>,
}

impl Steps {
    fn step<T>(&self, call: impl Future<Output = T>) -> T {
        drop(self.step.lock().unwrap());
        self.engine.runtime.block_on(call)
    }
}

#[async_trait]
impl Store for Steps {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.step(self.engine.store.get(key))
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        self.step(self.engine.store.range(range))
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        self.step(self.engine.store.commit(transaction))
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.step(self.engine.store.outbox(limit))
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.step(self.engine.store.remove_from_outbox(through))
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.engine.store.observe(observer);
    }
}

/// The keys of one account, and those who create and delete them.
#[derive(Clone)]
struct Keys {
    store: Arc<Steps>,
    counts: Arc<CountShards>,
    place: Place,
    /// How often somebody was slower than another one and began again.
    lost_races: Arc<AtomicU64>,
}

impl Keys {
    fn of_new_account(engine: &Arc<Engine>, shards: usize) -> Self {
        let store = Arc::new(Steps { engine: Arc::clone(engine), step: Lock::new(()) });
        let account = format!("{:012}", engine.accounts.fetch_add(1, Ordering::SeqCst));
        let place = Place { account: account.parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let counts = Self::counts(&store, shards);
        Self { store, counts, place, lost_races: Arc::default() }
    }

    /// The same keys, changed by a process that knows nothing of this one.
    fn of_another_node(&self) -> Self {
        Self { counts: Self::counts(&self.store, self.counts.turns.len()), ..self.clone() }
    }

    fn counts(store: &Arc<Steps>, shards: usize) -> Arc<CountShards> {
        let store: Arc<dyn Store> = Arc::<Steps>::clone(store);
        Arc::new(CountShards::of(shards, 0, store, LIMIT))
    }

    fn arn(&self, number: u8) -> KeyArn {
        self.place.key_arn(KeyId::single_region([number; 16]))
    }

    /// As CreateKey does it; false if the quota has no room. Whoever asked may go away before the commit and behind it.
    async fn create(self, number: u8) -> bool {
        let new = NewKey {
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsageType::EncryptDecrypt,
            origin: OriginType::AwsKms,
            created_at: 0,
            description: String::new(),
            policy: KeyPolicy::default_of(self.place.account, self.place.region),
            tags: BTreeMap::new(),
        };
        let arn = self.arn(number);
        loop {
            let mut edit = Edit::create(arn, new.record(&arn)).unwrap();
            let turn = self.counts.take().await;
            match self.counts.count_new_key(&mut edit, &turn).await {
                Ok(()) => {}
                Err(KmsError::LimitExceeded(_)) => return false,
                Err(error) => panic!("{error}"),
            }
            future::yield_now().await;
            let outcome = self.store.commit(edit.into_transaction(Vec::new()).unwrap()).await;
            future::yield_now().await;
            match outcome {
                Ok(_) => return true,
                Err(CommitError::Conflict { .. }) => self.lost_races.fetch_add(1, Ordering::SeqCst),
                Err(error) => panic!("{error}"),
            };
        }
    }

    /// As it is done to a key whose window has ended.
    async fn delete(self, number: u8) {
        let path = paths::key(&self.arn(number)).unwrap();
        let key = self.store.get(&path).await.unwrap().unwrap();
        let transaction = Transaction::new().expect_revision(path.clone(), key.revision).delete(path);
        let (transaction, _turn) =
            self.counts.count_deleted_key(&self.arn(number), transaction).await.unwrap();
        self.store.commit(transaction).await.expect("nobody loses a race");
    }

    /// How many keys there are: as many as the shards count.
    async fn counted(&self) -> u64 {
        let keys = self.store.range(Range::prefix(paths::keys(&self.place))).await.unwrap().entries.len();
        let mut counted = 0;
        for shard in self.counts.shards_of(&self.place).await.unwrap() {
            counted += store::decode_record::<KeyCountRecord>(&shard).unwrap().keys;
        }
        assert_eq!(u64::try_from(keys).unwrap(), counted);
        counted
    }

    /// Within one process turns are taken.
    fn assert_nobody_lost_a_race(&self) {
        assert_eq!(self.lost_races.load(Ordering::SeqCst), 0);
    }

    /// One after the other, as many keys can be created as there is room for.
    async fn assert_no_room_is_lost(&self) {
        for number in self.counted().await..LIMIT {
            assert!(self.clone().create(100 + u8::try_from(number).unwrap()).await);
        }
        assert!(!self.clone().create(200).await);
        self.counted().await;
    }
}

/// Three create a key where there is room for two, and one of them gives up.
async fn three_who_race_for_two_places(keys: Keys) {
    assert!(keys.clone().create(0).await);
    let [first, second, impatient] = [1, 2, 3].map(|number| future::spawn(keys.clone().create(number)));
    let mut created = 1 + u64::from(first.await.unwrap());
    impatient.abort();
    created += u64::from(second.await.unwrap());
    let was_created = impatient.await;
    let counted = keys.counted().await;
    match was_created {
        Ok(was_created) => assert_eq!(counted, created + u64::from(was_created)),
        // Who gives up may have been served all the same.
        Err(_) => assert!(counted == created || counted == created + 1),
    }
    let shards = u64::try_from(keys.counts.turns.len()).unwrap();
    assert!(counted < LIMIT + shards, "each shard lets one find room at a time: {counted}");
    keys.assert_no_room_is_lost().await;
    keys.assert_nobody_lost_a_race();
}

#[test]
fn the_quota_holds_for_those_who_come_one_after_another() {
    let engine = Engine::start();
    explore(600, move || future::block_on(three_who_race_for_two_places(Keys::of_new_account(&engine, 1))));
}

#[test]
fn no_more_pass_the_quota_than_race_at_its_end() {
    let engine = Engine::start();
    explore(600, move || future::block_on(three_who_race_for_two_places(Keys::of_new_account(&engine, 3))));
}

/// Two keys that two shards count are deleted while a third one is created.
async fn deletions_beside_a_creation(keys: Keys) {
    assert!(keys.clone().create(0).await);
    let held = keys.counts.take().await;
    assert!(keys.clone().create(1).await);
    drop(held);
    let deletions = [0, 1].map(|number| future::spawn(keys.clone().delete(number)));
    let creation = future::spawn(keys.clone().create(2));
    for deletion in deletions {
        deletion.await.unwrap();
    }
    assert!(creation.await.unwrap());
    assert_eq!(keys.counted().await, 1);
    keys.assert_no_room_is_lost().await;
    keys.assert_nobody_lost_a_race();
}

#[test]
fn keys_that_are_deleted_give_their_room_back() {
    let engine = Engine::start();
    explore(600, move || future::block_on(deletions_beside_a_creation(Keys::of_new_account(&engine, 2))));
}

/// Two nodes create a key each, and count it in the same shard.
async fn creations_by_two_nodes(keys: Keys) {
    let creations = [future::spawn(keys.of_another_node().create(0)), future::spawn(keys.clone().create(1))];
    for creation in creations {
        assert!(creation.await.unwrap());
    }
    assert_eq!(keys.counted().await, 2);
    keys.assert_no_room_is_lost().await;
}

#[test]
fn keys_that_two_nodes_create_are_both_counted() {
    let engine = Engine::start();
    explore(600, move || future::block_on(creations_by_two_nodes(Keys::of_new_account(&engine, 1))));
}

/// Three take room where there is some for two.
fn three_who_take_room_for_two() {
    let place = Place { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let room = Arc::new(Room::default());
    room.found(place, 2 * NODES);
    let takers = [(); 3].map(|()| {
        let room = Arc::clone(&room);
        thread::spawn(move || room.take(&place))
    });
    let served = takers.map(|taker| u8::from(taker.join().unwrap()));
    assert_eq!(served.iter().sum::<u8>(), 2);
}

#[test]
fn room_is_given_to_as_many_as_there_is_for() {
    explore_all(three_who_take_room_for_two);
}
