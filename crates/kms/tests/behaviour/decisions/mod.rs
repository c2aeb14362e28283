//! Who may do what to a key: key policies and grants decide.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>

mod by_grant;
mod by_identity;
mod by_policy;
mod namesakes;
mod sessions;

use serde_json::{Value, json};

use crate::bench::{ACCOUNT, Answer, Bench};

const ADMIN: &str = "arn:aws:iam::123456789012:user/admin";
const CLERK: &str = "arn:aws:iam::123456789012:user/ops/clerk";
const STRANGER: &str = "arn:aws:iam::210987654321:user/admin";
const DENIED: &str = "AccessDeniedException";

/// A statement that allows `actions` to `principal`, under more elements.
fn allow(principal: &str, actions: Value, more: Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"});
    for (element, value) in more.as_object().unwrap() {
        statement[element] = value.clone();
    }
    statement
}

/// A key that its creator administers, and that nobody uses but by these statements.
async fn key_with(bench: &Bench, statements: Value) -> String {
    let administer = json!(["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:ListGrants", "kms:DisableKey"]);
    let mut all = vec![allow(ADMIN, administer, json!({}))];
    all.extend(statements.as_array().unwrap().iter().cloned());
    let policy = json!({"Version": "2012-10-17", "Statement": all}).to_string();
    let answer = bench.call(0, "CreateKey", json!({"Policy": policy})).await.unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn as_clerk(bench: &Bench, operation: &str, body: Value) -> Answer {
    bench.call_as_user(ACCOUNT, "ops/clerk", 0, operation, body).await
}

fn encrypt(key: &str, context: Value) -> Value {
    json!({"KeyId": key, "Plaintext": "c2VjcmV0", "EncryptionContext": context})
}

/// What a call came to: done, or the code of its refusal.
fn outcome(answer: Answer) -> Result<(), String> {
    answer.map(|_| ()).map_err(|(code, _)| code)
}
