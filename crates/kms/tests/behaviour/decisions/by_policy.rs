use serde_json::json;

use super::{ADMIN, CLERK, DENIED, STRANGER, allow, as_clerk, encrypt, key_with, outcome};
use crate::bench::{ACCOUNT, Bench, OTHER_ACCOUNT, arn, code, refusal};

#[tokio::test]
async fn who_uses_a_key_does_not_administer_it_and_the_other_way_round() {
    let bench = Bench::new();
    let key = key_with(&bench, json!([allow(CLERK, json!(["kms:Encrypt", "kms:Decrypt"]), json!({}))])).await;
    let blob = as_clerk(&bench, "Encrypt", encrypt(&key, json!({}))).await.unwrap()["CiphertextBlob"].clone();
    let opened = as_clerk(&bench, "Decrypt", json!({"CiphertextBlob": blob, "KeyId": key})).await.unwrap();
    assert_eq!(opened["Plaintext"], "c2VjcmV0");
    let (code, text) = refusal(as_clerk(&bench, "DisableKey", json!({"KeyId": key})).await);
    let expected = format!(
        "User: {CLERK} is not authorized to perform: kms:DisableKey on resource: {} because no resource-based \
         policy allows the kms:DisableKey action",
        arn(&key)
    );
    assert_eq!((code.as_str(), text), (DENIED, expected));
    let by_admin = [
        ("Encrypt", encrypt(&key, json!({}))),
        ("Decrypt", json!({"CiphertextBlob": blob, "KeyId": key})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("DescribeKey", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        ("CreateAlias", json!({"AliasName": "alias/x", "TargetKeyId": key})),
    ];
    for (operation, body) in by_admin {
        assert_eq!(outcome(bench.call(0, operation, body).await), Err(DENIED.to_owned()), "{operation}");
    }
    bench.call(0, "DisableKey", json!({"KeyId": key})).await.unwrap();
    assert_eq!(code_of_encrypt(&bench, &key).await, "DisabledException");
}

async fn code_of_encrypt(bench: &Bench, key: &str) -> String {
    code(as_clerk(bench, "Encrypt", encrypt(key, json!({}))).await)
}

#[tokio::test]
async fn a_new_policy_decides_the_next_call() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    assert_eq!(outcome(as_clerk(&bench, "Encrypt", encrypt(&key, json!({}))).await), Ok(()));
    let alone = json!({"Version": "2012-10-17", "Statement": [allow(ADMIN, json!("kms:*"), json!({}))]});
    let put = json!({"KeyId": key, "Policy": alone.to_string()});
    bench.call(0, "PutKeyPolicy", put).await.unwrap();
    assert_eq!(code_of_encrypt(&bench, &key).await, DENIED);
    assert_eq!(outcome(bench.call(0, "Encrypt", encrypt(&key, json!({}))).await), Ok(()));
}

#[tokio::test]
async fn a_deny_counts_more_than_any_allow() {
    let bench = Bench::new();
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:stage": "test"}}});
    let key = key_with(&bench, json!([allow(CLERK, json!("kms:*"), json!({})), deny])).await;
    let with = |stage: &str| encrypt(&key, json!({"stage": stage}));
    assert_eq!(outcome(as_clerk(&bench, "Encrypt", with("production")).await), Ok(()));
    let (code, text) = refusal(as_clerk(&bench, "Encrypt", with("test")).await);
    assert_eq!(code, DENIED);
    assert!(text.ends_with(" with an explicit deny in a resource-based policy"), "{text}");
}

#[tokio::test]
async fn another_account_gets_what_the_policy_opens_to_it() {
    let bench = Bench::new();
    let opened = allow(STRANGER, json!(["kms:Encrypt", "kms:PutKeyPolicy"]), json!({}));
    let key = key_with(&bench, json!([opened])).await;
    let foreign =
        |operation: &'static str, body| bench.call_as_user(OTHER_ACCOUNT, "admin", 0, operation, body);
    let answer = foreign("Encrypt", encrypt(&arn(&key), json!({}))).await.unwrap();
    assert_eq!(answer["KeyId"], arn(&key));
    // A bare id is one of the caller's own account.
    assert_eq!(outcome(foreign("Encrypt", encrypt(&key, json!({}))).await), Err("NotFoundException".into()));
    // No policy opens what works within an account only.
    let put = json!({"KeyId": arn(&key), "Policy": "{}"});
    for (operation, body) in
        [("PutKeyPolicy", put), ("Decrypt", json!({"CiphertextBlob": answer["CiphertextBlob"]}))]
    {
        assert_eq!(outcome(foreign(operation, body).await), Err(DENIED.to_owned()), "{operation}");
    }
    let other_user =
        bench.call_as_user(OTHER_ACCOUNT, "ops/clerk", 0, "Encrypt", encrypt(&arn(&key), json!({})));
    let absent = encrypt(&arn("0987dcba-09fe-87dc-65ba-ab0987654321"), json!({}));
    let (of_closed, of_absent) = (refusal(other_user.await), refusal(foreign("Encrypt", absent).await));
    // Whether there is such a key is not told.
    assert_eq!(of_closed.0, DENIED);
    assert_eq!(of_closed.1.replace("user/ops/clerk", "user/admin"), of_absent.1);
}

#[tokio::test]
async fn conditions_are_about_the_request_and_the_key() {
    let bench = Bench::new();
    let only = |condition: serde_json::Value| {
        let bench = &bench;
        async move {
            let may = allow(CLERK, json!("kms:*"), json!({"Condition": condition}));
            let create = allow(ADMIN, json!(["kms:CreateAlias", "kms:TagResource"]), json!({}));
            key_with(bench, json!([may, create])).await
        }
    };
    let by_alias = only(json!({"StringEquals": {"kms:RequestAlias": "alias/app"}})).await;
    let alias = json!({"AliasName": "alias/app", "TargetKeyId": by_alias});
    bench.call(0, "CreateAlias", alias).await.unwrap();
    let alias_arn = format!("arn:aws:kms:eu-central-1:{ACCOUNT}:alias/app");
    for (name, may) in [("alias/app", true), (alias_arn.as_str(), true), (by_alias.as_str(), false)] {
        let answer = as_clerk(&bench, "Encrypt", encrypt(name, json!({}))).await;
        assert_eq!(answer.is_ok(), may, "{name}");
    }
    let by_tag = only(json!({"StringEquals": {"aws:ResourceTag/team": "a"}})).await;
    for (team, may) in [("b", false), ("a", true)] {
        let tag = json!({"KeyId": by_tag, "Tags": [{"TagKey": "team", "TagValue": team}]});
        bench.call(0, "TagResource", tag).await.unwrap();
        assert_eq!(as_clerk(&bench, "Encrypt", encrypt(&by_tag, json!({}))).await.is_ok(), may, "{team}");
    }
    let by_window = only(json!({"NumericGreaterThanEquals":
        {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}))
    .await;
    for (days, may) in [(json!(7), false), (json!(null), true)] {
        let mut body = json!({"KeyId": by_window, "PendingWindowInDays": days});
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(as_clerk(&bench, "ScheduleKeyDeletion", body).await.is_ok(), may, "{days}");
    }
    let by_context_keys =
        only(json!({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]}})).await;
    for (context, may) in [(json!({"a": "1"}), true), (json!({"a": "1", "c": "1"}), false)] {
        let body = encrypt(&by_context_keys, context.clone());
        assert_eq!(as_clerk(&bench, "Encrypt", body).await.is_ok(), may, "{context}");
    }
}

#[tokio::test]
async fn re_encrypt_asks_both_keys_each_for_its_half() {
    let bench = Bench::new();
    let may = |action: &str| json!([allow(CLERK, json!(["kms:Encrypt", action]), json!({}))]);
    let source = key_with(&bench, may("kms:ReEncryptFrom")).await;
    let destination = key_with(&bench, may("kms:ReEncryptTo")).await;
    let sealed = |answer: serde_json::Value| answer["CiphertextBlob"].clone();
    let of_source = sealed(as_clerk(&bench, "Encrypt", encrypt(&source, json!({}))).await.unwrap());
    let of_destination = sealed(as_clerk(&bench, "Encrypt", encrypt(&destination, json!({}))).await.unwrap());
    for (blob, to, may) in [
        (&of_source, &destination, true),
        (&of_source, &source, false),
        (&of_destination, &destination, false),
        (&of_destination, &source, false),
    ] {
        let body = json!({"CiphertextBlob": blob, "DestinationKeyId": to});
        assert_eq!(as_clerk(&bench, "ReEncrypt", body).await.is_ok(), may, "{to}");
    }
}
