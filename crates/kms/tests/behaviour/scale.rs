//! An account with 100,000 keys, a key with 1,000 rotations and one with 50,000 grants cost what small ones cost.
//!
//! What is counted is the store's entries that a call reads; nothing is timed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bench::{ACCOUNT, Bench, DAY, OTHER_ACCOUNT, code};
use base::KeyId;
use kms::{CacheSizes, Settings};
use serde_json::{Value, json};
use store::{Key, Range, Transaction};
use tokio::task::JoinSet;

const MANY: u32 = 100_000;
/// Grants that a key may have.
const GRANTS_MAX: u32 = 50_000;
const PLACE: &str = "eu-central-1";

/// Gives [`ACCOUNT`] as many keys as it may have. Through CreateKey that would take minutes, so the record of one real key
/// is stored under further ids, and the counts are set to what they then are. Returns the real key.
async fn fill(bench: &Bench) -> String {
    let real = bench.create_key().await;
    let path = Key::new(format!("kms/key/{ACCOUNT}/{PLACE}/{real}")).unwrap();
    let record = bench.store.get(&path).await.unwrap().unwrap().value;
    let numbers: Vec<u32> = (1..MANY).collect();
    let mut commits = JoinSet::new();
    for batch in numbers.chunks(128) {
        let copy = |transaction: Transaction, number| transaction.put(path_of(number), record.clone());
        let transaction = batch.iter().copied().fold(Transaction::new(), copy);
        let store = Arc::clone(&bench.store);
        commits.spawn(async move { store.commit(transaction).await });
        // The store takes what waits as one group.
        if commits.len() == 32 {
            commits.join_next().await.unwrap().unwrap().unwrap();
        }
    }
    while let Some(committed) = commits.join_next().await {
        committed.unwrap().unwrap();
    }
    let mut transaction = Transaction::new();
    for shard in 0..16 {
        let path = format!("kms/key-count/{ACCOUNT}/{PLACE}/{shard:02}");
        let count = json!({"keys": MANY / 16}).to_string();
        transaction = transaction.put(Key::new(path).unwrap(), [b"\x01", count.as_bytes()].concat());
    }
    bench.store.commit(transaction).await.unwrap();
    real
}

/// The place of a made-up key: spread over the whole range of ids, as random ones are.
fn path_of(number: u32) -> Key {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    Key::new(format!("kms/key/{ACCOUNT}/{PLACE}/{}", KeyId::single_region(bytes))).unwrap()
}

/// The answer of a call by an account, and how many entries it read.
async fn counted(bench: &Bench, account: &str, operation: &str, body: Value) -> (Value, usize) {
    let before = bench.watch.entries_read();
    let answer = bench.call_as(account, 0, operation, body).await.unwrap();
    (answer, bench.watch.entries_read() - before)
}

/// What the ordinary calls on one key read, from a start with nothing in memory.
async fn cost(bench: &mut Bench, account: &str, key: &str) -> Vec<(&'static str, usize)> {
    bench.restart();
    let before = bench.watch.entries_read();
    bench.run_due(0).await;
    let mut costs = vec![("due work", bench.watch.entries_read() - before)];
    let (sealed, reads) =
        counted(bench, account, "Encrypt", json!({"KeyId": key, "Plaintext": "AA=="})).await;
    costs.push(("Encrypt", reads));
    let calls = [
        ("Decrypt", json!({"CiphertextBlob": sealed["CiphertextBlob"]})),
        ("DescribeKey", json!({"KeyId": key})),
        ("CreateAlias", json!({"AliasName": "alias/one", "TargetKeyId": key})),
        ("ListAliases", json!({})),
        ("ListAliases", json!({"KeyId": key})),
        ("Encrypt", json!({"KeyId": "alias/one", "Plaintext": "AA=="})),
        ("DeleteAlias", json!({"AliasName": "alias/one"})),
        ("TagResource", json!({"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]})),
        ("GetKeyLastUsage", json!({"KeyId": key})),
        ("RotateKeyOnDemand", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        ("CancelKeyDeletion", json!({"KeyId": key})),
        ("EnableKey", json!({"KeyId": key})),
    ];
    for (operation, body) in calls {
        costs.push((operation, counted(bench, account, operation, body).await.1));
    }
    costs
}

#[tokio::test]
async fn an_account_with_100_000_keys_is_as_quick_as_one_with_a_single_key() {
    let mut bench = Bench::new();
    let only = bench.call_as(OTHER_ACCOUNT, 0, "CreateKey", json!({})).await.unwrap();
    let only = only["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let real = fill(&bench).await;
    let small = cost(&mut bench, OTHER_ACCOUNT, &only).await;
    let large = cost(&mut bench, ACCOUNT, &real).await;
    assert_eq!(small, large);
    assert!(large.iter().all(|(_, reads)| *reads < 10), "{large:?}");
    // One more than an account may have: found out by its sixteen counts.
    let before = bench.watch.entries_read();
    assert_eq!(code(bench.call(0, "CreateKey", json!({})).await), "LimitExceededException");
    assert!(bench.watch.entries_read() - before <= 20);
    assert_every_key_is_listed_once(&bench).await;
}

async fn assert_every_key_is_listed_once(bench: &Bench) {
    let (mut listed, mut marker) = (Vec::new(), Value::Null);
    loop {
        let (page, reads) =
            counted(bench, ACCOUNT, "ListKeys", json!({"Limit": 1_000, "Marker": marker})).await;
        let keys = page["Keys"].as_array().unwrap();
        assert!(reads <= keys.len().max(1), "{reads} entries for a page of {}", keys.len());
        listed.extend(keys.iter().map(|key| key["KeyId"].as_str().unwrap().to_owned()));
        marker = page["NextMarker"].clone();
        assert_eq!(page["Truncated"], !marker.is_null());
        if marker.is_null() {
            break;
        }
    }
    assert!(listed.is_sorted());
    let distinct: BTreeSet<&String> = listed.iter().collect();
    assert_eq!((listed.len(), distinct.len()), (100_000, 100_000));
}

#[tokio::test]
async fn caches_hold_what_they_may_however_many_keys_are_used() {
    // An ordinary record weighs well over 512 bytes, so fewer than 256 of them fit.
    let caches = CacheSizes { key_bytes: 256 * 512, ..CacheSizes::default() };
    let bench = Bench::with(Settings { caches, ..Settings::default() });
    let mut keys = Vec::new();
    for _ in 0..1_000 {
        keys.push(bench.create_key().await);
    }
    let mut held = 0;
    for _ in 0..2 {
        held = 0;
        for key in &keys {
            let (_, reads) = counted(&bench, ACCOUNT, "DescribeKey", json!({"KeyId": key})).await;
            assert!(reads <= 1);
            held += 1 - reads;
        }
    }
    assert!(held < 256, "{held} keys were in memory");
    // The twin: with room for all, the second look at each finds it.
    let bench = Bench::new();
    let key = bench.create_key().await;
    assert_eq!(counted(&bench, ACCOUNT, "DescribeKey", json!({"KeyId": key})).await.1, 1);
    assert_eq!(counted(&bench, ACCOUNT, "DescribeKey", json!({"KeyId": key})).await.1, 0);
}

/// Gives the key 50,000 grants, as many as it may have, by storing the entries of one of its grants again and again: every
/// second time for another grantee, otherwise for another constraint of the same.
async fn fill_with_grants(bench: &Bench, key: &str, grant: &str) {
    let mut entries = Vec::new();
    for prefix in ["kms/grant/", "kms/granted/"] {
        let range = Range::prefix(format!("{prefix}{ACCOUNT}/{PLACE}/{key}/"));
        let page = bench.store.range(range).await.unwrap();
        entries.extend(page.entries.into_iter().filter(|entry| entry.key.as_str().contains(grant)));
    }
    assert_eq!(entries.len(), 2, "a grant, and its one operation");
    let numbers: Vec<u32> = (0..GRANTS_MAX).collect();
    for batch in numbers.chunks(64) {
        let mut transaction = Transaction::new();
        for (number, entry) in
            batch.iter().flat_map(|number| entries.iter().map(move |entry| (number, entry)))
        {
            let digest = format!("{number:064x}");
            let mut parts: Vec<String> = entry.key.as_str().split('/').map(str::to_owned).collect();
            *parts.last_mut().unwrap() = digest.clone();
            if let [_, _, _, _, _, _, grantee, place, _] = parts.as_mut_slice() {
                if number % 2 == 0 { *grantee = digest } else { *place = format!("s{digest}") }
            }
            transaction = transaction.put(Key::new(parts.join("/")).unwrap(), entry.value.clone());
        }
        bench.store.commit(transaction).await.unwrap();
    }
}

#[tokio::test]
async fn a_decision_about_a_key_with_50_000_grants_costs_what_it_costs_with_ten() {
    const LIMITED: &str = "arn:aws:iam::123456789012:user/ops/limited";
    let mut bench = Bench::in_memory();
    let mut costs = Vec::new();
    for is_full in [false, true] {
        let key = bench.create_key().await;
        let mut grant = Value::Null;
        for tenant in 0..10 {
            let constraints = json!({"EncryptionContextSubset": {"tenant": tenant.to_string()}});
            let body = json!({
                "KeyId": key, "GranteePrincipal": LIMITED, "Operations": ["Decrypt"], "Constraints": constraints,
            });
            grant = bench.call(0, "CreateGrant", body).await.unwrap()["GrantId"].clone();
        }
        if is_full {
            fill_with_grants(&bench, &key, grant.as_str().unwrap()).await;
        }
        bench.restart();
        for (tenant, is_granted) in [("3", true), ("x", false)] {
            let context = json!({"stage": "test", "tenant": tenant});
            let sealed = json!({"KeyId": key, "Plaintext": "AA==", "EncryptionContext": context});
            let blob = bench.call(0, "Encrypt", sealed).await.unwrap()["CiphertextBlob"].clone();
            let opened = json!({"CiphertextBlob": blob, "EncryptionContext": context});
            let before = bench.watch.entries_read();
            let answer = bench.call_as_user(ACCOUNT, "ops/limited", 0, "Decrypt", opened).await;
            costs.push((tenant, bench.watch.entries_read() - before));
            assert_eq!(answer.is_ok(), is_granted, "{answer:?}");
        }
    }
    let with_fifty_thousand = costs.split_off(2);
    assert_eq!(with_fifty_thousand, costs);
}

#[tokio::test]
async fn a_key_with_1_000_rotations_is_as_quick_as_one_with_none() {
    let mut bench = Bench::new();
    let (old, new) = (bench.create_key().await, bench.create_key().await);
    let first = bench.encrypt(0, &old).await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": old, "RotationPeriodInDays": 90})).await.unwrap();
    for rotation in 1..=1_000 {
        assert_eq!(bench.run_due(rotation * 90 * DAY).await, 1);
    }
    bench.call(0, "DisableKeyRotation", json!({"KeyId": old})).await.unwrap();
    // Every rotation is listed once, oldest first, a page at a time.
    let (mut dates, mut marker) = (Vec::new(), Value::Null);
    loop {
        let body = json!({"KeyId": old, "Limit": 64, "Marker": marker});
        let (page, reads) = counted(&bench, ACCOUNT, "ListKeyRotations", body).await;
        let rotations = page["Rotations"].as_array().unwrap();
        // The key itself may be read once.
        assert!(reads <= rotations.len() + 1, "{reads} entries for a page of {}", rotations.len());
        dates.extend(rotations.iter().map(|rotation| rotation["RotationDate"].as_i64().unwrap()));
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
    }
    let expected: Vec<i64> = (1..=1_000).map(|rotation| 1_700_000_000 + rotation * 90 * DAY).collect();
    assert_eq!(dates, expected);
    // The oldest ciphertext costs its own material and nothing of those between.
    bench.restart();
    let before = bench.watch.entries_read();
    assert!(bench.decrypts(0, &first).await);
    assert!(bench.watch.entries_read() - before < 10);
    assert_eq!(cost(&mut bench, ACCOUNT, &new).await, cost(&mut bench, ACCOUNT, &old).await);
    // And it goes as a whole.
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": old, "PendingWindowInDays": 7})).await.unwrap();
    bench.run_due(7 * DAY).await;
    let left = bench.paths("kms/").await.into_iter().filter(|path| path.contains(&old)).count();
    assert_eq!(left, 0);
}
