//! Applying a seed: what is missing is made, what exists stays.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use audit::log::{Log, LogSettings};
use audit::{NoReasons, Trail};
use base::{AccountId, KeyArn, SystemClock};
use crypto::SystemRandomness;
use crypto::root::{Protection, RootFile};
use identity::Identity;
use keyring::DomainKeys;
use store::redb_engine::RedbStore;

use crate::key_sets::ConfiguredKeySets;

use super::super::apply::{ApplyError, KeySeeder, SeedOutcome, SeedReport, apply};
use super::super::file::{Purpose, SeedFile, SeedKey};

fn identity() -> Identity {
    let store = Arc::new(RedbStore::in_memory().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let randomness = Arc::new(SystemRandomness::new());
    let path = folder.path().join("root");
    RootFile::create(&path, Protection::Plain, &*randomness).ok().unwrap();
    let root = RootFile::open(&path).ok().unwrap().unlock(None).ok().unwrap();
    let domain_keys = Arc::new(DomainKeys::new(store.clone(), root, randomness.clone()));
    let log = Log::open(&folder.path().join("log"), LogSettings::default()).ok().unwrap();
    let trail = Trail::new(log, store.clone(), randomness.clone(), Arc::new(NoReasons));
    let (clock, key_sets) = (Arc::new(SystemClock), Arc::new(ConfiguredKeySets::none()));
    Identity::new(store, domain_keys, clock, randomness, key_sets, Arc::new(trail))
}

/// A key service that remembers names, and fails for one.
#[derive(Default)]
struct Names {
    names: Mutex<BTreeSet<String>>,
    fails_at: Option<&'static str>,
}

#[derive(Debug, thiserror::Error)]
#[error("no more space")]
struct NoSpace;

impl Names {
    fn make(&self, name: String) -> Result<SeedOutcome, NoSpace> {
        if self.fails_at.is_some_and(|part| name.contains(part)) {
            return Err(NoSpace);
        }
        let new = self.names.lock().unwrap().insert(name);
        Ok(if new { SeedOutcome::Created } else { SeedOutcome::Existed })
    }
}

impl KeySeeder for Names {
    type Error = NoSpace;

    async fn seed_key(&self, account: AccountId, key: &SeedKey) -> Result<SeedOutcome, NoSpace> {
        self.make(KeyArn { account, region: key.region, id: key.id }.to_string())
    }

    async fn seed_alias(&self, target: KeyArn, alias: &str) -> Result<SeedOutcome, NoSpace> {
        self.make(format!("{}/{}/{alias}", target.account, target.region))
    }
}

fn everything() -> SeedFile {
    SeedFile::read(&testkit::corpus_path("seed/accepted/everything.toml"), Purpose::Production).unwrap()
}

fn counts(report: &SeedReport) -> [(usize, usize); 5] {
    let SeedReport { accounts, users, access_keys, keys, aliases } = report;
    [accounts, users, access_keys, keys, aliases].map(|count| (count.created, count.existed))
}

#[tokio::test]
async fn everything_is_made_once() {
    let (identity, keys) = (identity(), Names::default());
    let first = apply(&everything(), &identity, &keys).await.unwrap();
    assert_eq!(counts(&first), [(2, 0), (3, 0), (3, 0), (2, 0), (3, 0)]);
    let second = apply(&everything(), &identity, &keys).await.unwrap();
    assert_eq!(counts(&second), [(0, 2), (0, 3), (0, 3), (0, 2), (0, 3)]);
    let credential = identity.credentials("test_2", None).await.unwrap().known().unwrap();
    assert_eq!(credential.caller.arn().to_string(), "arn:aws:iam::000000000042:user/ops/Alice");
    let root = identity.credentials("root_1", None).await.unwrap().known().unwrap();
    assert_eq!(root.caller.arn().to_string(), "arn:aws:iam::000000000042:root");
    let text = first.to_string();
    assert!(text.contains("accounts: 2 made, 0 there already"), "{text}");
}

#[tokio::test]
async fn what_exists_keeps_what_it_has() {
    let (identity, keys) = (identity(), Names::default());
    apply(&SeedFile::development().unwrap(), &identity, &keys).await.unwrap();
    let before = identity.credentials("test", None).await.unwrap().known().unwrap();
    let other = "[[account]]\nid = \"000000000000\"\n[[account.user]]\nname = \"TEST\"\npath = \"/x/\"\n\
                 [[account.user.access_key]]\nid = \"test\"\nsecret = \"other\"\n";
    let other = SeedFile::parse("other", other, Purpose::Development).unwrap();
    let report = apply(&other, &identity, &keys).await.unwrap();
    assert_eq!(counts(&report), [(0, 1), (0, 1), (0, 1), (0, 0), (0, 0)]);
    let after = identity.credentials("test", None).await.unwrap().known().unwrap();
    assert!(Arc::ptr_eq(&before, &after), "nothing was written");
    assert_eq!(after.caller.arn().to_string(), "arn:aws:iam::000000000000:user/test");
}

#[tokio::test]
async fn a_seed_that_stopped_goes_on_where_it_was() {
    let identity = identity();
    let mut keys = Names { fails_at: Some("eu-west-1"), ..Names::default() };
    let stopped = apply(&everything(), &identity, &keys).await.err().unwrap();
    assert!(matches!(stopped, ApplyError::Key { .. }));
    let text = stopped.to_string();
    assert!(text.contains("key arn:aws:kms:eu-west-1:000000000042:key/1234abcd"), "{text}");
    assert!(text.ends_with("no more space"), "{text}");
    keys.fails_at = None;
    let report = apply(&everything(), &identity, &keys).await.unwrap();
    assert_eq!(counts(&report), [(1, 1), (1, 2), (0, 3), (1, 1), (1, 2)]);
}

#[tokio::test]
async fn one_root_access_key_too_many_is_named() {
    let (identity, keys) = (identity(), Names::default());
    apply(&everything(), &identity, &keys).await.unwrap();
    let more = "[[account]]\nid = \"000000000042\"\n[[account.root_access_key]]\nid = \"root_2\"\nsecret = \"s\"\n\
                [[account.root_access_key]]\nid = \"root_3\"\nsecret = \"s\"\n";
    let more = SeedFile::parse("more", more, Purpose::Production).unwrap();
    let refused = apply(&more, &identity, &keys).await.err().unwrap().to_string();
    assert!(refused.contains("root access key root_3 of account 000000000042"), "{refused}");
    assert!(refused.contains("has two access keys already"), "{refused}");
}

#[tokio::test]
async fn one_access_key_too_many_is_named() {
    let (identity, keys) = (identity(), Names::default());
    apply(&everything(), &identity, &keys).await.unwrap();
    let third = "[[account]]\nid = \"000000000042\"\n[[account.user]]\nname = \"alice\"\n\
                 [[account.user.access_key]]\nid = \"third\"\nsecret = \"s\"\n";
    let third = SeedFile::parse("third", third, Purpose::Production).unwrap();
    let refused = apply(&third, &identity, &keys).await.err().unwrap();
    assert!(refused.to_string().contains("access key third of user alice"), "{refused}");
}
