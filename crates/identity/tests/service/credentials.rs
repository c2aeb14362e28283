//! Credentials: what memory answers, and what makes it forget.

use std::sync::Arc;

use base::AccountId;
use identity::{Identity, IdentityError};
use store::{Key, Store, Transaction};

use crate::scene::{self, Scene, account, new_user, secret, user};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const KEY_PATH: &str = "identity/access-key/AKIAIOSFODNN7EXAMPLE";
const USER_PATH: &str = "identity/user/111111111111/alice";

fn one() -> AccountId {
    account("111111111111")
}

async fn with_alice(scene: &Scene) -> Identity {
    let identity = scene.identity();
    identity.create_account(one()).await.unwrap();
    identity.create_user(one(), new_user("alice", "/")).await.unwrap();
    let id = ID.parse().unwrap();
    assert!(identity.import_access_key(one(), &user("alice"), &id, &secret(SECRET)).await.unwrap());
    identity
}

/// Changes a stored record's text, as a later operation or another node would.
async fn edit(scene: &Scene, path: &str, from: &str, to: &str) {
    let key = Key::new(path).unwrap();
    let entry = scene.store.get(&key).await.unwrap().unwrap();
    let text = String::from_utf8(entry.value).unwrap();
    assert!(text.contains(from), "{text}");
    let transaction = Transaction::new().put(key, text.replace(from, to).into_bytes());
    scene.store.commit(transaction).await.unwrap();
}

async fn delete(scene: &Scene, path: &str) {
    scene.store.commit(Transaction::new().delete(Key::new(path).unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_known_access_key_is_answered_without_the_store() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let first = identity.credentials(ID, None).await.unwrap().known().unwrap();
    let reads = scene.store.reads();
    for _ in 0..10 {
        let again = identity.credentials(ID, None).await.unwrap().known().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        again.signing_key("20180920", "eu-central-1", "kms");
    }
    assert_eq!(scene.store.reads(), reads);
    assert_eq!(first.caller.account, one());
    assert_eq!(first.caller.access_key_id, ID);
    assert!(scene::signs_like(&first, SECRET));
    assert!(!scene::signs_like(&first, "another"));
}

#[tokio::test]
async fn unknown_access_keys_cost_one_read_and_what_is_none_costs_nothing() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let reads = scene.store.reads();
    for number in 0..10 {
        assert!(identity.credentials(&format!("AKIAUNKNOWN{number}"), None).await.unwrap().known().is_none());
    }
    assert_eq!(scene.store.reads(), reads + 10);
    for text in ["", "a/b", "../user/111111111111/alice", "a b", "ä", &"A".repeat(129)] {
        assert!(identity.credentials(text, None).await.unwrap().known().is_none(), "{text}");
    }
    assert_eq!(scene.store.reads(), reads + 10);
}

#[tokio::test]
async fn a_deleted_access_key_is_forgotten_at_once() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_some());
    delete(&scene, KEY_PATH).await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_none());
}

#[tokio::test]
async fn an_inactive_access_key_is_none() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_some());
    edit(&scene, KEY_PATH, "Active", "Inactive").await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_none());
    edit(&scene, KEY_PATH, "Inactive", "Active").await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_some());
}

#[tokio::test]
async fn a_change_of_the_user_is_seen_at_once() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let before = identity.credentials(ID, None).await.unwrap().known().unwrap();
    assert_eq!(before.caller.arn().to_string(), "arn:aws:iam::111111111111:user/alice");
    edit(&scene, USER_PATH, r#""path":"/""#, r#""path":"/ops/""#).await;
    let after = identity.credentials(ID, None).await.unwrap().known().unwrap();
    assert_eq!(after.caller.arn().to_string(), "arn:aws:iam::111111111111:user/ops/alice");
    delete(&scene, USER_PATH).await;
    assert!(identity.credentials(ID, None).await.unwrap().known().is_none());
}

#[tokio::test]
async fn a_secret_that_was_exchanged_takes_its_signing_keys_along() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let credential = identity.credentials(ID, None).await.unwrap().known().unwrap();
    assert!(scene::signs_like(&credential, SECRET));
    delete(&scene, KEY_PATH).await;
    edit(&scene, USER_PATH, &format!("[\"{ID}\"]"), "[]").await;
    let id = ID.parse().unwrap();
    assert!(identity.import_access_key(one(), &user("alice"), &id, &secret("new")).await.unwrap());
    let credential = identity.credentials(ID, None).await.unwrap().known().unwrap();
    assert!(scene::signs_like(&credential, "new"));
    assert!(!scene::signs_like(&credential, SECRET));
}

#[tokio::test]
async fn a_sealed_secret_opens_for_its_own_access_key_alone() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let entry = scene.store.get(&Key::new(KEY_PATH).unwrap()).await.unwrap().unwrap();
    let copied = Transaction::new().put(Key::new("identity/access-key/AKIACOPY").unwrap(), entry.value);
    scene.store.commit(copied).await.unwrap();
    assert!(matches!(identity.credentials("AKIACOPY", None).await, Err(IdentityError::Keyring(_))));
    assert!(identity.credentials(ID, None).await.unwrap().known().is_some());
}

#[tokio::test]
async fn a_damaged_record_is_an_error_and_no_credential() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    edit(&scene, KEY_PATH, "\"account\"", "\"count\"").await;
    assert!(matches!(identity.credentials(ID, None).await, Err(IdentityError::Store(_))));
}

#[tokio::test]
async fn signing_keys_are_kept_by_scope_and_bounded() {
    let scene = Scene::new();
    let identity = with_alice(&scene).await;
    let credential = identity.credentials(ID, None).await.unwrap().known().unwrap();
    let key = |date: &str| credential.signing_key(date, "eu-central-1", "kms");
    let first = key("20180920");
    assert!(Arc::ptr_eq(&first, &key("20180920")));
    assert!(!scene::verifies(&key("20180921"), SECRET), "another day is another key");
    let of_region = credential.signing_key("20180920", "eu-west-1", "kms");
    let of_service = credential.signing_key("20180920", "eu-central-1", "sts");
    assert!(!scene::verifies(&of_region, SECRET) && !scene::verifies(&of_service, SECRET));
    for number in 0..1_000 {
        key(&format!("{number}"));
    }
    let derived_again = key("20180920");
    assert!(!Arc::ptr_eq(&first, &derived_again), "old ones make room");
    assert!(scene::verifies(&derived_again, SECRET));
    let long = "x".repeat(1_000);
    assert!(!Arc::ptr_eq(&key(&long), &key(&long)), "what no client means is not kept");
}

#[tokio::test]
async fn a_restart_finds_the_credential_again() {
    let scene = Scene::new();
    drop(with_alice(&scene).await);
    let credential = scene.identity().credentials(ID, None).await.unwrap().known().unwrap();
    assert!(scene::signs_like(&credential, SECRET));
}
