//! Related multi-Region keys under concurrent changes: whatever happens, they agree.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::bench::{Bench, DAY};

const PRIMARY: &str = "eu-central-1";
const REPLICAS: [&str; 4] = ["us-east-1", "ap-southeast-2", "eu-west-1", "sa-east-1"];

async fn create(bench: &Bench) -> String {
    let made = bench.call(0, "CreateKey", json!({"MultiRegion": true})).await.unwrap();
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn history(bench: &Bench, region: &str, key: &str) -> Value {
    let body = json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    bench.call_in(region, 0, "ListKeyRotations", body).await.unwrap()["Rotations"].clone()
}

async fn related(bench: &Bench, region: &str, key: &str) -> Value {
    let body = json!({"KeyId": key});
    let found = bench.call_in(region, 0, "DescribeKey", body).await.unwrap();
    let mut configuration = found["KeyMetadata"]["MultiRegionConfiguration"].clone();
    configuration.as_object_mut().unwrap().remove("MultiRegionKeyType");
    configuration
}

async fn assert_agreement(bench: &Bench, key: &str) {
    let (first, configuration) = (history(bench, PRIMARY, key).await, related(bench, PRIMARY, key).await);
    let blob = bench.encrypt(0, key).await;
    for region in REPLICAS {
        assert_eq!(history(bench, region, key).await, first, "{region}");
        assert_eq!(related(bench, region, key).await, configuration, "{region}");
        let opened = bench.call_in(region, 0, "Decrypt", json!({"CiphertextBlob": blob})).await.unwrap();
        assert_eq!(opened["Plaintext"], "c2VjcmV0", "{region}");
        let own = bench.call_in(region, 0, "Encrypt", json!({"KeyId": key, "Plaintext": "c2VjcmV0"})).await;
        assert!(bench.decrypts(0, &own.unwrap()["CiphertextBlob"]).await, "{region}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_agree_whatever_is_done_at_the_same_time() {
    let bench = Arc::new(Bench::new());
    let key = create(&bench).await;
    let mut tasks = Vec::new();
    for region in REPLICAS {
        let (bench, key) = (Arc::clone(&bench), key.clone());
        tasks.push(tokio::spawn(async move {
            bench.call(0, "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": region})).await.unwrap();
            let body = json!({"KeyId": key, "Description": region});
            bench.call_in(region, 0, "UpdateKeyDescription", body).await.unwrap();
        }));
    }
    for _ in 0..8 {
        let (bench, key) = (Arc::clone(&bench), key.clone());
        tasks.push(tokio::spawn(async move {
            bench.call(0, "RotateKeyOnDemand", json!({"KeyId": key})).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(history(&bench, PRIMARY, &key).await.as_array().unwrap().len(), 9);
    assert_agreement(&bench, &key).await;
    for region in REPLICAS {
        let found = bench.call_in(region, 0, "DescribeKey", json!({"KeyId": key})).await.unwrap();
        assert_eq!(found["KeyMetadata"]["Description"], region);
    }
}

#[tokio::test]
async fn a_deleted_replica_leaves_nothing_and_the_others_know() {
    let bench = Bench::new();
    let key = create(&bench).await;
    for region in REPLICAS {
        bench.call(0, "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": region})).await.unwrap();
    }
    let gone = REPLICAS[0];
    let body = json!({"KeyId": key, "PendingWindowInDays": 7});
    bench.call_in(gone, 0, "ScheduleKeyDeletion", body).await.unwrap();
    bench.run_due(8 * DAY).await;
    for prefix in ["kms/key", "kms/material", "kms/rotation"] {
        let left = bench.paths(&format!("{prefix}/123456789012/{gone}/{key}")).await;
        assert!(left.is_empty(), "{left:?}");
    }
    let regions = related(&bench, PRIMARY, &key).await["ReplicaKeys"].as_array().unwrap().len();
    assert_eq!(regions, REPLICAS.len() - 1);
    assert_eq!(related(&bench, REPLICAS[1], &key).await, related(&bench, PRIMARY, &key).await);
}

#[tokio::test]
async fn a_copy_that_was_left_behind_is_removed_and_harms_no_replica() {
    let bench = Bench::new();
    let (left, made) = (create(&bench).await, create(&bench).await);
    bench.call(0, "ReplicateKey", json!({"KeyId": made, "ReplicaRegion": REPLICAS[0]})).await.unwrap();
    // As a process leaves it that ends between copying and making the key.
    let place = format!("123456789012/{}", REPLICAS[0]);
    let found = bench.paths(&format!("kms/material/{place}/{made}/")).await;
    let stray = store::Key::new(found[0].replace(&made, &left)).unwrap();
    let purge = store::due::key(crate::bench::moment(DAY), "kms-purge", &format!("{place}/{left}"));
    let transaction = store::Transaction::new().put(stray, vec![1]).put(purge, Vec::new());
    bench.store.commit(transaction).await.unwrap();
    bench.run_due(2 * DAY).await;
    assert!(bench.paths(&format!("kms/material/{place}/{left}/")).await.is_empty());
    assert_eq!(bench.paths(&format!("kms/material/{place}/{made}/")).await, found);
}
