//! Fills a store as an organisation would: keys with tags, some with aliases, policies of their own and grants, and people.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::client::Connection;
use crate::keywright::{ACCOUNT, Keywright};
use crate::prepared::Prepared;
use crate::progress;

/// Who asks at the same time.
const CLIENTS: usize = 64;
/// One key in so many has an alias, one a policy of its own, one a grant.
const ONE_IN: usize = 10;
const ATTEMPTS: usize = 5;
const TOLD_EVERY: usize = 50_000;

/// Makes so many keys and users. The answer is the keys' ARNs.
pub(crate) async fn fill(keywright: &Rc<Keywright>, keys: usize, users: usize) -> Result<Vec<String>> {
    let made = together(keywright, keys, "keys", make_key).await?;
    together(keywright, users, "users", make_user).await?;
    Ok(made)
}

/// Does something so many times, by all clients in turn.
async fn together(
    keywright: &Rc<Keywright>,
    count: usize,
    what: &'static str,
    make: impl AsyncFn(&Keywright, &mut Connection, usize) -> Result<String> + Copy + 'static,
) -> Result<Vec<String>> {
    let (next, started) = (Rc::new(Cell::new(0)), Instant::now());
    let work = async {
        let mut tasks = Vec::new();
        for _ in 0..CLIENTS {
            let (keywright, next) = (Rc::clone(keywright), Rc::clone(&next));
            tasks.push(tokio::task::spawn_local(async move {
                let mut connection = Connection::open(keywright.place()).await?;
                let mut made = Vec::new();
                while next.get() < count {
                    let number = next.replace(next.get() + 1);
                    made.push(make(&keywright, &mut connection, number).await?);
                    if number % TOLD_EVERY == TOLD_EVERY - 1 {
                        let seconds = started.elapsed().as_secs();
                        progress::say(&format!("{} of {count} {what} after {seconds} s", number + 1));
                    }
                }
                anyhow::Ok(made)
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await??);
        }
        Ok(all)
    };
    LocalSet::new().run_until(work).await
}

async fn make_key(keywright: &Keywright, connection: &mut Connection, number: usize) -> Result<String> {
    let admin = &keywright.admin;
    let description = format!("key {number} of the benchmark");
    let tags = json!([{"TagKey": "team", "TagValue": format!("team-{}", number % 100)}]);
    let body = if number.is_multiple_of(ONE_IN) {
        json!({"Description": description, "Tags": tags, "Policy": own_policy(number).to_string()})
    } else {
        json!({"Description": description, "Tags": tags})
    };
    let answer = ask(connection, &admin.kms("CreateKey", &body.to_string(), number)?).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let arn = answer.pointer("/KeyMetadata/Arn").and_then(Value::as_str).context("no ARN")?.to_owned();
    if number % ONE_IN == 1 {
        let alias = json!({"AliasName": format!("alias/bench-{number}"), "TargetKeyId": arn});
        ask(connection, &admin.kms("CreateAlias", &alias.to_string(), number)?).await?;
    }
    if number % ONE_IN == 2 {
        let grant = json!({
            "KeyId": arn,
            "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:user/admin"),
            "Operations": ["Encrypt", "Decrypt"],
        });
        ask(connection, &admin.kms("CreateGrant", &grant.to_string(), number)?).await?;
    }
    Ok(arn)
}

/// The default policy, and a statement that denies something.
fn own_policy(number: usize) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {
            "Sid": "EnableIAM",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "Confined",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["kms:Encrypt", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": format!("forbidden-{number}")}},
        },
    ]})
}

async fn make_user(keywright: &Keywright, connection: &mut Connection, number: usize) -> Result<String> {
    let name = format!("user-{number}");
    let form = format!("Action=CreateUser&Version=2010-05-08&UserName={name}");
    // An account has room for 5,000.
    let admin = if number.is_multiple_of(2) { &keywright.admin } else { &keywright.neighbour };
    ask(connection, &admin.iam(&form)?).await?;
    Ok(name)
}

/// Asks again, as the SDKs do, where the service says that it could not do it this time.
async fn ask(connection: &mut Connection, request: &Prepared) -> Result<String> {
    let request = request.http1();
    for _ in 1..ATTEMPTS {
        let answer = connection.exchange(&request).await?;
        if answer.status < 500 {
            return answer.expect_success();
        }
    }
    connection.exchange(&request).await?.expect_success()
}
