use serde_json::json;

use super::{ADMIN, DENIED, allow, encrypt, key_with, outcome};
use crate::bench::{ACCOUNT, Bench, OTHER_ACCOUNT, refusal};

/// A user whom identity policies allow Encrypt and CreateAlias, and nothing else.
const LIMITED: &str = "ops/limited";

#[tokio::test]
async fn where_a_key_policy_delegates_identity_policies_decide() {
    let bench = Bench::new();
    let delegating = bench.create_key().await;
    let silent = key_with(&bench, json!([])).await;
    let ask = |operation: &'static str, body| bench.call_as_user(ACCOUNT, LIMITED, 0, operation, body);
    assert_eq!(outcome(ask("Encrypt", encrypt(&delegating, json!({}))).await), Ok(()));
    let (code, text) = refusal(ask("DescribeKey", json!({"KeyId": delegating})).await);
    assert_eq!(code, DENIED);
    assert!(text.ends_with("because no identity-based policy allows the kms:DescribeKey action"), "{text}");
    // A key policy that says nothing of the account is not opened by the account's policies.
    let (code, text) = refusal(ask("Encrypt", encrypt(&silent, json!({}))).await);
    assert_eq!(code, DENIED);
    assert!(text.ends_with("because no resource-based policy allows the kms:Encrypt action"), "{text}");
}

#[tokio::test]
async fn without_a_key_identity_policies_decide_alone() {
    let bench = Bench::new();
    let ask = |operation: &'static str, body| bench.call_as_user(ACCOUNT, LIMITED, 0, operation, body);
    for (operation, body) in [
        ("CreateKey", json!({})),
        ("ListKeys", json!({})),
        ("ListAliases", json!({})),
        ("GenerateRandom", json!({"NumberOfBytes": 1})),
        ("DescribeCustomKeyStores", json!({})),
        ("ConnectCustomKeyStore", json!({"CustomKeyStoreId": "cks-1234567890abcdef0"})),
    ] {
        let (code, text) = refusal(ask(operation, body).await);
        assert_eq!(code, DENIED, "{operation}");
        let expected = format!("because no identity-based policy allows the kms:{operation} action");
        assert!(text.ends_with(&expected), "{text}");
    }
}

#[tokio::test]
async fn an_alias_needs_leave_on_both_its_key_and_its_name() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let ask = |operation: &'static str, body| bench.call_as_user(ACCOUNT, LIMITED, 0, operation, body);
    let app = json!({"AliasName": "alias/app", "TargetKeyId": key});
    assert_eq!(outcome(ask("CreateAlias", app.clone()).await), Ok(()));
    assert_eq!(outcome(ask("UpdateAlias", app).await), Err(DENIED.to_owned()));
    // The key's policy alone is not enough.
    let opened = allow("arn:aws:iam::123456789012:user/admin", json!("kms:*"), json!({}));
    let opened = key_with(&bench, json!([opened])).await;
    let delete = json!({"AliasName": "alias/app"});
    let (code, text) = refusal(ask("DeleteAlias", delete.clone()).await);
    assert_eq!(code, DENIED);
    assert!(text.contains(":alias/app because no identity-based policy"), "{text}");
    assert_eq!(outcome(bench.call(0, "DeleteAlias", delete).await), Ok(()), "{ADMIN} {opened}");
}

#[tokio::test]
async fn the_aliases_of_a_key_are_listed_whatever_its_policy_says() {
    let bench = Bench::new();
    let silent = key_with(&bench, json!([])).await;
    let ask = json!({"KeyId": silent});
    assert_eq!(outcome(bench.call(0, "DescribeKey", ask.clone()).await), Err(DENIED.to_owned()));
    assert_eq!(outcome(bench.call(0, "ListAliases", ask.clone()).await), Ok(()));
    // A key policy gives no leave to list.
    let opened = allow("arn:aws:iam::123456789012:user/ops/limited", json!("kms:ListAliases"), json!({}));
    let opened = key_with(&bench, json!([opened])).await;
    let (code, text) =
        refusal(bench.call_as_user(ACCOUNT, LIMITED, 0, "ListAliases", json!({"KeyId": opened})).await);
    assert_eq!(code, DENIED);
    assert!(text.ends_with("because no identity-based policy allows the kms:ListAliases action"), "{text}");
    let foreign = json!({"KeyId": format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{silent}")});
    assert_eq!(
        outcome(bench.call_as(OTHER_ACCOUNT, 0, "ListAliases", foreign).await),
        Err(DENIED.to_owned())
    );
    let absent = json!({"KeyId": "00000000-1111-4222-8333-444444444444"});
    assert_eq!(outcome(bench.call(0, "ListAliases", absent).await), Err("NotFoundException".to_owned()));
}

#[tokio::test]
async fn nobody_brings_a_managed_key_into_being_without_leave_to_look_at_it() {
    let bench = Bench::new();
    let ask = json!({"KeyId": "alias/aws/s3"});
    for _ in 0..2 {
        let (code, text) = refusal(bench.call_as_user(ACCOUNT, LIMITED, 0, "DescribeKey", ask.clone()).await);
        assert_eq!(code, DENIED);
        assert!(
            text.ends_with("because no identity-based policy allows the kms:DescribeKey action"),
            "{text}"
        );
        assert_eq!(bench.call(0, "ListKeys", json!({})).await.unwrap()["Keys"], json!([]));
    }
    assert_eq!(outcome(bench.call(0, "DescribeKey", ask).await), Ok(()));
}

#[tokio::test]
async fn a_policy_that_delegates_locks_out_whom_identity_policies_give_nothing() {
    let bench = Bench::new();
    let root = allow("arn:aws:iam::123456789012:root", json!("kms:*"), json!({}));
    let limited = allow("arn:aws:iam::123456789012:user/ops/limited", json!("kms:PutKeyPolicy"), json!({}));
    let key = key_with(&bench, json!([limited.clone()])).await;
    let put = |statement: serde_json::Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        bench.call_as_user(ACCOUNT, LIMITED, 0, "PutKeyPolicy", json!({"KeyId": key, "Policy": policy}))
    };
    assert_eq!(outcome(put(root).await), Err("MalformedPolicyDocumentException".to_owned()));
    assert_eq!(outcome(put(limited).await), Ok(()));
}
