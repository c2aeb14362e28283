//! Request quotas: how many requests an account may make in a second, in each Region. Off unless the operator says so.
//!
//! Each quota of an account and Region is a bucket of tokens that holds one second's rate and fills up at that rate, by
//! the time of the calls. An operation with a quota of its own is counted before anything else; one that shares a quota
//! by the kind of its key, once the key is known and permitted and before any cryptographic work, so that a refusal says
//! nothing about keys that are out of reach. Calls count for the account that makes them.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html>

mod table;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{AccountId, Call, Region, Timestamp};
use wire::kms::{DataKeyPairSpec, KeySpec};

use crate::error::KmsError;
use table::{BY_KEY, Counted, Rate};
pub use table::{REQUEST_QUOTAS, RequestQuota};

/// Locks: accounts rarely wait for each other.
const STRIPES: usize = 64;

/// Buckets behind one lock. Beyond it, the fullest one is forgotten: it restrains least.
const BUCKETS_PER_STRIPE: usize = 1_024;

/// By how much a request may seem to be earlier than one that was counted before it.
const OVERTAKEN_MILLIS_MAX: i64 = 60_000;

/// One request, in parts: at a rate of one request in 1,000 seconds a millisecond brings one.
const REQUEST: u64 = 1_000_000;

/// What the operator sets: AWS's rates, and others in their place. The default is AWS's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRates([Option<u64>; REQUEST_QUOTAS.len()]);

/// There is no request quota of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no request quota of this name")]
pub struct UnknownRequestQuota;

impl Default for RequestRates {
    fn default() -> Self {
        Self([None; REQUEST_QUOTAS.len()])
    }
}

impl RequestRates {
    /// Sets a quota, by its name as a setting, in every Region; without a rate it is AWS's again.
    ///
    /// # Errors
    /// There is no such quota.
    pub fn set(&mut self, setting: &str, per_second: Option<u64>) -> Result<(), UnknownRequestQuota> {
        let known = REQUEST_QUOTAS.iter().zip(&mut self.0).find(|(quota, _)| quota.setting() == setting);
        let (_, rate) = known.ok_or(UnknownRequestQuota)?;
        *rate = per_second;
        Ok(())
    }
}

/// The buckets of all accounts.
pub(crate) struct RequestQuotas {
    quotas: HashMap<Counted, Quota>,
    operations: HashMap<&'static str, Counted>,
    stripes: Vec<Mutex<HashMap<Place, Bucket>>>,
    hasher: RandomState,
}

/// A quota in force.
struct Quota {
    default: &'static RequestQuota,
    per_second: Option<u64>,
}

/// Whose bucket it is.
type Place = (AccountId, Region, Counted);

/// The parts of requests that may still be made, as of a moment.
struct Bucket {
    parts: u64,
    at: Timestamp,
    rate: Rate,
}

impl Bucket {
    fn full(rate: Rate, at: Timestamp) -> Self {
        Self { parts: Self::capacity(rate), at, rate }
    }

    /// One second's requests, and at least one.
    fn capacity(Rate(rate): Rate) -> u64 {
        rate.saturating_mul(1_000).max(REQUEST)
    }

    fn fill(&mut self, now: Timestamp) {
        let elapsed = u64::try_from(now.millis().saturating_sub(self.at.millis())).unwrap_or(0);
        let filled = self.parts.saturating_add(elapsed.saturating_mul(self.rate.0));
        self.parts = filled.min(Self::capacity(self.rate));
        // Requests overtake one another, which fills nothing. A clock that was set back is followed, or nothing would be filled
        // until it is where it was.
        let is_set_back = now < self.at.plus_millis(-OVERTAKEN_MILLIS_MAX);
        self.at = if is_set_back { now } else { self.at.max(now) };
    }

    fn is_full(&self) -> bool {
        self.parts >= Self::capacity(self.rate)
    }

    fn take(&mut self, now: Timestamp) -> bool {
        self.fill(now);
        match self.parts.checked_sub(REQUEST) {
            Some(rest) => {
                self.parts = rest;
                true
            }
            None => false,
        }
    }
}

impl RequestQuotas {
    pub(crate) fn new(rates: RequestRates) -> Self {
        let quotas = REQUEST_QUOTAS.iter().zip(rates.0);
        let quotas = quotas.map(|(default, per_second)| (default.counts, Quota { default, per_second }));
        let own = REQUEST_QUOTAS.iter().filter_map(|quota| match quota.counts {
            Counted::Operation(name) => Some((name, quota.counts)),
            Counted::Symmetric
            | Counted::Rsa
            | Counted::MlDsa
            | Counted::EllipticCurve
            | Counted::DataKeyPair(_) => None,
        });
        Self {
            quotas: quotas.collect(),
            operations: own.chain([("GenerateRandom", Counted::Symmetric)]).collect(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Counts an operation whose quota does not depend on its key.
    pub(crate) fn count_operation(&self, call: &Call, operation: &str) -> Result<(), KmsError> {
        match self.operations.get(operation) {
            Some(counted) => self.count(call, *counted),
            None => Ok(()),
        }
    }

    /// Counts an action on a key, if the key decides which quota it is.
    pub(crate) fn count_use(&self, call: &Call, action: &str, spec: KeySpec) -> Result<(), KmsError> {
        match Counted::of_key(spec) {
            Some(counted) if BY_KEY.contains(&action) => self.count(call, counted),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a data key pair. AWS has no quota for those of ML-KEM.
    pub(crate) fn count_pair(&self, call: &Call, spec: DataKeyPairSpec) -> Result<(), KmsError> {
        self.count(call, Counted::DataKeyPair(spec))
    }

    fn count(&self, call: &Call, counted: Counted) -> Result<(), KmsError> {
        let Some(quota) = self.quotas.get(&counted) else { return Ok(()) };
        let place = (call.caller.account, call.region, counted);
        let Some(mut buckets) = self.stripe(&place) else { return Ok(()) };
        if !buckets.contains_key(&place) {
            make_room(&mut buckets, call.time);
        }
        let rate =
            || quota.per_second.map_or_else(|| quota.default.default_in(&call.region), Rate::per_second);
        let bucket = buckets.entry(place).or_insert_with(|| Bucket::full(rate(), call.time));
        if bucket.take(call.time) { Ok(()) } else { Err(KmsError::Throttled) }
    }

    /// Always there, for the index is below the number of stripes.
    fn stripe(&self, place: &Place) -> Option<MutexGuard<'_, HashMap<Place, Bucket>>> {
        let stripes = u64::try_from(self.stripes.len()).ok()?;
        let index = usize::try_from(self.hasher.hash_one(place).checked_rem(stripes)?).ok()?;
        Some(self.stripes.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A bucket that is full again says nothing; if all say something, the fullest one goes.
fn make_room(buckets: &mut HashMap<Place, Bucket>, now: Timestamp) {
    if buckets.len() < BUCKETS_PER_STRIPE {
        return;
    }
    buckets.retain(|_, bucket| {
        bucket.fill(now);
        !bucket.is_full()
    });
    if buckets.len() < BUCKETS_PER_STRIPE {
        return;
    }
    let fullest = buckets.iter().max_by_key(|(_, bucket)| bucket.parts).map(|(place, _)| *place);
    if let Some(fullest) = fullest {
        buckets.remove(&fullest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;
    use proptest::prelude::*;

    const MOMENT: i64 = 1_700_000_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(MOMENT + millis)
    }

    fn of(account: u64) -> Call {
        call(&format!("{account:012}"), "eu-central-1")
    }

    /// How many of `tries` requests at one moment are taken.
    fn taken(bucket: &mut Bucket, now: Timestamp, tries: usize) -> usize {
        (0..tries).filter(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_bucket_gives_one_seconds_rate_at_once_and_then_the_rate() {
        let mut bucket = Bucket::full(Rate::per_second(5), at(0));
        assert_eq!(taken(&mut bucket, at(0), 10), 5);
        assert_eq!(taken(&mut bucket, at(199), 10), 0);
        assert_eq!(taken(&mut bucket, at(200), 10), 1);
        assert_eq!(taken(&mut bucket, at(60_000), 10), 5, "what is not used in a second is gone");
    }

    #[test]
    fn a_rate_below_one_a_second_gives_one_request_and_waits_for_the_next() {
        let mut bucket = Bucket::full(Rate(100), at(0));
        assert_eq!(taken(&mut bucket, at(0), 3), 1);
        assert_eq!(taken(&mut bucket, at(9_999), 3), 0);
        assert_eq!(taken(&mut bucket, at(10_000), 3), 1);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::full(Rate::per_second(1), at(0));
        assert_eq!(taken(&mut bucket, at(0), 2), 1);
        assert_eq!(taken(&mut bucket, at(-5_000), 2), 0);
        assert_eq!(taken(&mut bucket, at(0), 2), 0);
        assert_eq!(taken(&mut bucket, at(1_000), 2), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_by_more_gives_nothing_and_the_rate_from_then_on() {
        let mut bucket = Bucket::full(Rate::per_second(1), at(0));
        assert_eq!(taken(&mut bucket, at(0), 2), 1);
        assert_eq!(taken(&mut bucket, at(-60_001), 2), 0);
        assert_eq!(taken(&mut bucket, at(-59_002), 2), 0);
        assert_eq!(taken(&mut bucket, at(-59_001), 2), 1);
    }

    proptest! {
        /// In any time at all, no more requests are taken than the burst and the rate allow.
        #[test]
        fn no_more_is_taken_than_the_rate_allows(
            rate in 1_u64..200_000, gaps in proptest::collection::vec(0_i64..3_000, 1..40),
        ) {
            let mut bucket = Bucket::full(Rate(rate), at(0));
            let (mut now, mut total) = (0, 0);
            for gap in gaps {
                now += gap;
                total += taken(&mut bucket, at(now), 50);
            }
            let parts = Bucket::capacity(Rate(rate)) + u64::try_from(now).unwrap() * rate;
            prop_assert!(u64::try_from(total).unwrap() * REQUEST <= parts);
        }
    }

    #[test]
    fn buckets_are_bounded_and_idle_ones_go_first() {
        let mut buckets = HashMap::new();
        let place = |number: u64| (AccountId::from_number(number).unwrap(), of(1).region, Counted::Symmetric);
        for number in 0..1_024 {
            let mut bucket = Bucket::full(Rate::per_second(10), at(0));
            // All but one are in use; that of account 7 hardly.
            let used = match number {
                3 => 0,
                7 => 1,
                _ => 2,
            };
            assert_eq!(taken(&mut bucket, at(0), used), used);
            buckets.insert(place(number), bucket);
        }
        make_room(&mut buckets, at(0));
        assert!(buckets.len() == 1_023 && !buckets.contains_key(&place(3)), "a full one says nothing");
        buckets.insert(place(5_000), Bucket { parts: 0, ..Bucket::full(Rate::per_second(10), at(0)) });
        make_room(&mut buckets, at(0));
        assert!(buckets.len() == 1_023 && !buckets.contains_key(&place(7)), "then the fullest one");
        buckets.insert(place(5_001), Bucket { parts: 0, ..Bucket::full(Rate::per_second(10), at(0)) });
        make_room(&mut buckets, at(1_000));
        assert!(buckets.is_empty(), "after a second all are full");
    }

    #[test]
    fn many_accounts_do_not_grow_the_memory_without_bound() {
        let quotas = RequestQuotas::new(RequestRates::default());
        for account in 0..70_000 {
            quotas.count_operation(&of(account), "CreateKey").unwrap();
        }
        let held: usize = quotas.stripes.iter().map(|stripe| stripe.lock().unwrap().len()).sum();
        assert!(held <= STRIPES * BUCKETS_PER_STRIPE, "{held}");
    }

    #[test]
    fn a_rate_that_is_set_replaces_that_of_aws_and_other_names_are_refused() {
        let mut rates = RequestRates::default();
        rates.set("create_key", Some(2)).unwrap();
        assert_eq!(rates.set("create_keys", Some(2)), Err(UnknownRequestQuota));
        let quotas = RequestQuotas::new(rates);
        let made = |operation| (0..20).filter(|_| quotas.count_operation(&of(1), operation).is_ok()).count();
        assert_eq!(made("CreateKey"), 2);
        assert_eq!(made("CreateAlias"), 5);
        assert_eq!(made("Encapsulate"), 20);
        let pairs = (0..20).filter(|_| quotas.count_pair(&of(1), DataKeyPairSpec::Rsa3072).is_ok()).count();
        assert_eq!(pairs, 4);
        let kem = (0..20).filter(|_| quotas.count_pair(&of(1), DataKeyPairSpec::MlKem512).is_ok()).count();
        assert_eq!(kem, 20);
    }
}
