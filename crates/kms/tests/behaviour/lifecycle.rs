//! Rotation and deletion over years, in milliseconds.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html> and `deleting-keys.html`.

use base::KeyArn;
use kms::{SeedKey, Seeded, Settings};
use store::{Transaction, due};

use crate::bench::{ACCOUNT, Bench, DAY, arn, code, moment, refusal};
use serde_json::{Value, json};

async fn rotation_dates(bench: &Bench, key: &str) -> Vec<(f64, String)> {
    let answer = bench.call(0, "ListKeyRotations", json!({"KeyId": key})).await.unwrap();
    let rotations = answer["Rotations"].as_array().unwrap();
    let rotation = |entry: &Value| {
        let days = (entry["RotationDate"].as_f64().unwrap() - 1_700_000_000.0) / 86_400.0;
        (days, entry["RotationType"].as_str().unwrap().to_owned())
    };
    rotations.iter().map(rotation).collect()
}

#[tokio::test]
async fn a_key_rotates_by_itself_and_old_ciphertexts_stay_readable() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let first = bench.encrypt(0, &key).await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await.unwrap();
    assert_eq!(bench.run_due(90 * DAY - 1).await, 0);
    assert_eq!(bench.run_due(90 * DAY).await, 1);
    assert_eq!(bench.run_due(90 * DAY).await, 0, "run twice, it changes nothing");
    let second = bench.encrypt(90 * DAY, &key).await;
    // Late by more than two periods: one rotation, and the schedule keeps its rhythm.
    assert_eq!(bench.run_due(400 * DAY).await, 1);
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status["NextRotationDate"], 1_700_000_000 + 450 * DAY);
    let automatic = |days: f64| (days, "AUTOMATIC".to_owned());
    assert_eq!(rotation_dates(&bench, &key).await, [automatic(90.0), automatic(400.0)]);
    assert!(bench.decrypts(0, &first).await && bench.decrypts(0, &second).await);
}

#[tokio::test]
async fn a_key_keeps_as_many_versions_as_it_is_told() {
    let bench = Bench::with(Settings { retained_materials: Some(3), ..Settings::default() });
    let made = bench.call(0, "CreateKey", json!({"MultiRegion": true})).await.unwrap();
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    bench.call(0, "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": "us-east-1"})).await.unwrap();
    let mut blobs = vec![bench.encrypt(0, &key).await];
    for _ in 0..5 {
        bench.call(0, "RotateKeyOnDemand", json!({"KeyId": key})).await.unwrap();
        blobs.push(bench.encrypt(0, &key).await);
        bench.run_due(1).await;
    }
    for (number, blob) in blobs.iter().enumerate() {
        assert_eq!(bench.decrypts(0, blob).await, number >= 3, "version {number}");
    }
    for region in ["eu-central-1", "us-east-1"] {
        assert_eq!(bench.paths(&format!("kms/material/{ACCOUNT}/{region}/{key}/")).await.len(), 3);
    }
    assert_eq!(rotation_dates(&bench, &key).await.len(), 5, "the history stays");
    // A replica that is made later has what there is.
    bench.call(0, "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": "eu-west-1"})).await.unwrap();
    let decrypt = json!({"CiphertextBlob": blobs[3]});
    assert!(bench.call_in("eu-west-1", 0, "Decrypt", decrypt).await.is_ok());
    let gone = json!({"CiphertextBlob": blobs[2]});
    assert_eq!(code(bench.call_in("eu-west-1", 0, "Decrypt", gone).await), "InvalidCiphertextException");
}

#[tokio::test]
async fn a_lower_number_of_versions_is_reached_with_the_next_rotation_and_all_is_the_default() {
    let mut bench = Bench::new();
    let key = bench.create_key().await;
    let first = bench.encrypt(0, &key).await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await.unwrap();
    for rotation in 1..=130 {
        bench.run_due(rotation * 90 * DAY).await;
    }
    assert_eq!(bench.paths(&format!("kms/material/{ACCOUNT}/eu-central-1/{key}/")).await.len(), 131);
    assert!(bench.decrypts(0, &first).await);
    bench.restart_with(Settings { retained_materials: Some(2), ..Settings::default() });
    assert!(bench.decrypts(0, &first).await);
    bench.run_due(131 * 90 * DAY).await;
    assert_eq!(bench.paths(&format!("kms/material/{ACCOUNT}/eu-central-1/{key}/")).await.len(), 2);
    assert!(!bench.decrypts(0, &first).await);
}

#[tokio::test]
async fn without_automatic_rotation_nothing_rotates() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key})).await.unwrap();
    bench.call(0, "DisableKeyRotation", json!({"KeyId": key})).await.unwrap();
    assert_eq!(bench.run_due(3_000 * DAY).await, 0);
    assert!(rotation_dates(&bench, &key).await.is_empty());
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status, json!({"KeyId": key, "KeyRotationEnabled": false}));
}

#[tokio::test]
async fn a_disabled_key_owes_its_rotation_until_it_is_enabled() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 100})).await.unwrap();
    bench.call(DAY, "DisableKey", json!({"KeyId": key})).await.unwrap();
    bench.run_due(150 * DAY).await;
    assert!(rotation_dates(&bench, &key).await.is_empty());
    bench.call(160 * DAY, "EnableKey", json!({"KeyId": key})).await.unwrap();
    assert_eq!(rotation_dates(&bench, &key).await, [(160.0, "AUTOMATIC".to_owned())]);
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status["NextRotationDate"], 1_700_000_000 + 200 * DAY, "the old schedule goes on");
    assert_eq!(bench.run_due(199 * DAY).await, 0);
    assert_eq!(bench.run_due(200 * DAY).await, 1);
}

#[tokio::test]
async fn an_enabled_key_that_owes_nothing_does_not_rotate_on_enable() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 100})).await.unwrap();
    bench.call(1, "DisableKey", json!({"KeyId": key})).await.unwrap();
    bench.call(2, "EnableKey", json!({"KeyId": key})).await.unwrap();
    assert!(rotation_dates(&bench, &key).await.is_empty());
    assert_eq!(bench.run_due(100 * DAY).await, 1);
}

#[tokio::test]
async fn rotations_on_demand_are_limited_and_leave_the_schedule_alone() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 730})).await.unwrap();
    let old = bench.encrypt(0, &key).await;
    for _ in 0..25 {
        let answer = bench.call(10, "RotateKeyOnDemand", json!({"KeyId": key})).await.unwrap();
        assert_eq!(answer, json!({"KeyId": arn(&key)}));
    }
    let (code, text) = refusal(bench.call(10, "RotateKeyOnDemand", json!({"KeyId": key})).await);
    assert_eq!(code, "LimitExceededException");
    assert!(text.ends_with(&arn(&key)), "{text}");
    assert!(bench.decrypts(10, &old).await);
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status["NextRotationDate"], 1_700_000_000 + 730 * DAY);
}

#[tokio::test]
async fn a_rotation_on_demand_just_before_an_automatic_one_is_refused() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await.unwrap();
    let answer = bench.call(90 * DAY - 19 * 60, "RotateKeyOnDemand", json!({"KeyId": key})).await;
    assert_eq!(code(answer), "ConflictException");
    assert!(bench.call(90 * DAY - 21 * 60, "RotateKeyOnDemand", json!({"KeyId": key})).await.is_ok());
}

#[tokio::test]
async fn the_first_material_is_listed_on_request_only() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "RotateKeyOnDemand", json!({"KeyId": key})).await.unwrap();
    let all = json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let all = bench.call(0, "ListKeyRotations", all).await.unwrap();
    let states: Vec<_> =
        all["Rotations"].as_array().unwrap().iter().map(|entry| &entry["KeyMaterialState"]).collect();
    assert_eq!(states, ["NON_CURRENT", "CURRENT"]);
    assert!(all["Rotations"][0].get("RotationDate").is_none());
    assert_eq!(rotation_dates(&bench, &key).await.len(), 1);
}

#[tokio::test]
async fn a_deleted_key_is_gone_with_everything_it_had() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let kept = bench.create_key().await;
    let blob = bench.encrypt(0, &key).await;
    bench.call(0, "CreateAlias", json!({"AliasName": "alias/gone", "TargetKeyId": key})).await.unwrap();
    bench.call(0, "RotateKeyOnDemand", json!({"KeyId": key})).await.unwrap();
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key})).await.unwrap();
    let answer =
        bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    assert_eq!(answer["DeletionDate"], 1_700_000_000 + 7 * DAY);
    bench.run_due(7 * DAY - 1).await;
    assert_eq!(bench.state(&key).await, "PendingDeletion");
    bench.run_due(7 * DAY).await;
    let (code, text) = refusal(bench.call(0, "DescribeKey", json!({"KeyId": key})).await);
    assert_eq!((code.as_str(), text), ("NotFoundException", format!("Key '{}' does not exist", arn(&key))));
    assert!(!bench.decrypts(0, &blob).await);
    let left: Vec<_> = bench.paths("").await.into_iter().filter(|path| path.contains(&key)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(bench.paths("kms/alias/").await.is_empty());
    assert_eq!(bench.state(&kept).await, "Enabled");
    // The name is free again.
    bench.call(0, "CreateAlias", json!({"AliasName": "alias/gone", "TargetKeyId": kept})).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_deletion_leaves_a_disabled_key_with_its_rotation() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await.unwrap();
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key})).await.unwrap();
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status["KeyRotationEnabled"], false);
    let answer = bench.call(DAY, "CancelKeyDeletion", json!({"KeyId": key})).await.unwrap();
    assert_eq!(answer, json!({"KeyId": arn(&key)}));
    assert_eq!(bench.run_due(60 * DAY).await, 0, "nothing is deleted any more");
    assert_eq!(bench.state(&key).await, "Disabled");
    let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
    assert_eq!(status["KeyRotationEnabled"], true);
}

#[tokio::test]
async fn a_deletion_that_was_scheduled_twice_waits_for_the_second_window() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    let again = bench.call(1, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 30})).await;
    assert_eq!(code(again), "KMSInvalidStateException");
    bench.call(2, "CancelKeyDeletion", json!({"KeyId": key})).await.unwrap();
    bench.call(3, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 30})).await.unwrap();
    bench.run_due(8 * DAY).await;
    assert_eq!(bench.state(&key).await, "PendingDeletion");
    bench.run_due(31 * DAY).await;
    assert_eq!(code(bench.call(0, "DescribeKey", json!({"KeyId": key})).await), "NotFoundException");
}

fn seed(key: &str) -> SeedKey<'static> {
    let arn = KeyArn {
        account: ACCOUNT.parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        id: key.parse().unwrap(),
    };
    SeedKey { arn, description: "", policy: None, tags: &[], material: &[], enabled: true }
}

#[tokio::test]
async fn a_key_seeded_again_keeps_its_material_from_a_late_purge_and_has_none_of_the_old() {
    let bench = Bench::new();
    let key = "1234abcd-12ab-34cd-56ef-1234567890ab";
    bench.kms.seed_key(&seed(key), moment(0)).await.unwrap();
    let old = bench.encrypt(0, key).await;
    // The deletion as it stands when the process is killed before the purge: the key is gone, its remains are not.
    let path = bench.paths("kms/key/").await.remove(0);
    let entry = due::key(moment(1), "kms-purge", &format!("{ACCOUNT}/eu-central-1/{key}"));
    let killed = Transaction::new().delete(store::Key::new(path).unwrap()).put(entry, Vec::new());
    bench.store.commit(killed).await.unwrap();
    assert_eq!(bench.kms.seed_key(&seed(key), moment(2)).await.unwrap(), Seeded::Created);
    let new = bench.encrypt(2, key).await;
    bench.run_due(3).await;
    assert!(bench.decrypts(3, &new).await);
    assert!(!bench.decrypts(3, &old).await, "what was deleted stays deleted");
}

#[tokio::test]
async fn a_rotation_survives_a_clock_that_went_ahead_and_came_back() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await.unwrap();
    bench.call(0, "DisableKey", json!({"KeyId": key})).await.unwrap();
    bench.run_due(400 * DAY).await;
    bench.call(DAY, "EnableKey", json!({"KeyId": key})).await.unwrap();
    assert_eq!(bench.run_due(90 * DAY - 1).await, 0);
    assert_eq!(bench.run_due(90 * DAY).await, 1);
    assert_eq!(rotation_dates(&bench, &key).await, [(90.0, "AUTOMATIC".to_owned())]);
}

#[tokio::test]
async fn enabling_rotation_again_with_the_same_period_moves_nothing() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let enable = |at: i64, days: i64| {
        bench.call(at, "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": days}))
    };
    enable(0, 100).await.unwrap();
    enable(50 * DAY, 100).await.unwrap();
    let next = || async {
        let status = bench.call(0, "GetKeyRotationStatus", json!({"KeyId": key})).await.unwrap();
        (status["NextRotationDate"].as_i64().unwrap() - 1_700_000_000) / DAY
    };
    assert_eq!(next().await, 100);
    enable(50 * DAY, 200).await.unwrap();
    assert_eq!(next().await, 250);
}
