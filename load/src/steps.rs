//! The steps of a call that are measured alone, each over and over on one thread, with nothing around it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base::{AccountId, Caller, KeyId, Principal, Randomness, RandomnessUnavailable, SecretString, Timestamp};
use crypto::{Binding, Ciphertext, EncryptionContext, KeyMaterial, SealingKey};
use policy::{
    Action, AttachedPolicy, CallerFacts, Context, IdentitySide, Origin, Policy, PolicyKind, PolicySource,
    Request, Resource, ResourceSide, ServiceKey, Value,
};
use serde_json::json;
use wire::kms::{EncryptRequest, EncryptResponse};
use wire::sigv4::{self, RequestHead, SigningKey};

use crate::keywright::{ACCOUNT, ADMIN, REGION};
use crate::prepared::Signer;

/// One step: what it is, and how it is done so many times.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    /// What should be reached, in microseconds: the goal and the stretch.
    pub(crate) goal: &'static str,
    /// Prepares what it takes, then does it so many times, and tells how long that took.
    pub(crate) run: fn(u32) -> Result<Duration>,
}

/// All steps.
pub(crate) const ALL: [Step; 8] = [
    step("signature", "a signature of version 4 read and verified, its key at hand", "", signature),
    step("policy", "the usual key policy and an identity policy decide an Encrypt", "2 (1)", decision),
    step("read_json", "the request of an Encrypt out of JSON, constraints checked", "", read_json),
    step("write_json", "the answer of an Encrypt as JSON", "", write_json),
    step("encrypt", "32 bytes under a KMS key, as Encrypt gives them", "", encrypt),
    step("decrypt", "the same opened again", "", decrypt),
    step("seal", "32 bytes of key material for the store", "", seal),
    step("open", "the same opened again", "", open),
];

/// A step by its name.
pub(crate) fn named(name: &str) -> Result<&'static Step> {
    match ALL.iter().find(|step| step.name == name) {
        Some(step) => Ok(step),
        None => bail!("there is no step `{name}`"),
    }
}

const fn step(
    name: &'static str,
    meaning: &'static str,
    goal: &'static str,
    run: fn(u32) -> Result<Duration>,
) -> Step {
    Step { name, meaning, goal, run }
}

const KEY: KeyName = KeyName("1234abcd-12ab-34cd-56ef-1234567890ab");
const PURPOSE: (&str, &str) = ("purpose", "benchmark");

struct KeyName(&'static str);

impl KeyName {
    fn arn(&self) -> String {
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{}", self.0)
    }

    fn id(&self) -> Result<KeyId> {
        self.0.parse().ok().context("no key id")
    }
}

fn account() -> Result<AccountId> {
    ACCOUNT.parse().ok().context("no account")
}

/// What is counted as the step: everything that is done in here. Its name is what `load instructions` looks for.
#[inline(never)]
pub(crate) fn repeat_step(times: u32, mut step: impl FnMut() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..times {
        step()?;
    }
    Ok(begun.elapsed())
}

fn signature(times: u32) -> Result<Duration> {
    let signer = Signer {
        host: "127.0.0.1:4599".to_owned(),
        region: REGION.to_owned(),
        access_key_id: ADMIN.0.to_owned(),
        secret: SecretString::new(ADMIN.1.to_owned()),
    };
    let sent = signer.kms("Encrypt", &encrypt_body(), 1)?;
    let headers: Vec<(&str, &[u8])> =
        sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = RequestHead { method: sent.method, path: &sent.path, query: "", headers: &headers };
    let first = sigv4::parse(&head).ok().context("the request is not read")?;
    let key = SigningKey::derive(&signer.secret, &first.scope().date, REGION, "kms");
    repeat_step(times, || {
        let signed = sigv4::parse(black_box(&head)).ok().context("the request is not read")?;
        signed.verify(&head, &sent.body, &key).ok().context("the signature is not right")
    })
}

/// An encryption context and nothing else.
struct Asked(BTreeMap<String, String>);

impl Context for Asked {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        Value::Absent
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.0)
    }
}

fn decision(times: u32) -> Result<Duration> {
    let key_policy = json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
    }]});
    let identity_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/*"),
        "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": PURPOSE.1}},
    }]});
    let key_policy = parsed(&key_policy, PolicyKind::Key)?;
    let attached = [AttachedPolicy {
        policy: Arc::new(parsed(&identity_policy, PolicyKind::Identity)?),
        source: PolicySource::User { name: "use-keys".to_owned() },
    }];
    let user =
        Principal::User { path_and_name: "app".to_owned(), unique_id: "AIDAIOSFODNN7EXAMPLE".to_owned() };
    let (account, access_key_id) = (account()?, ADMIN.0.to_owned());
    let caller = CallerFacts::of(Arc::new(Caller { account, principal: user, access_key_id, session: None }));
    let (arn, asked) = (KEY.arn(), Asked(encryption_context()));
    let origin = Origin {
        time: Timestamp::from_seconds(1_800_000_000),
        region: REGION.parse().ok().context("no Region")?,
        source_address: Some([127, 0, 0, 1].into()),
        is_secure: true,
        user_agent: "Boto3/1.43.0",
        referer: None,
        endpoint: None,
        service: None,
    };
    let action = Action::new("kms", "Encrypt");
    let resource = Resource::named(&arn, account);
    let request = Request { action, resource, caller: &caller, origin, context: &asked };
    let identity = IdentitySide { policies: &attached, ..IdentitySide::default() };
    let resource = ResourceSide::guarded_by(&key_policy);
    repeat_step(times, || match policy::decide(black_box(&request), &identity, &resource).is_allowed() {
        true => Ok(()),
        false => bail!("it is refused"),
    })
}

fn parsed(document: &serde_json::Value, kind: PolicyKind) -> Result<Policy> {
    Policy::parse(&document.to_string(), kind).ok().context("no policy")
}

fn encryption_context() -> BTreeMap<String, String> {
    BTreeMap::from([(PURPOSE.0.to_owned(), PURPOSE.1.to_owned())])
}

fn encrypt_body() -> String {
    let plaintext = base64_simd::STANDARD.encode_to_string([7; 32]);
    json!({"EncryptionContext": encryption_context(), "KeyId": KEY.arn(), "Plaintext": plaintext}).to_string()
}

fn read_json(times: u32) -> Result<Duration> {
    let body = encrypt_body();
    repeat_step(times, || {
        let read = wire::json::decode::<EncryptRequest>(black_box(body.as_bytes()));
        black_box(read.ok().context("the request is not read")?);
        Ok(())
    })
}

fn write_json(times: u32) -> Result<Duration> {
    let answer = EncryptResponse {
        ciphertext_blob: Some(vec![7; 152]),
        key_id: Some(KEY.arn()),
        encryption_algorithm: None,
    };
    repeat_step(times, || {
        black_box(wire::json::encode(black_box(&answer)));
        Ok(())
    })
}

/// Bytes that differ from call to call and cost next to nothing: what a system call would add is not of the step.
struct Counting(AtomicU64);

impl Counting {
    fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Randomness for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        out.iter_mut().zip(number.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

fn encrypt(times: u32) -> Result<Duration> {
    let (account, key_id, randomness) = (account()?, KEY.id()?, Counting::new());
    let material = KeyMaterial::generate(&key_id, &randomness)?;
    let context = EncryptionContext::new([PURPOSE]);
    repeat_step(times, || {
        black_box(material.encrypt(account, &key_id, &context, black_box(&[7; 32]), &randomness)?);
        Ok(())
    })
}

fn decrypt(times: u32) -> Result<Duration> {
    let (key_id, randomness) = (KEY.id()?, Counting::new());
    let material = KeyMaterial::generate(&key_id, &randomness)?;
    let context = EncryptionContext::new([PURPOSE]);
    let blob = material.encrypt(account()?, &key_id, &context, &[7; 32], &randomness)?;
    repeat_step(times, || {
        let ciphertext = Ciphertext::parse(black_box(&blob))?;
        black_box(material.decrypt(&ciphertext, &context)?);
        Ok(())
    })
}

fn seal(times: u32) -> Result<Duration> {
    let randomness = Counting::new();
    let key = SealingKey::generate(&randomness)?;
    repeat_step(times, || {
        black_box(key.seal(&binding(), black_box(&[7; 32]), &randomness)?);
        Ok(())
    })
}

fn open(times: u32) -> Result<Duration> {
    let randomness = Counting::new();
    let key = SealingKey::generate(&randomness)?;
    let sealed = key.seal(&binding(), &[7; 32], &randomness)?;
    repeat_step(times, || {
        black_box(key.open(&binding(), black_box(&sealed))?);
        Ok(())
    })
}

fn binding() -> Binding {
    Binding::new("benchmark").part(KEY.0.as_bytes())
}
