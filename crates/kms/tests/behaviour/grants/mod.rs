//! Grants: made, listed, retired, revoked, gone with their key.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>, its subpages
//! `create-grant-overview.html`, `grant-manage.html` and `grant-delete.html`, and the API pages of the operations.

mod listing;
mod removal;
mod terms;
mod tokens;

use serde_json::{Value, json};

use crate::bench::{Bench, refusal};

const ADMIN: &str = "arn:aws:iam::123456789012:user/admin";
const CLERK: &str = "arn:aws:iam::123456789012:user/ops/clerk";
const ROOT: &str = "arn:aws:iam::123456789012:root";
const OTHER_ADMIN: &str = "arn:aws:iam::210987654321:user/admin";
const OTHER_ROOT: &str = "arn:aws:iam::210987654321:root";
const SERVICE: &str = "rds.amazonaws.com";
const SOURCE: &str = "arn:aws:rds:eu-central-1:123456789012:db:orders";

/// A grant's id and token.
type Made = (String, String);

fn terms(key: &str, more: Value) -> Value {
    let mut body = json!({"KeyId": key, "GranteePrincipal": CLERK, "Operations": ["Decrypt", "Encrypt"]});
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

async fn create(bench: &Bench, key: &str, more: Value) -> Made {
    let answer = bench.call(0, "CreateGrant", terms(key, more)).await.unwrap();
    let text = |member: &str| answer[member].as_str().unwrap().to_owned();
    (text("GrantId"), text("GrantToken"))
}

async fn refused(bench: &Bench, key: &str, more: Value) -> (String, String) {
    refusal(bench.call(0, "CreateGrant", terms(key, more)).await)
}

async fn list(bench: &Bench, key: &str, more: Value) -> Vec<Value> {
    let mut body = more;
    body["KeyId"] = json!(key);
    bench.call(0, "ListGrants", body).await.unwrap()["Grants"].as_array().unwrap().clone()
}

async fn retirable(bench: &Bench, account: &str, principal: &str) -> Vec<Value> {
    let body = json!({"RetiringPrincipal": principal});
    let answer = bench.call_as(account, 0, "ListRetirableGrants", body).await.unwrap();
    answer["Grants"].as_array().unwrap().clone()
}

/// The ids of a listing, page by page.
async fn ids_by_page(bench: &Bench, operation: &str, body: Value) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut body = body;
    loop {
        let page = bench.call(0, operation, body.clone()).await.unwrap();
        let id = |entry: &Value| entry["GrantId"].as_str().unwrap().to_owned();
        pages.push(page["Grants"].as_array().unwrap().iter().map(id).collect());
        assert_eq!(page["Truncated"], page.get("NextMarker").is_some());
        match page.get("NextMarker") {
            Some(marker) => body["Marker"] = marker.clone(),
            None => return pages,
        }
    }
}

async fn create_key(bench: &Bench, spec: &str, usage: &str) -> String {
    let answer = bench.call(0, "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await.unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

/// The body of an Encrypt call that carries these tokens.
fn encryption(key: &str, tokens: &[&str]) -> Value {
    json!({"KeyId": key, "Plaintext": "AA==", "GrantTokens": tokens})
}

/// Whether a token is one of a grant on the key.
async fn passes(bench: &Bench, key: &str, token: &str) -> bool {
    let answer = bench.call(0, "Encrypt", encryption(key, &[token])).await;
    match answer {
        Ok(_) => true,
        Err((code, _)) => {
            assert_eq!(code, "InvalidGrantTokenException");
            false
        }
    }
}
