//! The services over a store in memory that can be made to forget: calls then change nothing, so that every input meets
//! the same state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use audit::log::{Durability, Log, LogSettings, segments};
use audit::{NoReasons, Trail};
use base::{Caller, EventId, EventNotes, Principal, RequestId, SecretArray, UnsignedCall};
use crypto::root::{Protection, RootFile};
use identity::{Identity, KeySetSource, KeySetUnavailable};
use keyring::DomainKeys;
use kms::{
    CallerRights, Kms, KnownPrincipal, Principals, PrincipalsUnavailable, SeedAlias, SeedKey, Settings,
};
use policy::{AttachedPolicy, IdentitySide, PolicyKind, PrincipalEntry};
use serde_json::{Value, json};
use store::Store as _;
use tempfile::TempDir;
use testkit::{FrozenClock, SeededRandomness};
use tokio::runtime::Runtime;
use wire::Fault;
use wire::query::{Form, percent_encode};

use crate::forgetful_store::ForgetfulStore;
use crate::scene;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const ISSUER: &str = "https://issuer.example";
/// A message that a key of the bench encrypts.
pub(crate) const PLAINTEXT: &str = "aGVsbG8=";

/// Bytes of a segment of the audit log, and calls after which complete ones are removed.
const SEGMENT_BYTES: u64 = 1_024 * 1_024;
const CALLS_REMEMBERED: u64 = 4_096;

pub(crate) struct Bench {
    runtime: Runtime,
    pub(crate) store: Arc<ForgetfulStore>,
    pub(crate) kms: Kms,
    pub(crate) identity: Identity,
    pub(crate) domain_keys: Arc<DomainKeys>,
    pub(crate) trail: Arc<Trail>,
    /// A ciphertext of [`PLAINTEXT`] under the key, without encryption context, in base64.
    pub(crate) blob: String,
    folder: TempDir,
    calls: AtomicU64,
}

/// What a call answered: the body, or the refusal.
pub(crate) type Answer = Result<Vec<u8>, Fault>;

impl Bench {
    /// An account with a user, a group, a role, policies and an access key, and keys of several kinds. Calls change nothing.
    pub(crate) fn new() -> Self {
        let bench = Self::that_remembers();
        bench.store.forget();
        bench
    }

    /// The same, before it begins to forget.
    pub(crate) fn that_remembers() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = Arc::new(ForgetfulStore::new());
        let randomness = Arc::new(SeededRandomness::new(1));
        let folder = tempfile::tempdir().unwrap();
        let root = RootFile::create(&folder.path().join("root.json"), Protection::Plain, &*randomness);
        let root = root.ok().unwrap().unlock(None).ok().unwrap();
        let domain_keys = Arc::new(DomainKeys::new(store.clone(), root, randomness.clone()));
        let clock = Arc::new(FrozenClock::at(scene::now()));
        let key_sets = Arc::new(CorpusKeys);
        let durability = Durability::Interval(Duration::from_secs(3_600));
        let settings = LogSettings { durability, segment_bytes: SEGMENT_BYTES, ..LogSettings::default() };
        let log = Log::open(&folder.path().join("log"), settings).unwrap();
        let trail = Arc::new(Trail::new(log, store.clone(), randomness.clone(), Arc::new(NoReasons)));
        let identity = Identity::new(
            store.clone(),
            Arc::clone(&domain_keys),
            clock,
            randomness.clone(),
            key_sets,
            Arc::clone(&trail),
        );
        let settings = Settings { request_rates: None, ..Settings::default() };
        let principals = Arc::new(Everybody::new());
        let kms = Kms::new(
            store.clone(),
            Arc::clone(&domain_keys),
            randomness,
            principals,
            Arc::clone(&trail),
            settings,
        );
        let (blob, calls) = (String::new(), AtomicU64::new(0));
        let mut bench = Self { runtime, store, kms, identity, domain_keys, trail, blob, folder, calls };
        bench.furnish_identity();
        bench.furnish_keys();
        bench
    }

    fn furnish_identity(&self) {
        self.wait(self.identity.create_account(ACCOUNT.parse().unwrap())).unwrap();
        let policy = scene::statements(PolicyKind::Identity, "Allow");
        let trust = trust_policy();
        let with: [(&str, &[(&str, &str)]); 13] = [
            (
                "CreateUser",
                &[
                    ("UserName", "alice"),
                    ("Path", "/ops/"),
                    ("Tags.member.1.Key", "a"),
                    ("Tags.member.1.Value", "b"),
                ],
            ),
            ("CreateGroup", &[("GroupName", "ops")]),
            ("AddUserToGroup", &[("GroupName", "ops"), ("UserName", "alice")]),
            ("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", &trust)]),
            ("CreatePolicy", &[("PolicyName", "everything"), ("PolicyDocument", &policy)]),
            (
                "AttachUserPolicy",
                &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::111122223333:policy/everything")],
            ),
            (
                "AttachRolePolicy",
                &[("RoleName", "app"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")],
            ),
            ("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", &policy)]),
            ("PutGroupPolicy", &[("GroupName", "ops"), ("PolicyName", "own"), ("PolicyDocument", &policy)]),
            ("PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "own"), ("PolicyDocument", &policy)]),
            ("CreateAccessKey", &[("UserName", "alice")]),
            ("CreateAccountAlias", &[("AccountAlias", "fuzzed")]),
            ("CreateOpenIDConnectProvider", &[("Url", ISSUER), ("ClientIDList.member.1", "client")]),
        ];
        for (action, parameters) in with {
            let body = form(action, wire::iam::VERSION, parameters);
            self.call_identity(body.as_bytes()).unwrap_or_else(|fault| panic!("{action}: {fault:?}"));
        }
    }

    fn furnish_keys(&mut self) {
        let key = scene::KEY.parse().unwrap();
        let materials = [7, 8].map(|byte| SecretArray::copy_from(&[byte; 32]).unwrap());
        let tags = [("team".to_owned(), "red".to_owned())];
        let seed = SeedKey {
            arn: key,
            description: "d",
            policy: None,
            tags: &tags,
            material: &materials,
            enabled: true,
        };
        self.wait(self.kms.seed_key(&seed, scene::now())).unwrap();
        self.wait(self.kms.seed_alias(&SeedAlias { target: key, name: "alias/a" }, scene::now())).unwrap();
        let encrypted = self.kms_json("Encrypt", json!({"KeyId": KEY_ID, "Plaintext": PLAINTEXT}));
        self.blob = encrypted["CiphertextBlob"].as_str().unwrap().to_owned();
        for (operation, body) in [
            ("CreateKey", json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"})),
            ("CreateKey", json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})),
            ("CreateKey", json!({"Origin": "EXTERNAL"})),
            ("CreateKey", json!({"MultiRegion": true})),
            (
                "CreateGrant",
                json!({
                    "KeyId": KEY_ID, "GranteePrincipal": scene::ROLE, "RetiringPrincipal": scene::ROLE,
                "Operations": ["Decrypt"],
                    "Name": "g", "Constraints": {"EncryptionContextSubset": {"a": "b"}},
                }),
            ),
            ("EnableKeyRotation", json!({"KeyId": KEY_ID})),
            ("RotateKeyOnDemand", json!({"KeyId": KEY_ID})),
        ] {
            self.kms_json(operation, body);
        }
        self.wait(self.kms.write_all_key_usage()).unwrap();
    }

    /// Carries a call out and gives the body as JSON.
    pub(crate) fn kms_json(&self, operation: &str, body: Value) -> Value {
        let answer = self.call_kms(operation, body.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|| panic!("{operation} is no operation"));
        let answer = answer.unwrap_or_else(|fault| panic!("{operation}: {fault:?}"));
        serde_json::from_slice(&answer).unwrap_or_default()
    }

    /// Calls the key service as the account's root user; `None` if there is no such operation.
    pub(crate) fn call_kms(&self, operation: &str, body: &[u8]) -> Option<Answer> {
        let operation = Kms::operation(operation)?;
        let call = self.unsigned().signed_by(root_user(), "eu-central-1".parse().unwrap());
        let answer = self.wait(self.kms.call(operation, &call, body));
        Some(answer.map_err(|refused| refused.to_fault()))
    }

    /// Calls IAM or STS as the account's root user, or as nobody if the operation needs no signature.
    pub(crate) fn call_identity(&self, body: &[u8]) -> Answer {
        let form = Form::parse(body)?;
        if Identity::is_unsigned(&form) {
            let answer = self.wait(self.identity.call_sts_unsigned(&self.unsigned(), &form));
            return answer.map_err(|refused| refused.to_fault());
        }
        let call = self.unsigned().signed_by(root_user(), "us-east-1".parse().unwrap());
        if let Ok(operation) = Identity::sts_operation(&form) {
            return self
                .wait(self.identity.call_sts(operation, &call, &form))
                .map_err(|refused| refused.to_fault());
        }
        let operation = Identity::iam_operation(&form)?;
        self.wait(self.identity.call_iam(operation, &call, &form)).map_err(|refused| refused.to_fault())
    }

    /// Waits for a service.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Removes complete segments of the audit log, which would fill the disk.
    fn forget_events(&self) {
        let mut segments = segments(&self.folder.path().join("log")).unwrap();
        segments.pop();
        segments.iter().for_each(|segment| std::fs::remove_file(&segment.path).unwrap());
    }

    /// Everything in the store: paths and values.
    pub(crate) fn entries(&self) -> Vec<(store::Key, Vec<u8>)> {
        let page =
            self.wait(self.store.range(store::Range::prefix("").limit(store::PAGE_ENTRIES_MAX))).unwrap();
        assert!(!page.more);
        page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
    }

    /// A call, before anybody has signed it.
    pub(crate) fn unsigned(&self) -> UnsignedCall {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(CALLS_REMEMBERED) {
            self.forget_events();
        }
        UnsignedCall {
            request_id: RequestId::new([7; 16]),
            region: "eu-central-1".parse().unwrap(),
            time: scene::now(),
            source_address: [127, 0, 0, 1].into(),
            tls: None,
            user_agent: "fuzz".into(),
            event: Arc::new(EventNotes::new(EventId::new([7; 16]))),
        }
    }
}

/// A form as a client writes it.
pub(crate) fn form(action: &str, version: &str, parameters: &[(&str, &str)]) -> String {
    let start = format!("Action={action}&Version={version}");
    let more = parameters.iter().map(|(name, value)| format!("&{name}={}", percent_encode(value)));
    more.fold(start, |form, parameter| form + &parameter)
}

/// A role's trust policy: the account's own users, the provider's tokens.
pub(crate) fn trust_policy() -> String {
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/issuer.example");
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
        {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"},
    ]})
    .to_string()
}

pub(crate) fn root_user() -> Arc<Caller> {
    Arc::new(Caller {
        account: ACCOUNT.parse().unwrap(),
        principal: Principal::Root,
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        session: None,
    })
}

/// Providers have the keys of the RFCs.
struct CorpusKeys;

#[async_trait::async_trait]
impl KeySetSource for CorpusKeys {
    async fn key_set(&self, _: &str) -> Result<Vec<u8>, KeySetUnavailable> {
        Ok(crate::corpus::json("web-identity/rfc.json")["sets"]["RFC 7515, A.2.1"].to_string().into_bytes())
    }
}

/// Whoever is named exists, and may do everything.
struct Everybody(Arc<Everything>);

struct Everything([AttachedPolicy; 1]);

impl Everybody {
    fn new() -> Self {
        Self(Arc::new(Everything([scene::attached(scene::open(PolicyKind::Identity))])))
    }
}

impl CallerRights for Everything {
    fn side(&self) -> IdentitySide<'_> {
        IdentitySide { policies: &self.0, ..IdentitySide::default() }
    }
}

#[async_trait::async_trait]
impl Principals for Everybody {
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, PrincipalsUnavailable> {
        let named = matches!(entry, PrincipalEntry::User { .. } | PrincipalEntry::Role { .. });
        Ok(Some(KnownPrincipal { unique_id: named.then(|| "AIDAALICEXXXXXXXXXXXX".to_owned()) }))
    }

    async fn arn_of(&self, _: &str) -> Result<Option<String>, PrincipalsUnavailable> {
        Ok(Some(scene::ROLE.to_owned()))
    }

    async fn rights_of(&self, _: &Caller) -> Result<Arc<dyn CallerRights>, PrincipalsUnavailable> {
        Ok(self.0.clone())
    }
}
