//! Making grants: what a grant may say, and when it is the same as one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    ADMIN, CLERK, OTHER_ADMIN, OTHER_ROOT, ROOT, SERVICE, SOURCE, create, create_key, list, passes, refused,
    retirable, terms,
};
use crate::bench::{Bench, OTHER_ACCOUNT, arn};

#[tokio::test]
async fn a_grant_is_listed_as_it_was_made_and_never_with_its_token() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let more = json!({
        "Name": "my:grant/1_a-b", "RetiringPrincipal": OTHER_ADMIN,
        "Operations": ["Encrypt", "DescribeKey", "Decrypt", "Encrypt"],
        "Constraints": {"EncryptionContextSubset": {"a": "b"}, "SourceArn": SOURCE},
    });
    let (id, token) = create(&bench, &key, more).await;
    assert!(id.len() == 64 && id.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{id}");
    assert!(token.len() <= 8_192);
    let expected = json!({
        "KeyId": arn(&key), "GrantId": id, "Name": "my:grant/1_a-b", "CreationDate": 1_700_000_000,
        "GranteePrincipal": CLERK, "RetiringPrincipal": OTHER_ADMIN, "IssuingAccount": ROOT,
        "Operations": ["Decrypt", "Encrypt", "DescribeKey"],
        "Constraints": {"EncryptionContextSubset": {"a": "b"}, "SourceArn": SOURCE},
    });
    let listed = list(&bench, &key, json!({})).await;
    assert_eq!(retirable(&bench, OTHER_ACCOUNT, OTHER_ADMIN).await, listed);
    assert_eq!(listed, [expected]);
}

#[tokio::test]
async fn a_bare_grant_has_an_empty_name_and_no_constraints() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    create(&bench, &key, json!({"Constraints": {}})).await;
    let [grant] = &list(&bench, &key, json!({})).await[..] else { panic!("one grant") };
    assert_eq!(grant["Name"], "");
    for member in [
        "Constraints",
        "RetiringPrincipal",
        "GranteeServicePrincipal",
        "RetiringServicePrincipal",
        "GrantToken",
    ] {
        assert!(grant.get(member).is_none(), "{member}");
    }
}

#[tokio::test]
async fn a_service_can_be_grantee_with_a_source_and_somebody_to_retire() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let whole = json!({
        "GranteePrincipal": null, "GranteeServicePrincipal": SERVICE, "RetiringServicePrincipal": SERVICE,
        "Constraints": {"SourceArn": SOURCE},
    });
    let (id, _) = create(&bench, &key, whole.clone()).await;
    let [grant] = &list(&bench, &key, json!({"GranteeServicePrincipal": SERVICE})).await[..] else {
        panic!("one grant")
    };
    assert_eq!(grant["GrantId"], id);
    assert_eq!(grant["GranteeServicePrincipal"], SERVICE);
    assert_eq!(grant["RetiringServicePrincipal"], SERVICE);
    assert!(grant.get("GranteePrincipal").is_none() && grant.get("RetiringPrincipal").is_none());
    assert!(list(&bench, &key, json!({"GranteeServicePrincipal": "s3.amazonaws.com"})).await.is_empty());
    for (member, instead) in [
        ("Constraints", Value::Null),
        ("Constraints", json!({"EncryptionContextEquals": {"a": "b"}})),
        ("RetiringServicePrincipal", Value::Null),
    ] {
        let mut incomplete = whole.clone();
        incomplete[member] = instead;
        assert_eq!(refused(&bench, &key, incomplete).await.0, "ValidationException", "{member}");
    }
    let mut retired_by_a_user = whole;
    retired_by_a_user["RetiringServicePrincipal"] = Value::Null;
    retired_by_a_user["RetiringPrincipal"] = json!(ADMIN);
    create(&bench, &key, retired_by_a_user).await;
}

#[tokio::test]
async fn parameters_that_exclude_each_other_or_are_too_much_are_refused() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let long = "x".repeat(385);
    let nine: Value =
        (0..9).map(|number| (number.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    for more in [
        json!({"GranteePrincipal": null}),
        json!({"GranteeServicePrincipal": SERVICE}),
        json!({"RetiringPrincipal": ADMIN, "RetiringServicePrincipal": SERVICE}),
        json!({"Operations": []}),
        json!({"Operations": ["CreateGrant", "CreateGrant"]}),
        json!({"Operations": ["RevokeGrant"]}),
        json!({"Constraints": {"EncryptionContextSubset": {}, "EncryptionContextEquals": {}}}),
        json!({"Constraints": {"EncryptionContextSubset": {"a": long}}}),
        json!({"Constraints": {"EncryptionContextEquals": {long.clone(): "a"}}}),
        json!({"Constraints": {"EncryptionContextEquals": nine}}),
        json!({"Constraints": {"SourceArn": "arn:aws:s3:::a-bucket-without-account"}}),
        json!({"Name": "a b"}),
    ] {
        assert_eq!(refused(&bench, &key, more.clone()).await.0, "ValidationException", "{more}");
    }
    let alone = refused(&bench, &key, json!({"Operations": ["CreateGrant"]})).await;
    assert_eq!(alone.1, "Grants must not contain only the CreateGrant operation.");
    assert!(list(&bench, &key, json!({})).await.is_empty());
    let eight: Value = (0..8)
        .map(|number| (number.to_string(), json!("é".repeat(384))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    create(&bench, &key, json!({"Constraints": {"EncryptionContextEquals": eight}})).await;
}

#[tokio::test]
async fn a_grant_names_principals_who_exist() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    for principal in [
        ADMIN,
        CLERK,
        ROOT,
        OTHER_ADMIN,
        OTHER_ROOT,
        "arn:aws:iam::123456789012:role/service/app",
        "arn:aws:sts::210987654321:assumed-role/app/session",
        "arn:aws:sts::123456789012:federated-user/anybody",
    ] {
        create(&bench, &key, json!({"GranteePrincipal": principal, "RetiringPrincipal": principal})).await;
    }
    for nobody in [
        "arn:aws:iam::123456789012:user/nobody",
        "arn:aws:iam::123456789012:user/clerk",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::123456789012:role/none",
        "arn:aws:sts::123456789012:assumed-role/none/session",
        "arn:aws:iam::123456789012:role/app",
        "arn:aws:sts::111111111111:federated-user/none",
        "AIDAADMIN",
        "arn:aws:iam::123456789012:group/ops",
        "123456789012",
        SERVICE,
        "x",
    ] {
        for member in ["GranteePrincipal", "RetiringPrincipal"] {
            let (code, text) = refused(&bench, &key, json!({member: nobody})).await;
            assert_eq!(code, "InvalidArnException", "{nobody}");
            assert_eq!(text, format!("ARN does not refer to a valid principal: {nobody}"));
        }
    }
}

/// The table on <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations>.
#[tokio::test]
async fn operations_go_with_the_kind_of_key() {
    let symmetric = [
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    ];
    let kinds: [(&str, &str, &[&str]); 6] = [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", &symmetric),
        (
            "RSA_2048",
            "ENCRYPT_DECRYPT",
            &["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"],
        ),
        ("ECC_NIST_P256", "SIGN_VERIFY", &["Sign", "Verify", "GetPublicKey"]),
        ("ECC_NIST_P256", "KEY_AGREEMENT", &["DeriveSharedSecret", "GetPublicKey"]),
        ("HMAC_256", "GENERATE_VERIFY_MAC", &["GenerateMac", "VerifyMac"]),
        ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE", &["Encapsulate", "Decapsulate", "GetPublicKey"]),
    ];
    let own: BTreeSet<&str> =
        kinds.iter().flat_map(|(_, _, operations)| operations.iter().copied()).collect();
    let any = ["DescribeKey", "RetireGrant", "CreateGrant"];
    let bench = Bench::new();
    for (spec, usage, operations) in kinds {
        let key = create_key(&bench, spec, usage).await;
        let all: Vec<&str> = operations.iter().copied().chain(any).collect();
        create(&bench, &key, json!({"Operations": all})).await;
        for operation in own.iter().filter(|operation| !operations.contains(operation)) {
            let (code, text) = refused(&bench, &key, json!({"Operations": [operation, "DescribeKey"]})).await;
            assert_eq!(code, "ValidationException", "{operation} on {spec}");
            assert!(
                text.contains(operation) && text.contains(spec) && !text.contains("DescribeKey"),
                "{text}"
            );
        }
        let context = json!({"Operations": all, "Constraints": {"EncryptionContextSubset": {"a": "b"}}});
        let answer = bench.call(0, "CreateGrant", terms(&key, context)).await;
        assert_eq!(answer.is_ok(), spec == "SYMMETRIC_DEFAULT", "{spec}");
        create(&bench, &key, json!({"Operations": all, "Constraints": {"SourceArn": SOURCE}})).await;
    }
}

#[tokio::test]
async fn the_same_name_and_terms_are_the_same_grant_with_another_token() {
    let bench = Bench::new();
    let (key, elsewhere) = (bench.create_key().await, bench.create_key().await);
    let named = json!({
        "Name": "n", "RetiringPrincipal": ADMIN, "Operations": ["Encrypt", "Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b", "c": "d"}},
    });
    let first = create(&bench, &key, named.clone()).await;
    let before = bench.store.outbox(1_000).await.unwrap().len();
    let mut reordered = named.clone();
    reordered["Operations"] = json!(["Decrypt", "Encrypt", "Decrypt"]);
    let again = create(&bench, &key, reordered).await;
    assert_eq!(again.0, first.0);
    assert_ne!(again.1, first.1);
    assert_eq!(bench.store.outbox(1_000).await.unwrap().len(), before, "nothing has changed");
    assert!(passes(&bench, &key, &first.1).await && passes(&bench, &key, &again.1).await);
    let mut ids = BTreeSet::from([first.0.clone()]);
    for (member, other) in [
        ("Name", json!("m")),
        ("Name", Value::Null),
        ("Name", Value::Null),
        ("GranteePrincipal", json!(ADMIN)),
        ("RetiringPrincipal", json!(CLERK)),
        ("RetiringPrincipal", Value::Null),
        ("Operations", json!(["Encrypt"])),
        ("Constraints", json!({"EncryptionContextSubset": {"a": "b", "c": "d"}})),
        ("Constraints", json!({"EncryptionContextEquals": {"a": "b", "c": "D"}})),
        ("Constraints", json!({"EncryptionContextEquals": {"a": "b", "c": "d"}, "SourceArn": SOURCE})),
        ("Constraints", Value::Null),
    ] {
        let mut different = named.clone();
        different[member] = other;
        assert!(ids.insert(create(&bench, &key, different).await.0), "{member}");
    }
    assert!(ids.insert(create(&bench, &elsewhere, named.clone()).await.0), "another key, another grant");
    // The name is free once its grant is gone.
    bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": first.0})).await.unwrap();
    assert!(ids.insert(create(&bench, &key, named).await.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_make_the_same_named_grant_make_one() {
    let bench = Arc::new(Bench::new());
    let key = bench.create_key().await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (bench, key) = (Arc::clone(&bench), key.clone());
            tokio::spawn(async move { create(&bench, &key, json!({"Name": "one"})).await })
        })
        .collect();
    let (mut ids, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for task in tasks {
        let (id, token) = task.await.unwrap();
        ids.insert(id);
        tokens.insert(token);
    }
    assert_eq!((ids.len(), tokens.len()), (1, 16));
    assert_eq!(list(&bench, &key, json!({})).await.len(), 1);
}
