//! A key service over a store in a temporary folder, called as the pipeline calls it: with JSON.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit::log::{Durability, Log, LogLine, LogSettings, segments};
use audit::{NoReasons, Trail};
use base::{Call, Caller, EventId, EventNotes, Principal, RequestId, SecretString, Timestamp};
use crypto::AttestationRoots;
use crypto::root::{Protection, RootFile};
use keyring::DomainKeys;
use kms::{Kms, Settings};
use serde_json::{Value, json};
use store::redb_engine::RedbStore;
use store::{Range, Store};
use tempfile::TempDir;
use testkit::SeededRandomness;

use crate::people::{People, unique_id};
use crate::watched_store::WatchedStore;

pub(crate) const DAY: i64 = 86_400;
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const OTHER_ACCOUNT: &str = "210987654321";

pub(crate) struct Bench {
    pub(crate) kms: Arc<Kms>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) watch: Arc<WatchedStore>,
    pub(crate) people: Arc<People>,
    domain_keys: Arc<DomainKeys>,
    randomness: Arc<SeededRandomness>,
    trail: Arc<Trail>,
    _folder: TempDir,
}

/// What a call answered: the body of a success, or code and text of a refusal.
pub(crate) type Answer = Result<Value, (String, Option<String>)>;

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::build(settings, AttestationRoots::default())
    }

    /// A service that believes attestation documents under these roots.
    pub(crate) fn trusting(roots: AttestationRoots) -> Self {
        Self::build(Settings::default(), roots)
    }

    fn build(settings: Settings, roots: AttestationRoots) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(&folder.path().join("store")).unwrap();
        Self::over(store, folder, settings, roots)
    }

    /// For tests with many commits, which cost next to nothing in memory.
    pub(crate) fn in_memory() -> Self {
        let (store, folder) = (RedbStore::in_memory().unwrap(), tempfile::tempdir().unwrap());
        Self::over(store, folder, Settings::default(), AttestationRoots::default())
    }

    fn over(store: RedbStore, folder: TempDir, settings: Settings, roots: AttestationRoots) -> Self {
        let randomness = Arc::new(SeededRandomness::new(1));
        let passphrase: Option<&SecretString> = None;
        let path = folder.path().join("root.json");
        let root = RootFile::create(&path, Protection::Plain, randomness.as_ref())
            .unwrap()
            .unlock(passphrase)
            .unwrap();
        let watch = Arc::new(WatchedStore::new(Arc::new(store)));
        let store: Arc<dyn Store> = Arc::<WatchedStore>::clone(&watch);
        let domain_keys = Arc::new(DomainKeys::new(Arc::clone(&store), root, randomness.clone()));
        let people = Arc::new(People::new());
        let trail = trail(&folder.path().join("log"), &store, &randomness);
        let kms = service(&store, &domain_keys, &randomness, &people, &trail, settings, roots);
        Self { trail, kms, store, watch, people, domain_keys, randomness, _folder: folder }
    }

    /// The events in the log, in order.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let log = self.trail.log();
        log.sync().await.unwrap();
        let (mut events, mut line) = (Vec::new(), Vec::new());
        for segment in segments(log.folder()).unwrap() {
            let mut lines = segment.lines(0).unwrap();
            while lines.read(&mut line).unwrap() {
                let read: LogLine = serde_json::from_slice(&line).unwrap();
                events.push(serde_json::from_str(read.event.get()).unwrap());
            }
        }
        events
    }

    /// The service anew over the same store, with nothing in memory.
    pub(crate) fn restart(&mut self) {
        self.restart_with(Settings::default());
    }

    /// The same, with other settings.
    pub(crate) fn restart_with(&mut self, settings: Settings) {
        let roots = AttestationRoots::default();
        self.kms = service(
            &self.store,
            &self.domain_keys,
            &self.randomness,
            &self.people,
            &self.trail,
            settings,
            roots,
        );
    }

    /// Calls as the administrator of [`ACCOUNT`] in eu-central-1, `at` seconds after the beginning.
    pub(crate) async fn call(&self, at: i64, operation: &str, body: Value) -> Answer {
        self.call_as(ACCOUNT, at, operation, body).await
    }

    /// Calls as the administrator of [`ACCOUNT`] in another Region.
    pub(crate) async fn call_in(&self, region: &str, at: i64, operation: &str, body: Value) -> Answer {
        let call = Call { region: region.parse().unwrap(), ..facts(ACCOUNT, "admin", at) };
        self.answer(call, operation, body).await
    }

    pub(crate) async fn call_as(&self, account: &str, at: i64, operation: &str, body: Value) -> Answer {
        self.call_as_user(account, "admin", at, operation, body).await
    }

    pub(crate) async fn call_as_user(
        &self,
        account: &str,
        user: &str,
        at: i64,
        operation: &str,
        body: Value,
    ) -> Answer {
        self.answer(facts(account, user, at), operation, body).await
    }

    /// Calls as whoever is given, of [`ACCOUNT`].
    pub(crate) async fn call_by(&self, principal: Principal, operation: &str, body: Value) -> Answer {
        let call = facts(ACCOUNT, "admin", 0);
        let caller = Caller { principal, ..(*call.caller).clone() };
        self.answer(Call { caller: Arc::new(caller), ..call }, operation, body).await
    }

    pub(crate) async fn answer(&self, call: Call, operation: &str, body: Value) -> Answer {
        let operation = Kms::operation(operation).unwrap();
        let bytes = serde_json::to_vec(&body).unwrap();
        match self.kms.call(operation, &call, &bytes).await {
            Ok(body) if body.is_empty() => Ok(Value::Null),
            Ok(body) => Ok(serde_json::from_slice(&body).unwrap()),
            Err(refused) => {
                let fault = refused.to_fault();
                assert!(fault.status < 500, "{refused:?}");
                Err((fault.code.to_owned(), fault.message))
            }
        }
    }

    /// A new key's id.
    pub(crate) async fn create_key(&self) -> String {
        let answer = self.call(0, "CreateKey", json!({})).await.unwrap();
        answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn encrypt(&self, at: i64, key: &str) -> Value {
        let answer = self.call(at, "Encrypt", json!({"KeyId": key, "Plaintext": "c2VjcmV0"})).await.unwrap();
        answer["CiphertextBlob"].clone()
    }

    pub(crate) async fn decrypts(&self, at: i64, blob: &Value) -> bool {
        self.call(at, "Decrypt", json!({"CiphertextBlob": blob}))
            .await
            .is_ok_and(|answer| answer["Plaintext"] == "c2VjcmV0")
    }

    pub(crate) async fn run_due(&self, at: i64) -> usize {
        let turn = self.kms.run_due(moment(at)).await.unwrap();
        assert_eq!(turn.failed, 0);
        turn.done
    }

    pub(crate) async fn state(&self, key: &str) -> Value {
        self.call(0, "DescribeKey", json!({"KeyId": key})).await.unwrap()["KeyMetadata"]["KeyState"].clone()
    }

    /// The paths below a prefix.
    pub(crate) async fn paths(&self, prefix: &str) -> Vec<String> {
        let page = self.store.range(Range::prefix(prefix).limit(1_000)).await.unwrap();
        page.entries.iter().map(|entry| entry.key.to_string()).collect()
    }
}

/// A trail whose log does not wait for the disk.
fn trail(folder: &Path, store: &Arc<dyn Store>, randomness: &Arc<SeededRandomness>) -> Arc<Trail> {
    let durability = Durability::Interval(Duration::from_secs(3_600));
    let log = Log::open(folder, LogSettings { durability, ..LogSettings::default() }).unwrap();
    let randomness: Arc<SeededRandomness> = Arc::clone(randomness);
    Arc::new(Trail::new(log, Arc::clone(store), randomness, Arc::new(NoReasons)))
}

fn service(
    store: &Arc<dyn Store>,
    domain_keys: &Arc<DomainKeys>,
    randomness: &Arc<SeededRandomness>,
    people: &Arc<People>,
    trail: &Arc<Trail>,
    settings: Settings,
    roots: AttestationRoots,
) -> Arc<Kms> {
    let randomness: Arc<SeededRandomness> = Arc::clone(randomness);
    let people: Arc<People> = Arc::clone(people);
    let kms =
        Kms::new(Arc::clone(store), Arc::clone(domain_keys), randomness, people, Arc::clone(trail), settings);
    Arc::new(kms.with_attestation_roots(roots))
}

pub(crate) fn moment(at: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + at)
}

pub(crate) fn refusal(answer: Answer) -> (String, String) {
    let (code, text) = answer.unwrap_err();
    (code, text.unwrap_or_default())
}

pub(crate) fn code(answer: Answer) -> String {
    answer.unwrap_err().0
}

pub(crate) fn arn(key: &str) -> String {
    format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{key}")
}

pub(crate) fn facts(account: &str, user: &str, at: i64) -> Call {
    Call {
        request_id: RequestId::new([7; 16]),
        caller: Arc::new(Caller {
            account: account.parse().unwrap(),
            principal: Principal::User { path_and_name: user.into(), unique_id: unique_id(account, user) },
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            session: None,
        }),
        region: "eu-central-1".parse().unwrap(),
        time: moment(at),
        source_address: [127, 0, 0, 1].into(),
        tls: None,
        user_agent: "test".into(),
        event: Arc::new(EventNotes::new(EventId::new([9; 16]))),
        service: None,
    }
}
