//! A service over a real store that counts reads and can refuse commits.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use audit::log::{Log, LogSettings};
use audit::{NoReasons, Trail};
use base::{AccountId, SecretString, Timestamp};
use crypto::digest::{hmac_sha256, sha256};
use crypto::root::{Protection, RootFile};
use identity::{Credential, Identity, KeySetSource, KeySetUnavailable, NewUser, UserName};
use keyring::DomainKeys;
use store::redb_engine::RedbStore;
use store::{
    CommitError, Entry, Key, Observer, OutboxEntry, OutboxPosition, Page, Range, Revision, Store, StoreError,
    Transaction,
};
use testkit::{FrozenClock, SeededRandomness};
use wire::sigv4::{RequestHead, SigningKey};

pub(crate) struct Scene {
    pub(crate) store: Arc<Watched>,
    pub(crate) clock: Arc<FrozenClock>,
    folder: tempfile::TempDir,
    seed: AtomicU64,
}

/// No identity provider can be asked.
struct NoKeySets;

#[async_trait]
impl KeySetSource for NoKeySets {
    async fn key_set(&self, issuer: &str) -> Result<Vec<u8>, KeySetUnavailable> {
        Err(KeySetUnavailable { issuer: issuer.to_owned(), reason: "there is none".to_owned() })
    }
}

pub(crate) struct Watched {
    store: RedbStore,
    reads: AtomicUsize,
    refused: Mutex<String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let store = Watched {
            store: RedbStore::in_memory().unwrap(),
            reads: AtomicUsize::new(0),
            refused: Mutex::new("nothing".to_owned()),
        };
        let clock = Arc::new(FrozenClock::at(Timestamp::from_seconds(1_537_465_261)));
        let folder = tempfile::tempdir().unwrap();
        Self { store: Arc::new(store), clock, folder, seed: AtomicU64::new(1) }
    }

    /// The service after a start: nothing is in its memory.
    pub(crate) fn identity(&self) -> Identity {
        let randomness = || Arc::new(SeededRandomness::new(self.seed.fetch_add(1, Ordering::SeqCst)));
        let path = self.folder.path().join("root");
        if !path.exists() {
            RootFile::create(&path, Protection::Plain, &*randomness()).ok().unwrap();
        }
        let root = RootFile::open(&path).ok().unwrap().unlock(None).ok().unwrap();
        let domain_keys = Arc::new(DomainKeys::new(self.store.clone(), root, randomness()));
        let (clock, key_sets) = (Arc::clone(&self.clock), Arc::new(NoKeySets));
        // A log of its own each time: the process before has not ended.
        let log = self.folder.path().join(format!("log-{}", self.seed.load(Ordering::SeqCst)));
        let log = Log::open(&log, LogSettings::default()).unwrap();
        let trail = Trail::new(log, self.store.clone(), randomness(), Arc::new(NoReasons));
        Identity::new(self.store.clone(), domain_keys, clock, randomness(), key_sets, Arc::new(trail))
    }
}

impl Watched {
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Every commit that writes this key fails, as on a full disk.
    pub(crate) fn fail_commits_of(&self, key: &str) {
        *self.refused.lock().unwrap() = format!("\"{key}\"");
    }
}

#[async_trait]
impl Store for Watched {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.get(key).await
    }

    async fn range(&self, range: Range) -> Result<Page, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.range(range).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        if format!("{transaction:?}").contains(&*self.refused.lock().unwrap()) {
            return Err(StoreError::Full.into());
        }
        self.store.commit(transaction).await
    }

    async fn outbox(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.store.outbox(limit).await
    }

    async fn remove_from_outbox(&self, through: OutboxPosition) -> Result<(), StoreError> {
        self.store.remove_from_outbox(through).await
    }

    fn observe(&self, observer: Weak<dyn Observer>) {
        self.store.observe(observer);
    }
}

pub(crate) fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

pub(crate) fn new_user(name: &str, path: &str) -> NewUser {
    NewUser { name: user(name), path: path.parse().unwrap(), managed_policies: Vec::new() }
}

/// Whether the credential checks what was signed with this secret.
pub(crate) fn signs_like(credential: &Credential, secret: &str) -> bool {
    verifies(&credential.signing_key("20180920", "eu-central-1", "kms"), secret)
}

/// Whether this signing key is the one of the secret for 2018-09-20, eu-central-1 and kms. The request is signed here
/// step by step as AWS's reference has it.
pub(crate) fn verifies(key: &SigningKey, secret: &str) -> bool {
    const DATE: &str = "20180920T174101Z";
    const SCOPE: &str = "20180920/eu-central-1/kms/aws4_request";
    let canonical = format!(
        "GET\n/\n\nhost:localhost\nx-amz-date:{DATE}\n\nhost;x-amz-date\n{}",
        hexadecimal(&sha256(b""))
    );
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{}", hexadecimal(&sha256(canonical.as_bytes())));
    let mut key_bytes = format!("AWS4{secret}").into_bytes();
    for part in SCOPE.split('/') {
        key_bytes = hmac_sha256(&key_bytes, part.as_bytes()).to_vec();
    }
    let signature = hexadecimal(&hmac_sha256(&key_bytes, to_sign.as_bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{SCOPE}, SignedHeaders=host;x-amz-date, \
         Signature={signature}"
    );
    let headers = [
        ("authorization", authorization.as_bytes()),
        ("host", &b"localhost"[..]),
        ("x-amz-date", DATE.as_bytes()),
    ];
    let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
    let request = wire::sigv4::parse(&head).ok().unwrap();
    request.verify(&head, b"", key).is_ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
