//! Roles, their sessions and federated users as principals of key policies and as grantees.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use base::Principal;
use serde_json::json;

use super::{ADMIN, DENIED, allow, encrypt, key_with, outcome};
use crate::bench::{ACCOUNT, Bench};
use crate::people::unique_id;

const ROLE: &str = "arn:aws:iam::123456789012:role/service/app";

fn session_of(id: &str, name: &str) -> Principal {
    Principal::RoleSession {
        path_and_name: "service/app".to_owned(),
        unique_id: id.to_owned(),
        session_name: name.to_owned(),
    }
}

fn federated(name: &str) -> Principal {
    Principal::FederatedUser {
        name: name.to_owned(),
        user_path_and_name: "ops/clerk".to_owned(),
        user_unique_id: unique_id(ACCOUNT, "ops/clerk"),
    }
}

#[tokio::test]
async fn key_policies_name_roles_and_sessions() {
    let bench = Bench::new();
    let app = unique_id(ACCOUNT, "service/app");
    for (named, caller, may) in [
        (ROLE, session_of(&app, "one"), true),
        (ROLE, session_of("AROAANOTHER", "one"), false),
        ("arn:aws:sts::123456789012:assumed-role/app/one", session_of(&app, "one"), true),
        ("arn:aws:sts::123456789012:assumed-role/APP/one", session_of(&app, "one"), true),
        ("arn:aws:sts::123456789012:assumed-role/app/one", session_of(&app, "two"), false),
        ("arn:aws:sts::123456789012:federated-user/bob", federated("bob"), true),
        ("arn:aws:sts::123456789012:federated-user/bob", federated("eve"), false),
        ("arn:aws:iam::123456789012:user/ops/clerk", federated("bob"), true),
        ("arn:aws:iam::123456789012:user/admin", federated("bob"), false),
        (app.as_str(), session_of(&app, "one"), true),
    ] {
        let key = key_with(&bench, json!([allow(named, json!("kms:Encrypt"), json!({}))])).await;
        let answer = outcome(bench.call_by(caller.clone(), "Encrypt", encrypt(&key, json!({}))).await);
        assert_eq!(answer, if may { Ok(()) } else { Err(DENIED.to_owned()) }, "{named} {caller:?}");
    }
}

#[tokio::test]
async fn roles_and_sessions_are_grantees() {
    let bench = Bench::new();
    let app = unique_id(ACCOUNT, "service/app");
    for (grantee, caller, may) in [
        (ROLE, session_of(&app, "one"), true),
        (ROLE, session_of("AROAANOTHER", "one"), false),
        ("arn:aws:sts::123456789012:assumed-role/app/one", session_of(&app, "one"), true),
        ("arn:aws:sts::123456789012:assumed-role/app/one", session_of(&app, "two"), false),
        ("arn:aws:sts::123456789012:federated-user/bob", federated("bob"), true),
        ("arn:aws:sts::123456789012:federated-user/bob", federated("eve"), false),
    ] {
        let key = key_with(&bench, json!([allow(ADMIN, json!("kms:CreateGrant"), json!({}))])).await;
        let grant = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Encrypt"]});
        bench.call(0, "CreateGrant", grant).await.unwrap();
        let answer = outcome(bench.call_by(caller.clone(), "Encrypt", encrypt(&key, json!({}))).await);
        assert_eq!(answer, if may { Ok(()) } else { Err(DENIED.to_owned()) }, "{grantee} {caller:?}");
    }
}
