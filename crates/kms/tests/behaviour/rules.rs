//! Rules that hold across operations: who may, quotas, races, and that errors are those of the model.

use std::sync::Arc;

use crate::bench::{ACCOUNT, Bench, OTHER_ACCOUNT, arn, code, refusal};
use kms::Settings;
use serde_json::{Value, json};

const OPEN_POLICY: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;

const USER: &str = "arn:aws:iam::123456789012:user/admin";

/// A body that each operation on one key accepts, were the key the caller's.
fn body(operation: &str, key: &str) -> Value {
    match operation {
        "CreateAlias" | "UpdateAlias" => json!({"AliasName": "alias/a", "TargetKeyId": key}),
        "CreateGrant" => json!({"KeyId": key, "GranteePrincipal": USER, "Operations": ["DescribeKey"]}),
        "Encrypt" => json!({"KeyId": key, "Plaintext": "AA=="}),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => json!({"KeyId": key, "KeySpec": "AES_256"}),
        "PutKeyPolicy" => json!({"KeyId": key, "Policy": OPEN_POLICY}),
        "RetireGrant" | "RevokeGrant" => json!({"KeyId": key, "GrantId": "0".repeat(64)}),
        "TagResource" => json!({"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        "UntagResource" => json!({"KeyId": key, "TagKeys": ["a"]}),
        "UpdateKeyDescription" => json!({"KeyId": key, "Description": ""}),
        "Sign" => json!({"KeyId": key, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"}),
        "Verify" => {
            json!({"KeyId": key, "Message": "AA==", "Signature": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"})
        }
        "GenerateMac" => json!({"KeyId": key, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"}),
        "VerifyMac" => {
            json!({"KeyId": key, "Message": "AA==", "Mac": "AA==", "MacAlgorithm": "HMAC_SHA_256"})
        }
        "DeriveSharedSecret" => json!({"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": "AA=="}),
        "Encapsulate" => json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}),
        "Decapsulate" => {
            json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "AA=="})
        }
        "GetParametersForImport" => {
            json!({"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"})
        }
        "ReplicateKey" => json!({"KeyId": key, "ReplicaRegion": "us-east-1"}),
        "UpdatePrimaryRegion" => json!({"KeyId": key, "PrimaryRegion": "us-east-1"}),
        "ImportKeyMaterial" => {
            let forever = "KEY_MATERIAL_DOES_NOT_EXPIRE";
            json!({"KeyId": key, "ImportToken": "AA==", "EncryptedKeyMaterial": "AA==", "ExpirationModel": forever})
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"})
        }
        _ => json!({"KeyId": key}),
    }
}

const ON_ONE_KEY: [&str; 41] = [
    "ReplicateKey",
    "UpdatePrimaryRegion",
    "DeleteImportedKeyMaterial",
    "GetParametersForImport",
    "ImportKeyMaterial",
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateGrant",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "PutKeyPolicy",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
    "Decapsulate",
    "DeriveSharedSecret",
    "Encapsulate",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "Sign",
    "Verify",
    "VerifyMac",
];

#[tokio::test]
async fn no_operation_works_on_a_key_of_another_account() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let missing = arn("1234abcd-12ab-34cd-56ef-1234567890ab");
    for operation in ON_ONE_KEY {
        let foreign = refusal(bench.call_as(OTHER_ACCOUNT, 0, operation, body(operation, &arn(&key))).await);
        assert_eq!(foreign.0, "AccessDeniedException", "{operation}");
        let expected = format!(
            "User: arn:aws:iam::{OTHER_ACCOUNT}:user/admin is not authorized to perform: kms:{operation} on this resource because"
        );
        assert!(foreign.1.starts_with(&expected), "{operation}: {}", foreign.1);
        // Whether the key exists is not told.
        let absent = refusal(bench.call_as(OTHER_ACCOUNT, 0, operation, body(operation, &missing)).await);
        assert_eq!(foreign, absent, "{operation}");
    }
    assert_eq!(bench.state(&key).await, "Enabled");
}

#[tokio::test]
async fn a_ciphertext_of_another_account_is_out_of_reach_with_and_without_key_id() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let blob = bench.encrypt(0, &key).await;
    let (code, text) =
        refusal(bench.call_as(OTHER_ACCOUNT, 0, "Decrypt", json!({"CiphertextBlob": blob})).await);
    assert_eq!(code, "AccessDeniedException");
    let expected = "User: arn:aws:iam::210987654321:user/admin is not authorized to perform: kms:Decrypt on the resource \
                    associated with this ciphertext because the resource does not exist in this Region, no \
                    resource-based policies allow access, or a resource-based policy explicitly denies access";
    assert_eq!(text, expected);
    // Of a key of its own account a caller learns which policies do not allow it.
    let limited =
        bench.call_as_user(ACCOUNT, "ops/limited", 0, "Decrypt", json!({"CiphertextBlob": blob})).await;
    let text = refusal(limited).1;
    assert!(
        text.ends_with(&format!(
            "kms:Decrypt on resource: {} because no identity-based policy allows the kms:Decrypt action",
            arn(&key)
        )),
        "{text}"
    );
    let named = json!({"CiphertextBlob": blob, "KeyId": arn(&key)});
    assert_eq!(refusal(bench.call_as(OTHER_ACCOUNT, 0, "Decrypt", named).await).0, "AccessDeniedException");
    assert!(bench.decrypts(0, &blob).await);
}

#[tokio::test]
async fn key_states_refuse_what_the_table_says() {
    let bench = Bench::new();
    let disabled = bench.create_key().await;
    bench.call(0, "DisableKey", json!({"KeyId": disabled})).await.unwrap();
    let pending = bench.create_key().await;
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": pending})).await.unwrap();
    // https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    let cryptographic = ["CreateGrant", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"];
    let rotation = ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"];
    for operation in cryptographic.into_iter().chain(rotation) {
        let answer = refusal(bench.call(0, operation, body(operation, &disabled)).await);
        assert_eq!(
            answer,
            ("DisabledException".into(), format!("{} is disabled.", arn(&disabled))),
            "{operation}"
        );
    }
    let management = [
        "CreateAlias",
        "DisableKey",
        "EnableKey",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
    ];
    for operation in cryptographic.into_iter().chain(rotation).chain(management) {
        let answer = refusal(bench.call(0, operation, body(operation, &pending)).await);
        let text = format!("{} is pending deletion.", arn(&pending));
        assert_eq!(answer, ("KMSInvalidStateException".into(), text), "{operation}");
    }
    for operation in [
        "DescribeKey",
        "GetKeyLastUsage",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListResourceTags",
        "PutKeyPolicy",
    ] {
        for key in [&disabled, &pending] {
            assert!(bench.call(0, operation, body(operation, key)).await.is_ok(), "{operation}");
        }
    }
    assert_eq!(
        code(bench.call(0, "CancelKeyDeletion", json!({"KeyId": disabled})).await),
        "KMSInvalidStateException"
    );
}

#[tokio::test]
async fn quotas_on_keys_and_aliases_hold_and_give_room_again() {
    let bench =
        Bench::with(Settings { keys_per_region_max: 3, aliases_per_key_max: 2, ..Settings::default() });
    let key = bench.create_key().await;
    bench.create_key().await;
    let last = bench.create_key().await;
    assert_eq!(code(bench.call(0, "CreateKey", json!({})).await), "LimitExceededException");
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": last, "PendingWindowInDays": 7})).await.unwrap();
    assert_eq!(
        code(bench.call(0, "CreateKey", json!({})).await),
        "LimitExceededException",
        "all states count"
    );
    bench.run_due(8 * crate::bench::DAY).await;
    bench.create_key().await;
    for name in ["alias/a", "alias/b"] {
        bench.call(0, "CreateAlias", json!({"AliasName": name, "TargetKeyId": key})).await.unwrap();
    }
    let third = json!({"AliasName": "alias/c", "TargetKeyId": key});
    assert_eq!(code(bench.call(0, "CreateAlias", third.clone()).await), "LimitExceededException");
    bench.call(0, "DeleteAlias", json!({"AliasName": "alias/a"})).await.unwrap();
    bench.call(0, "CreateAlias", third).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_create_keys_at_once_are_all_counted_and_none_loses_a_race() {
    const KEYS: u64 = 200;
    let bench = Arc::new(Bench::with(Settings { keys_per_region_max: KEYS, ..Settings::default() }));
    // The first key of a Region makes the Region's domain key, too.
    let mut keys = vec![bench.create_key().await];
    let commits = bench.watch.commits();
    let tasks: Vec<_> = (1..KEYS)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.create_key().await })
        })
        .collect();
    for task in tasks {
        keys.push(task.await.unwrap());
    }
    assert_eq!(bench.watch.commits() - commits, keys.len() - 1, "a commit for each");
    for round in 1..=2_i32 {
        let refused = bench.call(0, "CreateKey", json!({})).await;
        assert_eq!(code(refused), "LimitExceededException", "round {round}");
        for key in keys.split_off(keys.len() - 70) {
            bench
                .call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7}))
                .await
                .unwrap();
        }
        bench.run_due(8 * i64::from(round) * crate::bench::DAY).await;
        for _ in 0..70 {
            keys.insert(0, bench.create_key().await);
        }
    }
    assert_eq!(code(bench.call(0, "CreateKey", json!({})).await), "LimitExceededException");
}

#[tokio::test]
async fn nodes_over_one_store_keep_within_one_quota() {
    const KEYS: usize = 150;
    let settings = Settings { keys_per_region_max: 150, ..Settings::default() };
    let mut bench = Bench::with(settings.clone());
    let mut other = Arc::clone(&bench.kms);
    bench.restart_with(settings);
    for _ in 0..KEYS {
        bench.create_key().await;
        std::mem::swap(&mut bench.kms, &mut other);
    }
    for _ in 0..2 {
        assert_eq!(code(bench.call(0, "CreateKey", json!({})).await), "LimitExceededException");
        std::mem::swap(&mut bench.kms, &mut other);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_is_created_without_counting_all_others_while_there_is_room() {
    let bench = Arc::new(Bench::new());
    let create_at_once = || async {
        let creators = (0..200).map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.create_key().await })
        });
        for creator in creators.collect::<Vec<_>>() {
            creator.await.unwrap();
        }
    };
    create_at_once().await;
    let before = bench.watch.entries_read();
    create_at_once().await;
    let read = bench.watch.entries_read() - before;
    assert!(read < 200 * 10, "{read} entries were read for 200 keys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_that_are_deleted_meanwhile_lose_no_race_to_those_who_create() {
    const DELETED: usize = 20;
    let bench = Arc::new(Bench::new());
    let schedule = async |day: i64| {
        for _ in 0..DELETED {
            let key = bench.create_key().await;
            let asked = json!({"KeyId": key, "PendingWindowInDays": 7});
            bench.call(day * crate::bench::DAY, "ScheduleKeyDeletion", asked).await.unwrap();
        }
    };
    schedule(0).await;
    let before = bench.watch.commits();
    bench.run_due(8 * crate::bench::DAY).await;
    let alone = bench.watch.commits() - before;
    schedule(10).await;
    let before = bench.watch.commits();
    let creators: Vec<_> = (0..200)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.create_key().await })
        })
        .collect();
    bench.run_due(18 * crate::bench::DAY).await;
    for creator in creators {
        creator.await.unwrap();
    }
    assert_eq!(bench.watch.commits() - before, alone + 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_of_one_key_lose_nothing() {
    let bench = Arc::new(Bench::new());
    let key = bench.create_key().await;
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (bench, key) = (Arc::clone(&bench), key.clone());
            tokio::spawn(async move {
                let tags = json!([{"TagKey": format!("tag-{number}"), "TagValue": "x"}]);
                bench.call(0, "TagResource", json!({"KeyId": key, "Tags": tags})).await.unwrap();
                let alias = json!({"AliasName": format!("alias/{number}"), "TargetKeyId": arn(&key)});
                bench.call(0, "CreateAlias", alias).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let tags = bench.call(0, "ListResourceTags", json!({"KeyId": key})).await.unwrap();
    assert_eq!(tags["Tags"].as_array().unwrap().len(), 40);
    let aliases = bench.call(0, "ListAliases", json!({"KeyId": key})).await.unwrap();
    assert_eq!(aliases["Aliases"].as_array().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_who_create_the_same_alias_gets_it() {
    let bench = Arc::new(Bench::new());
    let keys = [bench.create_key().await, bench.create_key().await];
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (bench, key) = (Arc::clone(&bench), keys[number % 2].clone());
            tokio::spawn(async move {
                bench.call(0, "CreateAlias", json!({"AliasName": "alias/one", "TargetKeyId": key})).await
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err((code, _)) => assert_eq!(code, "AlreadyExistsException"),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn an_alias_moves_between_keys_and_the_count_moves_with_it() {
    let bench = Bench::with(Settings { aliases_per_key_max: 1, ..Settings::default() });
    let (one, two) = (bench.create_key().await, bench.create_key().await);
    bench.call(0, "CreateAlias", json!({"AliasName": "alias/x", "TargetKeyId": one})).await.unwrap();
    bench.call(5, "UpdateAlias", json!({"AliasName": "alias/x", "TargetKeyId": two})).await.unwrap();
    let listed = bench.call(5, "ListAliases", json!({"KeyId": two})).await.unwrap();
    assert_eq!(listed["Aliases"][0]["TargetKeyId"], two.as_str());
    assert_eq!(listed["Aliases"][0]["CreationDate"], 1_700_000_000);
    assert_eq!(listed["Aliases"][0]["LastUpdatedDate"], 1_700_000_005);
    assert_eq!(bench.call(5, "ListAliases", json!({"KeyId": one})).await.unwrap()["Aliases"], json!([]));
    // The alias of one is free, that of two is taken.
    bench.call(5, "CreateAlias", json!({"AliasName": "alias/y", "TargetKeyId": one})).await.unwrap();
    let moved = bench.call(5, "UpdateAlias", json!({"AliasName": "alias/y", "TargetKeyId": two})).await;
    assert_eq!(code(moved), "LimitExceededException");
    let same = json!({"AliasName": "alias/y", "TargetKeyId": one});
    bench.call(9, "UpdateAlias", same).await.unwrap();
    // An alias may leave a key that is pending deletion, and may not go to one.
    bench.call(9, "ScheduleKeyDeletion", json!({"KeyId": two})).await.unwrap();
    bench.call(9, "DeleteAlias", json!({"AliasName": "alias/y"})).await.unwrap();
    bench.call(9, "UpdateAlias", json!({"AliasName": "alias/x", "TargetKeyId": one})).await.unwrap();
    let back = bench.call(9, "UpdateAlias", json!({"AliasName": "alias/x", "TargetKeyId": two})).await;
    assert_eq!(code(back), "KMSInvalidStateException");
}

#[tokio::test]
async fn dry_runs_do_nothing_and_say_so() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let blob = bench.encrypt(0, &key).await;
    for (operation, body) in [
        ("Encrypt", json!({"KeyId": key, "Plaintext": "AA==", "DryRun": true})),
        ("Decrypt", json!({"CiphertextBlob": blob, "DryRun": true})),
        ("Decrypt", json!({"KeyId": key, "DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_128", "DryRun": true})),
        ("GenerateDataKeyWithoutPlaintext", json!({"KeyId": key, "NumberOfBytes": 7, "DryRun": true})),
        ("ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": key, "DryRun": true})),
    ] {
        assert_eq!(code(bench.call(0, operation, body).await), "DryRunOperationException", "{operation}");
    }
    // A dry run of what would fail fails as the call itself.
    let wrong = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "b"}, "DryRun": true});
    assert_eq!(code(bench.call(0, "Decrypt", wrong).await), "InvalidCiphertextException");
    let modifier = json!({"KeyId": key, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]});
    assert_eq!(code(bench.call(0, "Decrypt", modifier).await), "ValidationException");
}

#[tokio::test]
async fn every_mutation_leaves_its_record_in_the_outbox_and_refusals_leave_none() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let before = bench.store.outbox(1_000).await.unwrap().len();
    bench.call(0, "DisableKey", json!({"KeyId": key})).await.unwrap();
    bench.call(0, "Encrypt", json!({"KeyId": key, "Plaintext": "AA=="})).await.unwrap_err();
    bench.call(0, "CancelKeyDeletion", json!({"KeyId": key})).await.unwrap_err();
    let outbox = bench.store.outbox(1_000).await.unwrap();
    assert_eq!(outbox.len(), before + 1);
    let record: Value = serde_json::from_slice(&outbox[before].record).unwrap();
    assert_eq!(record["eventName"], "DisableKey");
    assert_eq!(record["resources"][0]["ARN"], arn(&key));
}

#[tokio::test]
async fn a_policy_must_not_lock_out_and_must_name_who_exists() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let before = bench.call(0, "GetKeyPolicy", json!({"KeyId": key})).await.unwrap();
    let policy = |principal: &str| {
        let statement =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let put = |policy: String, bypass: bool| {
        let body = json!({"KeyId": key, "Policy": policy, "BypassPolicyLockoutSafetyCheck": bypass});
        bench.call(0, "PutKeyPolicy", body)
    };
    let text = |answer| {
        let (code, text) = refusal(answer);
        assert_eq!(code, "MalformedPolicyDocumentException");
        text
    };
    let other = policy(OTHER_ACCOUNT);
    let locked_out = "The new key policy will not allow you to update the key policy in the future.";
    assert_eq!(text(put(other.clone(), false).await), locked_out);
    for nobody in
        ["arn:aws:iam::123456789012:user/nobody", "111111111111", "arn:aws:iam::123456789012:role/none", "x"]
    {
        let invalid = "Policy contains a statement with one or more invalid principals.";
        assert_eq!(text(put(policy(nobody), true).await), invalid, "{nobody}");
    }
    assert_eq!(bench.call(0, "GetKeyPolicy", json!({"KeyId": key})).await.unwrap(), before);
    put(other.clone(), true).await.unwrap();
    // From now on the other account decides, and the policy's author is locked out.
    let (code, text) = refusal(bench.call(0, "GetKeyPolicy", json!({"KeyId": key})).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(text.ends_with("because no resource-based policy allows the kms:GetKeyPolicy action"), "{text}");
}

#[tokio::test]
async fn every_refusal_has_a_code_that_the_model_gives_the_operation() {
    // Codes of the framework, which no model lists.
    let framework = ["AccessDeniedException", "ValidationException"];
    let bench = Bench::new();
    let key = bench.create_key().await;
    let pending = bench.create_key().await;
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": pending})).await.unwrap();
    let identifiers = [
        arn("1234abcd-12ab-34cd-56ef-1234567890ab"),
        "arn:aws:s3:::bucket".to_owned(),
        "arn:aws:kms:us-east-1:123456789012:key/x".to_owned(),
        "alias/none".to_owned(),
        "nothing".to_owned(),
        pending,
    ];
    for operation in ON_ONE_KEY.into_iter().chain(["RetireGrant"]) {
        let mut bodies: Vec<Value> = identifiers.iter().map(|key| body(operation, key)).collect();
        let mut with_marker = body(operation, &key);
        with_marker["Marker"] = json!("forged");
        bodies.push(with_marker);
        for body in bodies {
            if let Err((code, _)) = bench.call(0, operation, body.clone()).await {
                let modelled = modelled_errors(operation);
                let known = modelled.contains(&code.as_str()) || framework.contains(&code.as_str());
                assert!(known, "{operation} {body}: {code} is none of {modelled:?}");
            }
        }
    }
    for operation in ["UpdateAlias", "DeleteAlias"] {
        let body = json!({"AliasName": "alias/aws/s3", "TargetKeyId": key});
        assert_eq!(code(bench.call(0, operation, body).await), "NotFoundException", "{operation}");
    }
}

fn modelled_errors(operation: &str) -> Vec<&'static str> {
    let text = include_str!("../../../../models/kms-2014-11-01.json");
    let model: &'static Value = Box::leak(Box::new(serde_json::from_str(text).unwrap()));
    let errors = model["operations"][operation]["errors"].as_array().unwrap();
    errors.iter().map(|error| error["shape"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_aliases_of_one_key_can_go_at_once() {
    let bench = Arc::new(Bench::new());
    let key = bench.create_key().await;
    for number in 0..50 {
        let alias = json!({"AliasName": format!("alias/{number}"), "TargetKeyId": key});
        bench.call(0, "CreateAlias", alias).await.unwrap();
    }
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move {
                bench.call(0, "DeleteAlias", json!({"AliasName": format!("alias/{number}")})).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(bench.call(0, "ListAliases", json!({"KeyId": key})).await.unwrap()["Aliases"], json!([]));
}

#[tokio::test]
async fn an_operation_refuses_keys_that_are_for_something_else() {
    let bench = Bench::new();
    let symmetric = bench.create_key().await;
    let create = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"});
    let signer = bench.call(0, "CreateKey", create).await.unwrap()["KeyMetadata"]["KeyId"].clone();
    let signer = signer.as_str().unwrap();
    let on_symmetric =
        ["Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"];
    for operation in on_symmetric {
        let (code, text) = refusal(bench.call(0, operation, body(operation, &symmetric)).await);
        let expected =
            format!("{} key usage is ENCRYPT_DECRYPT which is not valid for {operation}.", arn(&symmetric));
        assert_eq!((code.as_str(), text), ("InvalidKeyUsageException", expected));
    }
    let on_signer =
        ["Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateMac", "DeriveSharedSecret"];
    for operation in on_signer {
        let (code, text) = refusal(bench.call(0, operation, body(operation, signer)).await);
        let expected =
            format!("{} key usage is SIGN_VERIFY which is not valid for {operation}.", arn(signer));
        assert_eq!((code.as_str(), text), ("InvalidKeyUsageException", expected));
    }
    // The state is looked at first.
    bench.call(0, "DisableKey", json!({"KeyId": signer})).await.unwrap();
    assert_eq!(code(bench.call(0, "Encrypt", body("Encrypt", signer)).await), "DisabledException");
}
