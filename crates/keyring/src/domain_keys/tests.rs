//! Domain keys over a real store: first use, races, rotation, restarts, damage.

use super::*;
use crypto::root::{Protection, RootFile};
use store::redb_engine::RedbStore;
use store::{Key, Range};
use testkit::SeededRandomness;

struct Scene {
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { store: Arc::new(RedbStore::in_memory().unwrap()), folder: tempfile::tempdir().unwrap() }
    }

    /// Another process, or this one after a restart, with the root of this name.
    fn process(&self, root: &str, seed: u64) -> DomainKeys {
        let path = self.folder.path().join(root);
        let randomness = SeededRandomness::new(seed);
        if !path.exists() {
            RootFile::create(&path, Protection::Plain, &randomness).ok().unwrap();
        }
        let root = RootFile::open(&path).ok().unwrap().unlock(None).ok().unwrap();
        DomainKeys::new(Arc::clone(&self.store), root, Arc::new(randomness))
    }

    async fn domain_key_paths(&self) -> Vec<String> {
        let page = self.store.range(Range::prefix("keyring/domain-key/")).await.unwrap();
        page.entries.iter().map(|entry| entry.key.to_string()).collect()
    }

    async fn put(&self, path: &str, value: Vec<u8>) {
        self.store.commit(Transaction::new().put(Key::new(path).unwrap(), value)).await.unwrap();
    }

    async fn value(&self, path: &str) -> Vec<u8> {
        self.store.get(&Key::new(path).unwrap()).await.unwrap().unwrap().value
    }

    async fn delete(&self, path: &str) {
        self.store.commit(Transaction::new().delete(Key::new(path).unwrap())).await.unwrap();
    }
}

fn frankfurt() -> Domain {
    Domain::region("eu-central-1".parse().unwrap())
}

fn ireland() -> Domain {
    Domain::region("eu-west-1".parse().unwrap())
}

fn a_binding() -> Binding {
    Binding::new("test").part(b"123456789012")
}

async fn seal(keys: &DomainKeys, domain: Domain) -> SealedUnderDomain {
    keys.seal(&domain, &a_binding(), b"secret").await.unwrap()
}

async fn open(keys: &DomainKeys, domain: Domain, sealed: &SealedUnderDomain) -> Result<(), KeyringError> {
    let secret = keys.open(&domain, &a_binding(), sealed).await?;
    assert_eq!(secret.expose(), b"secret");
    Ok(())
}

const FIRST: &str = "keyring/domain-key/eu-central-1/0000000001";

#[tokio::test]
async fn the_first_seal_makes_the_first_key_of_its_domain() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    assert!(scene.domain_key_paths().await.is_empty());
    for domain in [frankfurt(), frankfurt(), Domain::global()] {
        assert_eq!(seal(&keys, domain).await.domain_key(), 1);
    }
    assert_eq!(scene.domain_key_paths().await, [FIRST, "keyring/domain-key/global/0000000001"]);
}

#[tokio::test]
async fn a_seal_opens_after_a_restart_in_its_domain_and_binding_only() {
    let scene = Scene::new();
    let json = serde_json::to_string(&seal(&scene.process("root", 1), frankfurt()).await).unwrap();
    let sealed: SealedUnderDomain = serde_json::from_str(&json).unwrap();
    let keys = scene.process("root", 2);
    seal(&keys, ireland()).await;
    open(&keys, frankfurt(), &sealed).await.unwrap();
    assert!(matches!(open(&keys, ireland(), &sealed).await, Err(KeyringError::Seal(_))));
    let other_binding = Binding::new("test").part(b"123456789013");
    let refused = keys.open(&frankfurt(), &other_binding, &sealed).await;
    assert!(matches!(refused.err().unwrap(), KeyringError::Seal(_)));
}

#[tokio::test]
async fn a_rotation_is_for_new_seals_and_old_ones_stay_open() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let old = seal(&keys, frankfurt()).await;
    assert_eq!(keys.rotate(&frankfurt()).await.unwrap(), 2);
    let new = seal(&keys, frankfurt()).await;
    assert_eq!((old.domain_key(), new.domain_key()), (1, 2));
    assert_eq!(seal(&keys, ireland()).await.domain_key(), 1);
    for keys in [keys, scene.process("root", 2)] {
        open(&keys, frankfurt(), &old).await.unwrap();
        open(&keys, frankfurt(), &new).await.unwrap();
    }
    let relabelled = SealedUnderDomain { domain_key: 1, sealed: new.sealed };
    let refused = open(&scene.process("root", 3), frankfurt(), &relabelled).await;
    assert!(matches!(refused, Err(KeyringError::Seal(_))));
}

#[tokio::test]
async fn rotation_also_makes_a_first_key() {
    let scene = Scene::new();
    assert_eq!(scene.process("root", 1).rotate(&frankfurt()).await.unwrap(), 1);
    assert_eq!(scene.domain_key_paths().await, [FIRST]);
}

#[tokio::test]
async fn another_process_meets_the_new_number_and_reads_again() {
    let scene = Scene::new();
    let (one, other) = (scene.process("root", 1), scene.process("root", 2));
    open(&other, frankfurt(), &seal(&one, frankfurt()).await).await.unwrap();
    one.rotate(&frankfurt()).await.unwrap();
    open(&other, frankfurt(), &seal(&one, frankfurt()).await).await.unwrap();
    assert_eq!(seal(&other, frankfurt()).await.domain_key(), 2);
}

#[tokio::test]
async fn the_loser_of_a_race_uses_the_winners_key() {
    let scene = Scene::new();
    let (one, other) = (scene.process("root", 1), scene.process("root", 2));
    // Both know an empty domain; then both add a first key.
    let (known, known_too) = (one.keys(&frankfurt()).await.unwrap(), other.keys(&frankfurt()).await.unwrap());
    assert_eq!(one.add_key(&frankfurt(), &known).await.unwrap().highest(), 1);
    let winners = scene.value(FIRST).await;
    assert_eq!(other.add_key(&frankfurt(), &known_too).await.unwrap().highest(), 1);
    assert_eq!(scene.value(FIRST).await, winners);
    open(&one, frankfurt(), &seal(&other, frankfurt()).await).await.unwrap();
    open(&other, frankfurt(), &seal(&one, frankfurt()).await).await.unwrap();
}

#[tokio::test]
async fn many_first_seals_at_once_agree_on_one_key() {
    let scene = Scene::new();
    let processes: Vec<_> = (0..4).map(|seed| Arc::new(scene.process("root", seed))).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for keys in processes.iter().cycle().take(32) {
        let keys = Arc::clone(keys);
        tasks.spawn(async move { seal(&keys, frankfurt()).await });
    }
    for sealed in tasks.join_all().await {
        assert_eq!(sealed.domain_key(), 1);
        open(&scene.process("root", 9), frankfurt(), &sealed).await.unwrap();
    }
    assert_eq!(scene.domain_key_paths().await, [FIRST]);
}

#[tokio::test]
async fn an_older_set_does_not_replace_a_newer_one() {
    let scene = Scene::new();
    let (one, other) = (scene.process("root", 1), scene.process("root", 2));
    seal(&one, frankfurt()).await;
    let load = || LiveKeys::load(scene.store.as_ref(), &one.root, frankfurt());
    let (stale, stale_too) = (load().await.unwrap(), load().await.unwrap());
    other.rotate(&frankfurt()).await.unwrap();
    // A rotation that started from the stale set finds the place taken and takes over the other process's key.
    assert_eq!(one.add_key(&frankfurt(), &stale).await.unwrap().highest(), 2);
    assert_eq!(one.keep_newer(&frankfurt(), stale_too).highest(), 2);
    assert_eq!(seal(&one, frankfurt()).await.domain_key(), 2);
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_named() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let mut sealed = seal(&keys, frankfurt()).await;
    sealed.domain_key = 7;
    let missing = KeyringError::MissingDomainKey { domain: "eu-central-1".into(), number: 7 };
    assert_eq!(open(&keys, frankfurt(), &sealed).await, Err(missing));
}

#[tokio::test]
async fn a_damaged_key_leaves_the_others_usable() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let first = seal(&keys, frankfurt()).await;
    keys.rotate(&frankfurt()).await.unwrap();
    let second = seal(&keys, frankfurt()).await;
    // Key 2's record in the place of key 1: its seal is bound to its number.
    scene.put(FIRST, scene.value("keyring/domain-key/eu-central-1/0000000002").await).await;
    let keys = scene.process("root", 2);
    open(&keys, frankfurt(), &second).await.unwrap();
    let damaged = KeyringError::DamagedDomainKey { domain: "eu-central-1".into(), number: 1 };
    assert_eq!(open(&keys, frankfurt(), &first).await, Err(damaged));
}

#[tokio::test]
async fn a_domain_key_of_another_domain_is_refused() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let sealed = seal(&keys, frankfurt()).await;
    scene.put("keyring/domain-key/eu-west-1/0000000001", scene.value(FIRST).await).await;
    let refused = open(&keys, ireland(), &sealed).await;
    assert!(matches!(refused, Err(KeyringError::DamagedDomainKey { .. })));
}

#[tokio::test]
async fn records_that_are_no_domain_keys_are_damage() {
    for (path, value) in
        [(FIRST, &b"\x01{}"[..]), (FIRST, b""), ("keyring/domain-key/eu-central-1/one", b"\x01{}")]
    {
        let scene = Scene::new();
        scene.put(path, value.to_vec()).await;
        let refused = scene.process("root", 1).seal(&frankfurt(), &a_binding(), b"secret").await;
        assert!(matches!(refused, Err(KeyringError::Store(StoreError::Damaged { .. }))), "{path}");
    }
}

#[tokio::test]
async fn the_number_of_domain_keys_is_bounded() {
    let scene = Scene::new();
    scene
        .put("keyring/domain-key/eu-central-1/0000010000", {
            seal(&scene.process("root", 1), frankfurt()).await;
            scene.value(FIRST).await
        })
        .await;
    let refused = scene.process("root", 1).rotate(&frankfurt()).await;
    assert_eq!(refused, Err(KeyringError::TooManyDomainKeys { domain: "eu-central-1".into() }));
}

#[tokio::test]
async fn a_wrong_root_is_found_at_start() {
    let scene = Scene::new();
    scene.process("root", 1).verify_root().await.unwrap();
    scene.process("root", 2).verify_root().await.unwrap();
    assert_eq!(scene.process("other root", 3).verify_root().await, Err(KeyringError::WrongRoot));
    scene.process("root", 4).verify_root().await.unwrap();
}

#[tokio::test]
async fn a_lost_check_value_is_made_again_by_the_right_root_only() {
    let scene = Scene::new();
    seal(&scene.process("root", 1), frankfurt()).await;
    assert_eq!(scene.process("other root", 2).verify_root().await, Err(KeyringError::WrongRoot));
    scene.process("root", 3).verify_root().await.unwrap();
    scene.delete("keyring/root-check").await;
    assert_eq!(scene.process("other root", 4).verify_root().await, Err(KeyringError::WrongRoot));
    scene.process("root", 5).verify_root().await.unwrap();
}

#[tokio::test]
async fn a_wrong_root_that_was_not_verified_still_changes_nothing() {
    let scene = Scene::new();
    let sealed = seal(&scene.process("root", 1), frankfurt()).await;
    let wrong = scene.process("other root", 2);
    let refused = wrong.seal(&frankfurt(), &a_binding(), b"secret").await;
    assert!(matches!(refused, Err(KeyringError::DamagedDomainKey { number: 1, .. })));
    assert!(matches!(open(&wrong, frankfurt(), &sealed).await, Err(KeyringError::DamagedDomainKey { .. })));
    assert_eq!(scene.domain_key_paths().await, [FIRST]);
}

#[tokio::test]
async fn what_a_caller_brings_opens_or_is_nobodys() {
    let keys = Scene::new().process("root", 1);
    let sealed = seal(&keys, frankfurt()).await;
    let open = async |domain: Domain, binding: Binding, sealed: &SealedUnderDomain| {
        let secret = keys.open_untrusted(&domain, &binding, sealed).await.unwrap();
        secret.map(|secret| secret.expose().to_vec())
    };
    assert_eq!(open(frankfurt(), a_binding(), &sealed).await.unwrap(), b"secret");
    assert_eq!(open(frankfurt(), Binding::new("another"), &sealed).await, None);
    assert_eq!(open(ireland(), a_binding(), &sealed).await, None, "a domain that has no key");
    let of_no_key = SealedUnderDomain { domain_key: 7, ..sealed };
    assert_eq!(open(frankfurt(), a_binding(), &of_no_key).await, None);
}

#[tokio::test]
async fn a_seal_reads_back_from_its_bytes_and_nothing_else_does() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let sealed = seal(&keys, frankfurt()).await;
    let bytes = sealed.to_bytes();
    assert_eq!(SealedUnderDomain::from_bytes(&bytes), Some(sealed));
    for number in [0, DOMAIN_KEYS_MAX + 1] {
        let other = [&number.to_be_bytes()[..], &bytes[4..]].concat();
        assert_eq!(SealedUnderDomain::from_bytes(&other), None, "no domain key has the number {number}");
    }
    for length in [0, 3, 4, 10] {
        assert_eq!(SealedUnderDomain::from_bytes(&bytes[..length]), None);
    }
}

#[tokio::test]
async fn opening_in_a_domain_without_keys_leaves_nothing_in_memory() {
    let scene = Scene::new();
    let keys = scene.process("root", 1);
    let sealed = seal(&keys, frankfurt()).await;
    let missing = KeyringError::MissingDomainKey { domain: ireland().to_string(), number: 1 };
    assert_eq!(open(&keys, ireland(), &sealed).await, Err(missing));
    assert_eq!(keys.live.read().unwrap().len(), 1);
    assert_eq!(open(&keys, frankfurt(), &sealed).await, Ok(()));
}
