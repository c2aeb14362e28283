//! The KMS operations, one file each, and what they share: finding keys, the authorization gate, changing records by
//! compare-and-swap, key material, due work.

mod alias;
mod authorize;
mod census;
mod change;
mod circumstances;
mod cryptographic_operation;
mod decision;
mod dependents;
mod due;
mod error;
mod facts;
mod grant;
mod import;
mod import_token;
mod key_access;
mod key_names;
mod key_policy;
mod keys;
mod kind;
mod managed_key;
mod materials;
mod metadata;
mod multi_region;
mod ops;
mod paging;
mod paths;
mod pool;
mod principal;
mod quota;
mod recipient;
mod record;
mod reference;
mod replication;
mod request_quota;
mod retirement;
mod rotation;
mod seeding;
mod table;
mod tags;
#[cfg(test)]
mod testing;
mod trail;
mod turns;
mod usage;

use std::ops::RangeInclusive;
use std::sync::Arc;

use audit::Trail;
use base::{Randomness, Region};
use crypto::AttestationRoots;
use keyring::DomainKeys;
use policy::{Guardrails, Unwitnessed, Witness};
use store::Store;
use tokio::runtime::Handle;
use wire::json::Limits;

pub use census::KeyCensus;
pub use dependents::{Dependents, DependentsUnavailable, KeyDependents};
pub use due::DueTurn;
pub use error::{AccessDenied, KmsError};
pub use key_access::{ActionAccess, Grantees, KeyOutline, Whom};
pub use key_names::KeyNames;
pub use keys::CacheSizes;
pub use managed_key::ManagedService;
pub use principal::{CallerRights, KnownPrincipal, Principals, PrincipalsUnavailable};
pub use request_quota::{REQUEST_QUOTAS, RequestQuota, RequestRates, UnknownRequestQuota};
pub use seeding::{SeedAlias, SeedKey, Seeded};
pub use table::{Operation, Refused};

use grant::GrantTokens;
use keys::Keys;
use materials::Materials;
use pool::Pool;
use quota::CountShards;
use recipient::Recipients;
use request_quota::RequestQuotas;
use turns::Turns;
use usage::Usage;

/// The key management service.
pub struct Kms {
    store: Arc<dyn Store>,
    domain_keys: Arc<DomainKeys>,
    randomness: Arc<dyn Randomness>,
    keys: Arc<Keys>,
    materials: Arc<Materials>,
    principals: Arc<dyn Principals>,
    dependents: Arc<dyn KeyDependents>,
    trail: Arc<Trail>,
    recipients: Recipients,
    grant_tokens: GrantTokens,
    turns: Turns,
    count_shards: CountShards,
    pool: Pool,
    usage: Arc<Usage>,
    request_quotas: Option<Arc<RequestQuotas>>,
    guardrails: Arc<Guardrails>,
    witness: Arc<dyn Witness>,
    settings: Settings,
}

/// What one commit can delete with a key.
pub const ALIASES_PER_KEY_MAX: u32 = 50;

/// The longest text that Encrypt can be made to take, in bytes: what the ciphertext format holds.
pub const ENCRYPT_PLAINTEXT_MAX: usize = crypto::PLAINTEXT_MAX;

/// The deletion windows that ScheduleKeyDeletion takes, in days.
pub const DELETION_WINDOW_DAYS: RangeInclusive<i32> = 7..=30;

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Regions in which keys can be replicated; empty means any well-formed name.
    pub regions: Vec<Region>,
    /// Customer managed keys per account and Region. AWS's default is 100,000.
    pub keys_per_region_max: u64,
    /// Aliases per key. AWS's default is 50, which is also the most: one commit deletes them all with the key.
    pub aliases_per_key_max: u32,
    /// Grants per key. AWS's default is 50,000.
    pub grants_per_key_max: u32,
    /// Bytes that Encrypt takes, up to [`ENCRYPT_PLAINTEXT_MAX`]; Decrypt and ReEncrypt take what it made. AWS's limit
    /// is 4,096, and less changes nothing. Other operations keep AWS's limits.
    pub encrypt_plaintext_max: usize,
    /// Days that a key waits for its deletion if the request does not say, within [`DELETION_WINDOW_DAYS`]. AWS's
    /// default is 30.
    pub deletion_window_days: i32,
    /// How many requests an account may make in a second; no quotas if absent.
    pub request_rates: Option<RequestRates>,
    /// Versions of material that a key keeps, the current one among them; none means all, as on AWS. What was encrypted
    /// under a version that is gone cannot be decrypted any more.
    pub retained_materials: Option<u32>,
    /// How much is kept in memory.
    pub caches: CacheSizes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            keys_per_region_max: 100_000,
            aliases_per_key_max: 50,
            grants_per_key_max: 50_000,
            encrypt_plaintext_max: 4_096,
            deletion_window_days: 30,
            retained_materials: None,
            request_rates: None,
            caches: CacheSizes::default(),
        }
    }
}

impl Settings {
    fn serves(&self, region: Region) -> bool {
        self.regions.is_empty() || self.regions.contains(&region)
    }

    /// The longest ciphertext that Decrypt and ReEncrypt must take, in bytes.
    pub fn ciphertext_max(&self) -> usize {
        self.encrypt_plaintext_max.saturating_add(crypto::CIPHERTEXT_OVERHEAD)
    }

    fn limits(&self) -> Limits {
        Limits { plaintext: self.encrypt_plaintext_max, ciphertext: self.ciphertext_max() }
    }

    /// What cannot be held is brought to what can.
    fn within_bounds(self) -> Self {
        Self {
            aliases_per_key_max: self.aliases_per_key_max.min(ALIASES_PER_KEY_MAX),
            encrypt_plaintext_max: self.encrypt_plaintext_max.min(ENCRYPT_PLAINTEXT_MAX),
            deletion_window_days: self
                .deletion_window_days
                .clamp(*DELETION_WINDOW_DAYS.start(), *DELETION_WINDOW_DAYS.end()),
            ..self
        }
    }
}

impl Kms {
    /// The service over a store, with domain keys to seal under, a way to learn who exists, and the trail that is told of
    /// every call.
    pub fn new(
        store: Arc<dyn Store>,
        domain_keys: Arc<DomainKeys>,
        randomness: Arc<dyn Randomness>,
        principals: Arc<dyn Principals>,
        trail: Arc<Trail>,
        settings: Settings,
    ) -> Self {
        let pool = Pool::new();
        let usage = Arc::new(Usage::new(settings.caches.unwritten_uses));
        let request_quotas = settings.request_rates.map(|rates| Arc::new(RequestQuotas::new(rates)));
        Self {
            keys: Keys::new(Arc::clone(&store), Arc::clone(&usage), settings.caches),
            grant_tokens: GrantTokens::new(Arc::clone(&domain_keys)),
            materials: Materials::new(
                Arc::clone(&store),
                Arc::clone(&domain_keys),
                Arc::clone(&randomness),
                pool.clone(),
                settings.caches.materials,
            ),
            recipients: Recipients::new(AttestationRoots::default(), pool.clone()),
            pool,
            turns: Turns::new(),
            count_shards: CountShards::new(Arc::clone(&store), settings.keys_per_region_max),
            usage,
            request_quotas,
            guardrails: Arc::default(),
            witness: Arc::new(Unwitnessed),
            principals,
            dependents: Arc::new(dependents::NoDependents),
            trail,
            store,
            domain_keys,
            randomness,
            settings: settings.within_bounds(),
        }
    }

    /// The same service, whose accounts are in an organisation.
    #[must_use]
    pub fn in_organization(self, guardrails: Arc<Guardrails>) -> Self {
        Self { guardrails, ..self }
    }

    /// The same service, which tells a witness of its decisions.
    #[must_use]
    pub fn witnessed_by(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness, ..self }
    }

    /// The same service, which tells what depends on a key that is to be deleted.
    #[must_use]
    pub fn knowing_dependents(self, dependents: Arc<dyn KeyDependents>) -> Self {
        Self { dependents, ..self }
    }

    /// From now on, key pairs are made on the blocking threads of this runtime; the first call counts. A pair of RSA takes up
    /// to seconds of a processor: threads of low priority let everybody else go first.
    pub fn generate_key_pairs_on(&self, runtime: Handle) {
        self.pool.generate_on(runtime);
    }

    /// The same service, which believes attestation documents under these roots. Without any it believes none, and
    /// refuses every Recipient.
    #[must_use]
    pub fn with_attestation_roots(self, roots: AttestationRoots) -> Self {
        Self { recipients: self.recipients.trusting(roots), ..self }
    }
}
