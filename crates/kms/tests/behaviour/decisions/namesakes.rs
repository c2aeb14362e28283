//! Whom a policy or grant names is who was there when it was stored.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>: a user or role that is
//! deleted and made again is another principal; what is shown then is the unique id.

use base::Principal;
use serde_json::{Value, json};

use super::{ADMIN, CLERK, DENIED, allow, as_clerk, encrypt, key_with, outcome};
use crate::bench::{ACCOUNT, Answer, Bench};
use crate::people::unique_id;

const NAMESAKE: &str = "AIDANAMESAKE";

/// Calls Encrypt as a user of this name and unique id.
async fn encrypt_as(bench: &Bench, name: &str, id: &str, key: &str) -> Result<(), String> {
    let user = Principal::User { path_and_name: name.to_owned(), unique_id: id.to_owned() };
    outcome(bench.call_by(user, "Encrypt", encrypt(key, json!({}))).await)
}

async fn policy_of(bench: &Bench, key: &str) -> String {
    let answer = bench.call(0, "GetKeyPolicy", json!({"KeyId": key})).await.unwrap();
    answer["Policy"].as_str().unwrap().to_owned()
}

async fn put(bench: &Bench, key: &str, principal: &str) -> Answer {
    let statements =
        [allow(ADMIN, json!("kms:*"), json!({})), allow(principal, json!("kms:Encrypt"), json!({}))];
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    bench.call(0, "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).await
}

#[tokio::test]
async fn a_user_who_is_made_again_gets_nothing_from_a_key_policy() {
    let mut bench = Bench::new();
    let key = key_with(&bench, json!([allow(CLERK, json!("kms:Encrypt"), json!({}))])).await;
    let written = policy_of(&bench, &key).await;
    assert_eq!(outcome(as_clerk(&bench, "Encrypt", encrypt(&key, json!({}))).await), Ok(()));
    bench.people.delete(CLERK);
    let shown = written.replace(CLERK, &unique_id(ACCOUNT, "ops/clerk"));
    assert_ne!(shown, written);
    assert_eq!(policy_of(&bench, &key).await, shown);
    bench.people.name(CLERK, NAMESAKE);
    for _ in 0..2 {
        let refused = encrypt_as(&bench, "ops/clerk", NAMESAKE, &key).await;
        assert_eq!(refused, Err(DENIED.to_owned()));
        assert_eq!(policy_of(&bench, &key).await, shown);
        bench.restart();
    }
    put(&bench, &key, CLERK).await.unwrap();
    assert_eq!(encrypt_as(&bench, "ops/clerk", NAMESAKE, &key).await, Ok(()));
}

#[tokio::test]
async fn a_user_with_a_new_name_keeps_what_a_key_policy_gives() {
    let bench = Bench::new();
    let key = key_with(&bench, json!([allow(CLERK, json!("kms:Encrypt"), json!({}))])).await;
    let written = policy_of(&bench, &key).await;
    let id = unique_id(ACCOUNT, "ops/clerk");
    let new = "arn:aws:iam::123456789012:user/ops/secretary";
    bench.people.name(new, &id);
    assert_eq!(encrypt_as(&bench, "ops/secretary", &id, &key).await, Ok(()));
    assert_eq!(policy_of(&bench, &key).await, written.replace(CLERK, new));
}

#[tokio::test]
async fn unique_ids_are_principals_while_there_is_somebody() {
    let bench = Bench::new();
    let key = key_with(&bench, json!([])).await;
    let id = unique_id(ACCOUNT, "ops/clerk");
    put(&bench, &key, &id).await.unwrap();
    assert_eq!(outcome(as_clerk(&bench, "Encrypt", encrypt(&key, json!({}))).await), Ok(()));
    bench.people.delete(CLERK);
    let refused = put(&bench, &key, &id).await.unwrap_err();
    assert_eq!(refused.0, "MalformedPolicyDocumentException");
}

#[tokio::test]
async fn a_grant_belongs_to_whom_it_was_made_for() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let body = json!({"KeyId": key, "GranteePrincipal": CLERK, "RetiringPrincipal": CLERK, "Name": "g",
        "Operations": ["DescribeKey"]});
    let closed =
        json!([allow(ADMIN, json!(["kms:CreateGrant", "kms:ListGrants", "kms:PutKeyPolicy"]), json!({}))]);
    let policy = json!({"Version": "2012-10-17", "Statement": closed}).to_string();
    bench.call(0, "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).await.unwrap();
    let first = bench.call(0, "CreateGrant", body.clone()).await.unwrap()["GrantId"].clone();
    let describe = |id: &str| {
        let user = Principal::User { path_and_name: "ops/clerk".to_owned(), unique_id: id.to_owned() };
        bench.call_by(user, "DescribeKey", json!({"KeyId": key}))
    };
    let id = unique_id(ACCOUNT, "ops/clerk");
    assert!(describe(&id).await.is_ok());
    bench.people.name(CLERK, NAMESAKE);
    assert_eq!(outcome(describe(NAMESAKE).await), Err(DENIED.to_owned()));
    let shown = |listing: &Value| listing["Grants"][0]["GranteePrincipal"].as_str().unwrap().to_owned();
    let listing = bench.call(0, "ListGrants", json!({"KeyId": key})).await.unwrap();
    assert_eq!(shown(&listing), id);
    let retirable = bench.call(0, "ListRetirableGrants", json!({"RetiringPrincipal": CLERK})).await.unwrap();
    assert_eq!(retirable["Grants"], json!([]));
    // The same name and terms for the namesake are another grant.
    let second = bench.call(0, "CreateGrant", body).await.unwrap()["GrantId"].clone();
    assert_ne!(first, second);
    assert!(describe(NAMESAKE).await.is_ok());
    let filtered =
        bench.call(0, "ListGrants", json!({"KeyId": key, "GranteePrincipal": CLERK})).await.unwrap();
    assert_eq!((filtered["Grants"].as_array().unwrap().len(), shown(&filtered)), (1, CLERK.to_owned()));
}
