use serde_json::{Value, json};

use super::{ADMIN, CLERK, DENIED, STRANGER, allow, as_clerk, encrypt, key_with, outcome};
use crate::bench::{Bench, OTHER_ACCOUNT, arn};

/// A key whose policy lets the administrator make grants, and nobody use it.
async fn grantable(bench: &Bench) -> String {
    key_with(bench, json!([allow(ADMIN, json!(["kms:CreateGrant", "kms:RevokeGrant"]), json!({}))])).await
}

async fn grant(bench: &Bench, key: &str, grantee: &str, operations: Value, constraints: Value) -> String {
    let body = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": operations,
        "Constraints": constraints});
    bench.call(0, "CreateGrant", body).await.unwrap()["GrantId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_grant_allows_its_operations_to_its_grantee_until_it_is_revoked() {
    let bench = Bench::new();
    let key = grantable(&bench).await;
    let denied = || Err(DENIED.to_owned());
    let ask = || as_clerk(&bench, "Encrypt", encrypt(&key, json!({})));
    assert_eq!(outcome(ask().await), denied());
    let id = grant(&bench, &key, CLERK, json!(["Encrypt"]), json!({})).await;
    let blob = ask().await.unwrap()["CiphertextBlob"].clone();
    assert_eq!(outcome(as_clerk(&bench, "Decrypt", json!({"CiphertextBlob": blob})).await), denied());
    assert_eq!(outcome(bench.call(0, "Encrypt", encrypt(&key, json!({}))).await), denied());
    bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": id})).await.unwrap();
    assert_eq!(outcome(ask().await), denied());
}

#[tokio::test]
async fn a_grant_reaches_other_accounts_and_stays_under_a_deny() {
    let bench = Bench::new();
    let key = grantable(&bench).await;
    grant(&bench, &key, STRANGER, json!(["Encrypt", "DescribeKey"]), json!({})).await;
    let foreign = |user: &'static str, operation: &'static str, body| {
        bench.call_as_user(OTHER_ACCOUNT, user, 0, operation, body)
    };
    let body = encrypt(&arn(&key), json!({}));
    assert_eq!(outcome(foreign("admin", "Encrypt", body.clone()).await), Ok(()));
    assert_eq!(outcome(foreign("admin", "DescribeKey", json!({"KeyId": arn(&key)})).await), Ok(()));
    assert_eq!(outcome(foreign("ops/clerk", "Encrypt", body.clone()).await), Err(DENIED.to_owned()));
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"});
    let policy =
        json!({"Version": "2012-10-17", "Statement": [allow(ADMIN, json!("kms:*"), json!({})), deny]});
    bench.call(0, "PutKeyPolicy", json!({"KeyId": key, "Policy": policy.to_string()})).await.unwrap();
    assert_eq!(outcome(foreign("admin", "Encrypt", body).await), Err(DENIED.to_owned()));
    assert_eq!(outcome(foreign("admin", "DescribeKey", json!({"KeyId": arn(&key)})).await), Ok(()));
}

#[tokio::test]
async fn constraints_on_the_encryption_context_hold() {
    let bench = Bench::new();
    let operations = json!(["Encrypt", "DescribeKey"]);
    let pairs = json!({"a": "1", "b": "2"});
    for (constraint, context, may) in [
        ("EncryptionContextEquals", json!({"a": "1", "b": "2"}), true),
        ("EncryptionContextEquals", json!({"a": "1", "b": "2", "c": "3"}), false),
        ("EncryptionContextEquals", json!({"a": "1"}), false),
        ("EncryptionContextEquals", json!({}), false),
        ("EncryptionContextSubset", json!({"a": "1", "b": "2"}), true),
        ("EncryptionContextSubset", json!({"a": "1", "b": "2", "c": "3"}), true),
        ("EncryptionContextSubset", json!({"a": "1"}), false),
        ("EncryptionContextSubset", json!({"a": "1", "b": "3"}), false),
        ("EncryptionContextSubset", json!({"A": "1", "b": "2"}), false),
    ] {
        let key = grantable(&bench).await;
        let constraints = json!({ constraint: pairs });
        grant(&bench, &key, CLERK, operations.clone(), constraints).await;
        let answer = as_clerk(&bench, "Encrypt", encrypt(&key, context.clone())).await;
        assert_eq!(answer.is_ok(), may, "{constraint} {context}: {answer:?}");
        // DescribeKey has no encryption context, and the constraint nothing to say about it.
        assert_eq!(outcome(as_clerk(&bench, "DescribeKey", json!({"KeyId": key})).await), Ok(()));
    }
}

#[tokio::test]
async fn a_long_encryption_context_finds_its_grant_and_reads_no_more_than_there_are() {
    let bench = Bench::in_memory();
    let key = grantable(&bench).await;
    grant(&bench, &key, CLERK, json!(["Encrypt"]), json!({"EncryptionContextSubset": {"n": "x"}})).await;
    let wanted = json!({"EncryptionContextSubset": {"n": "7", "z": "1"}});
    grant(&bench, &key, CLERK, json!(["Encrypt"]), wanted).await;
    let context = |z: &str| {
        let mut pairs: serde_json::Map<String, Value> =
            (0..1_000).map(|number| (number.to_string(), json!("x"))).collect();
        pairs.insert("n".to_owned(), json!("7"));
        pairs.insert("z".to_owned(), json!(z));
        Value::Object(pairs)
    };
    let ask = |z: &str| as_clerk(&bench, "Encrypt", encrypt(&key, context(z)));
    assert_eq!(outcome(ask("1").await), Ok(()));
    let before = bench.watch.entries_read();
    assert_eq!(outcome(ask("2").await), Err(DENIED.to_owned()));
    assert!(bench.watch.entries_read() - before < 10);
}

#[tokio::test]
async fn who_makes_grants_by_a_grant_passes_on_no_more_than_it_has() {
    let bench = Bench::new();
    let key = grantable(&bench).await;
    let constraints = json!({"EncryptionContextSubset": {"a": "1"}});
    let parent = grant(&bench, &key, CLERK, json!(["CreateGrant", "Encrypt"]), constraints).await;
    let child = |operations: Value, constraints: Value| {
        let body = json!({"KeyId": key, "GranteePrincipal": STRANGER, "Operations": operations,
            "Constraints": constraints});
        as_clerk(&bench, "CreateGrant", body)
    };
    let stricter = json!({"EncryptionContextEquals": {"a": "1", "b": "2"}});
    let same = json!({"EncryptionContextSubset": {"a": "1"}});
    for (operations, constraints, may) in [
        (json!(["Encrypt"]), stricter.clone(), true),
        (json!(["Encrypt", "CreateGrant"]), same.clone(), true),
        (json!(["Encrypt"]), json!({}), false),
        (json!(["Encrypt"]), json!({"EncryptionContextSubset": {"b": "1"}}), false),
        (json!(["Decrypt"]), same.clone(), false),
    ] {
        let answer = child(operations.clone(), constraints.clone()).await;
        let expected = if may { Ok(()) } else { Err(DENIED.to_owned()) };
        assert_eq!(outcome(answer), expected, "{operations} {constraints}");
    }
    // What the child allows is its own, also when its parent is gone.
    bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": parent})).await.unwrap();
    assert_eq!(outcome(child(json!(["Encrypt"]), stricter).await), Err(DENIED.to_owned()));
    let body = encrypt(&arn(&key), json!({"a": "1", "z": "2"}));
    let by_child = bench.call_as_user(OTHER_ACCOUNT, "admin", 0, "Encrypt", body).await;
    assert_eq!(outcome(by_child), Ok(()));
}

#[tokio::test]
async fn hundreds_of_grants_make_a_decision_read_no_more() {
    let bench = Bench::in_memory();
    let key = grantable(&bench).await;
    grant(&bench, &key, CLERK, json!(["Encrypt"]), json!({"EncryptionContextEquals": {"n": "mine"}})).await;
    let ask = || as_clerk(&bench, "Encrypt", encrypt(&key, json!({"n": "mine"})));
    ask().await.unwrap();
    let before = bench.watch.entries_read();
    ask().await.unwrap();
    let alone = bench.watch.entries_read() - before;
    for number in 0..500 {
        let constraints = json!({"EncryptionContextEquals": {"n": number.to_string()}});
        grant(&bench, &key, CLERK, json!(["Encrypt"]), constraints).await;
    }
    ask().await.unwrap();
    let before = bench.watch.entries_read();
    ask().await.unwrap();
    assert_eq!(bench.watch.entries_read() - before, alone);
}
