//! Bucket Keys: a data key that is used for many objects of a bucket, so that the key service is asked rarely.
//!
//! Such a key is kept in memory for a limited time, for the one requester whom the key service gave it to: another one has to
//! ask, even for the same key. Who got a key to write with has not thereby got it to read with, nor the other way round.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{AccountId, Call, Caller, Clock, Timestamp};
use base64_simd::STANDARD;
use crypto::SealingKey;
use crypto::digest::sha256;
use tokio::sync::OnceCell;

use super::{purpose, refused_by_kms};
use crate::Objects;
use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::ports::DataKey;

/// The most keys in memory. Of more, those that were got first go first; they are asked for again.
const KEYS_MAX: usize = 4_096;

/// A key for many objects.
pub(crate) struct BucketKey {
    pub(super) sealing: SealingKey,
    /// The key as KMS encrypted it, in base64.
    pub(super) ciphertext: String,
    /// The ARN of the KMS key.
    pub(super) key_arn: String,
}

/// The keys that are in memory.
pub(crate) struct BucketKeys {
    clock: Arc<dyn Clock>,
    lifetime_millis: i64,
    held: Mutex<HashMap<Holding, Held>>,
}

/// Who holds a key, and what for: a digest of all of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Holding([u8; 32]);

struct Held {
    since: Timestamp,
    /// Empty while somebody asks for it.
    key: Arc<OnceCell<BucketKey>>,
}

/// Which bucket; one that is made again by another account is another one.
#[derive(Clone, Copy)]
struct Whose<'a> {
    name: &'a str,
    owner: AccountId,
    region: &'a str,
}

impl<'a> From<&'a Bucket> for Whose<'a> {
    fn from(bucket: &'a Bucket) -> Self {
        Self { name: bucket.name.as_str(), owner: bucket.owner, region: bucket.region.as_str() }
    }
}

/// What a key is for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    /// Objects that are written; with the KMS key as it is named.
    Writing { key: &'a str },
    /// Objects that are there.
    Reading { key_arn: &'a str, ciphertext: &'a str },
}

impl Holding {
    fn of(
        caller: &Caller,
        bucket: Whose<'_>,
        purpose: Purpose<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<Self, ObjectsError> {
        let what = match purpose {
            Purpose::Writing { key } => ["writing", key, ""],
            Purpose::Reading { key_arn, ciphertext } => ["reading", key_arn, ciphertext],
        };
        let (account, arn) = (caller.account.to_string(), caller.arn().to_string());
        // The access key tells sessions of one role apart.
        let requester = [account.as_str(), &arn, &caller.user_id(), &caller.access_key_id];
        let place = [bucket.name, &bucket.owner.to_string(), bucket.region];
        let json = serde_json::to_vec(&(requester, place, what, context));
        let json = json.map_err(|_| ObjectsError::Bug("the holder of a key has no form in JSON"))?;
        Ok(Self(sha256(&json)))
    }
}

impl BucketKeys {
    /// No keys as yet. Each stays for so many seconds.
    pub(crate) fn new(clock: Arc<dyn Clock>, lifetime_seconds: u32) -> Self {
        let lifetime_millis = i64::from(lifetime_seconds).saturating_mul(1_000);
        Self { clock, lifetime_millis, held: Mutex::default() }
    }

    /// The place of a key, which is empty if it has to be asked for.
    fn of(&self, holding: Holding) -> Arc<OnceCell<BucketKey>> {
        let now = self.clock.now();
        let mut held = self.held();
        if let Some(known) = held.get(&holding).filter(|known| self.lives(known, now)) {
            return Arc::clone(&known.key);
        }
        held.remove(&holding);
        if held.len() >= KEYS_MAX {
            held.retain(|_, held| self.lives(held, now));
        }
        if held.len() >= KEYS_MAX {
            let oldest = held.iter().min_by_key(|(_, held)| held.since).map(|(holding, _)| *holding);
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        let place = held.entry(holding).or_insert_with(|| Held { since: now, key: Arc::default() });
        Arc::clone(&place.key)
    }

    /// Wipes the keys whose time is over.
    fn forget(&self) {
        let now = self.clock.now();
        self.held().retain(|_, held| self.lives(held, now));
    }

    fn lives(&self, held: &Held, now: Timestamp) -> bool {
        // A clock that was set back makes no key live longer.
        held.since <= now && now < held.since.plus_millis(self.lifetime_millis)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Holding, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that is being used. It outlives its place in memory until the use ends.
pub(super) struct InUse(Arc<OnceCell<BucketKey>>);

impl InUse {
    pub(super) fn key(&self) -> Result<&BucketKey, ObjectsError> {
        self.0.get().ok_or(ObjectsError::Bug("a bucket key that was got is not there"))
    }
}

impl Objects {
    /// Wipes bucket keys whose time is over. Meant to be called every few seconds.
    pub fn forget_bucket_keys(&self) {
        self.bucket_keys.forget();
    }

    /// The key for what this requester writes into the bucket.
    ///
    /// # Errors
    /// The key service refuses or fails.
    pub(super) async fn bucket_key_for_writing(
        &self,
        call: &Call,
        bucket: &Bucket,
        key: &str,
        context: &BTreeMap<String, String>,
    ) -> Result<InUse, ObjectsError> {
        let holding = Holding::of(&call.caller, bucket.into(), Purpose::Writing { key }, context)?;
        let place = self.bucket_keys.of(holding);
        let ask = || async {
            let made = self.data_keys.generate(call, key, purpose(bucket, context)).await;
            let DataKey { plaintext, ciphertext, key_arn } = made.map_err(refused_by_kms)?;
            let ciphertext = STANDARD.encode_to_string(ciphertext);
            Ok::<_, ObjectsError>(BucketKey {
                sealing: SealingKey::from_secret(plaintext),
                ciphertext,
                key_arn,
            })
        };
        place.get_or_try_init(ask).await?;
        Ok(InUse(place))
    }

    /// The key of an object that is there, for this requester.
    ///
    /// # Errors
    /// The key service refuses or fails, or what is stored is no key.
    pub(super) async fn bucket_key_for_reading(
        &self,
        call: &Call,
        bucket: &Bucket,
        (key_arn, ciphertext): (&str, &str),
        context: &BTreeMap<String, String>,
    ) -> Result<InUse, ObjectsError> {
        let holding =
            Holding::of(&call.caller, bucket.into(), Purpose::Reading { key_arn, ciphertext }, context)?;
        let place = self.bucket_keys.of(holding);
        let ask = || async {
            let sealing = self.open_data_key(call, bucket, (key_arn, ciphertext), context).await?;
            let (ciphertext, key_arn) = (ciphertext.to_owned(), key_arn.to_owned());
            Ok::<_, ObjectsError>(BucketKey { sealing, ciphertext, key_arn })
        };
        place.get_or_try_init(ask).await?;
        Ok(InUse(place))
    }
}

#[cfg(test)]
mod tests {
    use base::{Principal, SecretArray};
    use testkit::FrozenClock;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn caller(name: &str, access_key_id: &str) -> Caller {
        let unique_id = "AROAEXAMPLE".to_owned();
        let principal = Principal::RoleSession {
            path_and_name: "app".to_owned(),
            unique_id,
            session_name: name.to_owned(),
        };
        let account: AccountId = "111122223333".parse().unwrap();
        Caller { account, principal, access_key_id: access_key_id.to_owned(), session: None }
    }

    fn bucket(name: &str) -> Whose<'_> {
        Whose { name, owner: "111122223333".parse().unwrap(), region: "eu-central-1" }
    }

    fn keys(lifetime_seconds: u32) -> (Arc<FrozenClock>, BucketKeys) {
        let clock = Arc::new(FrozenClock::at(NOON));
        (Arc::clone(&clock), BucketKeys::new(clock, lifetime_seconds))
    }

    fn fill(place: &OnceCell<BucketKey>) {
        let sealing = SealingKey::from_secret(SecretArray::zeroed());
        let key = BucketKey { sealing, ciphertext: String::new(), key_arn: String::new() };
        assert!(place.set(key).is_ok());
    }

    fn holding(number: usize) -> Holding {
        Holding(sha256(&number.to_be_bytes()))
    }

    #[test]
    fn each_requester_bucket_key_and_context_has_a_place_of_its_own() {
        let context = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let writing = Purpose::Writing { key: "k" };
        let all = [
            (caller("s", "ASIA1"), bucket("bucket-1"), writing, BTreeMap::new()),
            (caller("s", "ASIA2"), bucket("bucket-1"), writing, BTreeMap::new()),
            (caller("t", "ASIA1"), bucket("bucket-1"), writing, BTreeMap::new()),
            (caller("s", "ASIA1"), bucket("bucket-2"), writing, BTreeMap::new()),
            (caller("s", "ASIA1"), bucket("bucket-1"), Purpose::Writing { key: "l" }, BTreeMap::new()),
            (caller("s", "ASIA1"), bucket("bucket-1"), writing, context),
            (
                caller("s", "ASIA1"),
                bucket("bucket-1"),
                Purpose::Reading { key_arn: "k", ciphertext: "" },
                BTreeMap::new(),
            ),
        ];
        let of = |(caller, bucket, purpose, context): &(Caller, Whose<'_>, Purpose<'_>, _)| {
            Holding::of(caller, *bucket, *purpose, context).unwrap().0
        };
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(of(one) == of(other), at == other_at);
            }
        }
    }

    #[test]
    fn a_key_stays_for_its_time_and_is_then_wiped() {
        let (clock, keys) = keys(300);
        let place = keys.of(holding(1));
        fill(&place);
        clock.set(NOON.plus_millis(299_999));
        keys.forget();
        assert!(keys.of(holding(1)).get().is_some() && keys.of(holding(2)).get().is_none());
        // Being used makes no key live longer.
        clock.set(NOON.plus_millis(300_000));
        keys.forget();
        assert!(Arc::strong_count(&place) == 1 && keys.held().len() == 1);
        assert!(keys.of(holding(1)).get().is_none());
    }

    #[test]
    fn a_clock_that_is_set_back_ends_all_keys() {
        let (clock, keys) = keys(300);
        fill(&keys.of(holding(1)));
        clock.set(NOON.plus_millis(-1));
        assert!(keys.of(holding(1)).get().is_none());
    }

    #[test]
    fn the_oldest_keys_make_room() {
        let (clock, keys) = keys(3_600);
        for number in 0..=KEYS_MAX {
            clock.set(NOON.plus_millis(i64::try_from(number).unwrap()));
            fill(&keys.of(holding(number)));
        }
        assert_eq!(keys.held().len(), KEYS_MAX);
        assert!(keys.of(holding(1)).get().is_some());
        assert!(keys.of(holding(0)).get().is_none());
    }
}
