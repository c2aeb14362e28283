//! When a key was last used: which calls count, and that a use is written rarely and not lost.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html> and
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html>.

use crate::bench::{ACCOUNT, Bench, DAY, code, moment};
use kms::{CacheSizes, Settings};
use serde_json::{Value, json};
use wire::kms::KeyLastUsageTrackingOperation;

/// The ids that the bench gives every request and its event.
const REQUEST_ID: &str = "07070707-0707-4707-8707-070707070707";
const EVENT_ID: &str = "09090909-0909-4909-8909-090909090909";
const MINUTE: i64 = 60;

async fn last_use(bench: &Bench, key: &str) -> Value {
    bench.call(0, "GetKeyLastUsage", json!({"KeyId": key})).await.unwrap()["KeyLastUsage"].clone()
}

fn used(operation: &str, at: i64) -> Value {
    json!({"Operation": operation, "Timestamp": moment(at).seconds(), "CloudTrailEventId": EVENT_ID,
        "KmsRequestId": REQUEST_ID})
}

async fn key_of(bench: &Bench, spec: &str, usage: &str) -> String {
    let answer = bench.call(0, "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await.unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_was_never_used_says_so() {
    let bench = Bench::new();
    bench.kms.begin_usage_tracking(moment(-50)).await.unwrap();
    let key = bench.create_key().await;
    let answer = bench.call(9, "GetKeyLastUsage", json!({"KeyId": crate::bench::arn(&key)})).await.unwrap();
    let expected = json!({
        "KeyId": key, "KeyLastUsage": {}, "TrackingStartDate": 1_700_000_000, "KeyCreationDate": 1_700_000_000
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn tracking_starts_once_and_not_before_the_key() {
    let bench = Bench::new();
    let older = bench.create_key().await;
    bench.kms.begin_usage_tracking(moment(100)).await.unwrap();
    bench.kms.begin_usage_tracking(moment(200)).await.unwrap();
    let created = bench.call(300, "CreateKey", json!({})).await.unwrap();
    let newer = created["KeyMetadata"]["KeyId"].as_str().unwrap();
    for (key, start) in [(older.as_str(), 100), (newer, 300)] {
        let answer = bench.call(400, "GetKeyLastUsage", json!({"KeyId": key})).await.unwrap();
        assert_eq!(answer["TrackingStartDate"], moment(start).seconds());
    }
}

/// For each operation that counts: a body that succeeds, of the answers of those before it.
#[tokio::test]
async fn every_operation_of_the_enumeration_counts_at_once_and_no_other_does() {
    let bench = Bench::new();
    let symmetric = bench.create_key().await;
    let signer = key_of(&bench, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let mac = key_of(&bench, "HMAC_256", "GENERATE_VERIFY_MAC").await;
    let agreement = key_of(&bench, "ECC_NIST_P256", "KEY_AGREEMENT").await;
    let kem = key_of(&bench, "ML_KEM_512", "ENCAPSULATE_DECAPSULATE").await;
    let blob = bench.encrypt(0, &symmetric).await;
    let peer = bench.call(0, "GetPublicKey", json!({"KeyId": agreement})).await.unwrap()["PublicKey"].clone();
    assert_eq!(last_use(&bench, &agreement).await, json!({}), "a public key is not used by being given out");
    let sign = json!({"KeyId": signer, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"});
    let signature = bench.call(0, "Sign", sign.clone()).await.unwrap()["Signature"].clone();
    let message = json!({"KeyId": mac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"});
    let tag = bench.call(0, "GenerateMac", message.clone()).await.unwrap()["Mac"].clone();
    let encapsulate = json!({"KeyId": kem, "EncapsulationAlgorithm": "ML_KEM"});
    let capsule =
        bench.call(0, "Encapsulate", encapsulate.clone()).await.unwrap()["SharedSecretCiphertextBlob"]
            .clone();
    let with = |mut body: Value, member: &str, value: &Value| {
        body[member] = value.clone();
        body
    };
    let pair = json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"});
    let data_key = json!({"KeyId": symmetric, "KeySpec": "AES_256"});
    let secret = json!({"KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer});
    let calls = [
        ("Decrypt", &symmetric, json!({"CiphertextBlob": blob})),
        ("DeriveSharedSecret", &agreement, secret),
        ("Encrypt", &symmetric, json!({"KeyId": symmetric, "Plaintext": "AA=="})),
        ("GenerateDataKey", &symmetric, data_key.clone()),
        ("GenerateDataKeyPair", &symmetric, pair.clone()),
        ("GenerateDataKeyPairWithoutPlaintext", &symmetric, pair),
        ("GenerateDataKeyWithoutPlaintext", &symmetric, data_key),
        ("GenerateMac", &mac, message.clone()),
        ("ReEncrypt", &symmetric, json!({"CiphertextBlob": blob, "DestinationKeyId": symmetric})),
        ("Sign", &signer, sign.clone()),
        ("Verify", &signer, with(sign, "Signature", &signature)),
        ("VerifyMac", &mac, with(message, "Mac", &tag)),
        ("Encapsulate", &kem, encapsulate.clone()),
        ("Decapsulate", &kem, with(encapsulate, "SharedSecretCiphertextBlob", &capsule)),
    ];
    assert_eq!(
        calls.each_ref().map(|call| call.0),
        KeyLastUsageTrackingOperation::ALL.map(|name| name.as_str())
    );
    for (at, (operation, key, body)) in (1..).zip(calls) {
        let before = last_use(&bench, key).await;
        let refused = bench.call(at, operation, with(body.clone(), "DryRun", &json!(true))).await;
        assert_eq!(code(refused), "DryRunOperationException", "{operation}");
        assert_eq!(last_use(&bench, key).await, before, "a dry run of {operation}");
        bench.call(at, operation, body).await.unwrap();
        assert_eq!(last_use(&bench, key).await, used(operation, at));
    }
}

#[tokio::test]
async fn what_is_refused_and_what_needs_no_material_does_not_count() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let blob = bench.encrypt(5, &key).await;
    let wrong = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "b"}});
    assert_eq!(code(bench.call(6, "Decrypt", wrong).await), "InvalidCiphertextException");
    bench.call(7, "DescribeKey", json!({"KeyId": key})).await.unwrap();
    bench.call(7, "GenerateRandom", json!({"NumberOfBytes": 8})).await.unwrap();
    bench.call(8, "DisableKey", json!({"KeyId": key})).await.unwrap();
    assert_eq!(
        code(bench.call(9, "Encrypt", json!({"KeyId": key, "Plaintext": "AA=="})).await),
        "DisabledException"
    );
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 5));
    let mac = key_of(&bench, "HMAC_256", "GENERATE_VERIFY_MAC").await;
    let verify = json!({"KeyId": mac, "Message": "AA==", "Mac": "AA==", "MacAlgorithm": "HMAC_SHA_256"});
    assert_eq!(code(bench.call(9, "VerifyMac", verify).await), "KMSInvalidMacException");
    assert_eq!(last_use(&bench, &mac).await, json!({}));
}

#[tokio::test]
async fn re_encrypt_uses_both_keys_or_none() {
    let bench = Bench::new();
    let (from, to) = (bench.create_key().await, bench.create_key().await);
    let blob = bench.encrypt(1, &from).await;
    let body = json!({"CiphertextBlob": blob, "DestinationKeyId": to});
    bench.call(2, "DisableKey", json!({"KeyId": to})).await.unwrap();
    assert_eq!(code(bench.call(3, "ReEncrypt", body.clone()).await), "DisabledException");
    assert_eq!(last_use(&bench, &from).await, used("Encrypt", 1));
    bench.call(4, "EnableKey", json!({"KeyId": to})).await.unwrap();
    bench.call(5, "ReEncrypt", body).await.unwrap();
    for key in [&from, &to] {
        assert_eq!(last_use(&bench, key).await, used("ReEncrypt", 5));
    }
}

#[tokio::test]
async fn a_use_is_written_once_in_five_minutes_and_leaves_the_key_alone() {
    let mut bench = Bench::new();
    let key = bench.create_key().await;
    bench.encrypt(0, &key).await;
    let before = bench.store.get(&store::Key::new(bench.paths("kms/key/").await.remove(0)).unwrap()).await;
    let commits = bench.watch.commits();
    for second in 0..(11 * MINUTE) {
        bench.encrypt(second, &key).await;
        bench.kms.write_key_usage(moment(second)).await.unwrap();
    }
    assert_eq!(bench.watch.commits() - commits, 2);
    let after = bench.store.get(&store::Key::new(bench.paths("kms/key/").await.remove(0)).unwrap()).await;
    assert_eq!(before.unwrap().unwrap().revision, after.unwrap().unwrap().revision);
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 11 * MINUTE - 1));
    // Killed now, the service forgets what came after the second write: the use of minute 5 was the first to be
    // written, the one a second later began to wait.
    bench.restart();
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 10 * MINUTE + 1));
}

#[tokio::test]
async fn using_a_key_that_is_in_memory_asks_nothing_of_the_store() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let blob = bench.encrypt(0, &key).await;
    let before = (bench.watch.entries_read(), bench.watch.commits());
    for at in 1..100 {
        bench.encrypt(at, &key).await;
        assert!(bench.decrypts(at, &blob).await);
    }
    assert_eq!((bench.watch.entries_read(), bench.watch.commits()), before);
}

#[tokio::test]
async fn an_end_in_good_order_writes_every_use_in_few_transactions() {
    let mut bench = Bench::new();
    let mut keys = Vec::new();
    for _ in 0..300 {
        keys.push(bench.create_key().await);
    }
    for (at, key) in (0..).zip(&keys) {
        bench.encrypt(at, key).await;
    }
    let commits = bench.watch.commits();
    bench.kms.write_all_key_usage().await.unwrap();
    assert_eq!(bench.watch.commits() - commits, 3, "300 keys, at most 128 in a transaction");
    bench.restart();
    for (at, key) in (0..).zip(&keys) {
        assert_eq!(last_use(&bench, key).await, used("Encrypt", at));
    }
    bench.kms.write_all_key_usage().await.unwrap();
    assert_eq!(bench.watch.commits() - commits, 3, "nothing waits, nothing is written");
}

#[tokio::test]
async fn a_use_is_seen_whatever_happens_to_the_key_meanwhile() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.encrypt(1, &key).await;
    // The change empties the cache: the key is loaded again, and its use still waits.
    bench.call(2, "UpdateKeyDescription", json!({"KeyId": key, "Description": "x"})).await.unwrap();
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 1));
    bench.encrypt(3, &key).await;
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 3));
    bench.kms.write_all_key_usage().await.unwrap();
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 3));
    bench.encrypt(4, &key).await;
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 4), "memory stands over the store");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails_no_call_and_loses_no_use() {
    let mut bench = Bench::new();
    let key = bench.create_key().await;
    bench.encrypt(1, &key).await;
    bench.watch.break_commits(true);
    assert!(bench.kms.write_all_key_usage().await.is_err());
    bench.encrypt(2, &key).await;
    assert!(bench.kms.write_all_key_usage().await.is_err());
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 2));
    bench.watch.break_commits(false);
    bench.kms.write_all_key_usage().await.unwrap();
    bench.restart();
    assert_eq!(last_use(&bench, &key).await, used("Encrypt", 2));
}

#[tokio::test]
async fn when_too_many_uses_wait_some_are_written_early_and_none_is_lost_while_that_works() {
    let caches = CacheSizes { unwritten_uses: 2, ..CacheSizes::default() };
    let bench = Bench::with(Settings { caches, ..Settings::default() });
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(bench.create_key().await);
    }
    for (at, key) in (0..).zip(&keys) {
        bench.encrypt(at, key).await;
    }
    assert_eq!(bench.paths("kms/last-usage/").await.len(), 4);
    for (at, key) in (0..).zip(&keys) {
        assert_eq!(last_use(&bench, key).await, used("Encrypt", at));
    }
    // Two wait. With no store to write to, a third finds no room; its call succeeds all the same.
    bench.watch.break_commits(true);
    bench.encrypt(10, &keys[0]).await;
    bench.encrypt(11, &keys[1]).await;
    assert_eq!(last_use(&bench, &keys[4]).await, used("Encrypt", 4));
    assert_eq!(last_use(&bench, &keys[0]).await, used("Encrypt", 10));
    assert_eq!(last_use(&bench, &keys[1]).await, used("Encrypt", 1));
    bench.watch.break_commits(false);
    bench.encrypt(12, &keys[1]).await;
    assert_eq!(last_use(&bench, &keys[1]).await, used("Encrypt", 12));
}

#[tokio::test]
async fn a_deleted_key_takes_its_use_along() {
    let bench = Bench::new();
    let (written, unwritten) = (bench.create_key().await, bench.create_key().await);
    bench.encrypt(1, &written).await;
    bench.kms.write_all_key_usage().await.unwrap();
    bench.encrypt(2, &unwritten).await;
    for key in [&written, &unwritten] {
        bench.call(3, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    }
    assert_eq!(last_use(&bench, &written).await, used("Encrypt", 1), "every key state tells");
    assert_eq!(bench.paths("kms/last-usage/").await.len(), 1);
    bench.run_due(8 * DAY).await;
    bench.kms.write_all_key_usage().await.unwrap();
    assert!(bench.paths("kms/last-usage/").await.is_empty());
}

/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html> (`kms:TrailingDaysWithoutKeyUsage`).
#[tokio::test]
async fn policies_can_ask_for_days_without_a_use_before_a_key_is_disabled_or_deleted() {
    let root = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"], "Resource": "*",
         "Condition": {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "90"}}},
    ]});
    let bench = Bench::new();
    let created = bench.call(0, "CreateKey", json!({"Policy": policy.to_string()})).await.unwrap();
    let key = created["KeyMetadata"]["KeyId"].as_str().unwrap();
    let disable = json!({"KeyId": key});
    let delete = json!({"KeyId": key, "PendingWindowInDays": 7});
    let denied = "AccessDeniedException";

    let unused = bench.call(90 * DAY - 1, "DisableKey", disable.clone()).await;
    assert_eq!(code(unused), denied, "a key that was never used is as old as itself");
    bench.encrypt(90 * DAY - 1, key).await;
    assert_eq!(code(bench.call(180 * DAY - 2, "DisableKey", disable.clone()).await), denied);
    assert_eq!(code(bench.call(180 * DAY - 2, "ScheduleKeyDeletion", delete.clone()).await), denied);
    bench.call(180 * DAY - 1, "DisableKey", disable).await.unwrap();
    bench.call(180 * DAY - 1, "ScheduleKeyDeletion", delete).await.unwrap();
}
