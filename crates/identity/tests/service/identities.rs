//! Accounts, users, access keys and the first start over the real store.

use identity::{AccessKeyId, FirstCredentials, IdentityError, ManagedPolicyArn, NewUser, UserName};
use store::{Range, Store};

use crate::scene::{self, Scene, account, new_user, secret, user};

/// Where the first credentials go makes no difference to most tests.
fn kept(_: &FirstCredentials) -> Result<(), IdentityError> {
    Ok(())
}

#[tokio::test]
async fn credentials_that_could_not_be_kept_are_not_made() {
    let scene = Scene::new();
    let identity = scene.identity();
    let refused = identity.bootstrap(|_| Err(IdentityError::Damaged("the disk".to_owned()))).await;
    assert!(matches!(refused, Err(IdentityError::Damaged(_))));
    assert!(identity.accounts().await.unwrap().is_empty());
    assert!(identity.bootstrap(kept).await.unwrap().is_some());
}

#[tokio::test]
async fn an_account_is_made_once() {
    let scene = Scene::new();
    let identity = scene.identity();
    assert!(identity.accounts().await.unwrap().is_empty());
    identity.create_account(account("222222222222")).await.unwrap();
    identity.create_account(account("000000000001")).await.unwrap();
    let again = identity.create_account(account("222222222222")).await;
    assert!(matches!(again, Err(IdentityError::AccountExists(_))));
    assert_eq!(identity.accounts().await.unwrap(), [account("000000000001"), account("222222222222")]);
}

#[tokio::test]
async fn users_differ_by_more_than_case_and_keep_theirs() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    identity.create_account(account("222222222222")).await.unwrap();
    identity.create_user(one, new_user("Alice", "/ops/")).await.unwrap();
    for (name, path) in [("Alice", "/ops/"), ("ALICE", "/"), ("alice", "/other/")] {
        let refused = identity.create_user(one, new_user(name, path)).await;
        assert!(matches!(refused, Err(IdentityError::UserExists(_))), "{name}");
    }
    identity.create_user(one, new_user("Alice2", "/")).await.unwrap();
    identity.create_user(account("222222222222"), new_user("alice", "/")).await.unwrap();

    let key = identity.create_access_key(one, &user("aLiCe")).await.unwrap();
    let credential = identity.credentials(key.id.as_str(), None).await.unwrap().known().unwrap();
    assert_eq!(credential.caller.arn().to_string(), "arn:aws:iam::111111111111:user/ops/Alice");
    assert!(credential.caller.user_id().starts_with("AIDA"));
}

#[tokio::test]
async fn users_need_an_account_and_few_enough_policies() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    let refused = identity.create_user(one, new_user("alice", "/")).await;
    assert!(matches!(refused, Err(IdentityError::NoSuchAccount(_))));
    identity.create_account(one).await.unwrap();
    let with = |count| NewUser {
        managed_policies: vec![ManagedPolicyArn::administrator_access(); count],
        ..new_user("alice", "/")
    };
    let refused = identity.create_user(one, with(21)).await;
    assert!(matches!(refused, Err(IdentityError::TooManyPolicies(_))));
    identity.create_user(one, with(20)).await.unwrap();
}

#[tokio::test]
async fn a_user_has_at_most_two_access_keys() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    let refused = identity.create_access_key(one, &user("alice")).await;
    assert!(matches!(refused, Err(IdentityError::NoSuchUser(_))));
    identity.create_user(one, new_user("alice", "/")).await.unwrap();
    let first = identity.create_access_key(one, &user("alice")).await.unwrap();
    let second = identity.create_access_key(one, &user("alice")).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_ne!(first.secret.expose(), second.secret.expose());
    let refused = identity.create_access_key(one, &user("alice")).await;
    assert!(matches!(refused, Err(IdentityError::TooManyAccessKeys(_))));
    let imported = identity.import_access_key(one, &user("alice"), &id("third"), &secret("s")).await;
    assert!(matches!(imported, Err(IdentityError::TooManyAccessKeys(_))));
}

#[tokio::test]
async fn an_imported_access_key_never_replaces_one() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    identity.create_user(one, new_user("alice", "/")).await.unwrap();
    identity.create_user(one, new_user("bob", "/")).await.unwrap();
    let import = async |name: &str, text: &str| {
        identity.import_access_key(one, &user(name), &id("test"), &secret(text)).await.unwrap()
    };
    assert!(import("alice", "first").await);
    assert!(!import("alice", "second").await);
    assert!(!import("bob", "third").await);
    let credential = identity.credentials("test", None).await.unwrap().known().unwrap();
    assert_eq!(credential.caller.arn().to_string(), "arn:aws:iam::111111111111:user/alice");
    assert!(scene::signs_like(&credential, "first"));
    assert!(!scene::signs_like(&credential, "second"));
}

#[tokio::test]
async fn a_secret_that_cannot_be_sent_is_refused() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    identity.create_user(one, new_user("alice", "/")).await.unwrap();
    for text in ["", "a b", "ä", "a\n", &"x".repeat(129)] {
        let refused = identity.import_access_key(one, &user("alice"), &id("test"), &secret(text)).await;
        assert!(matches!(refused, Err(IdentityError::UnusableSecret)), "{text:?}");
    }
    assert!(identity.credentials("test", None).await.unwrap().known().is_none());
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_once() {
    let scene = Scene::new();
    let first = scene.identity().bootstrap(kept).await.unwrap().unwrap();
    assert!(!first.account.to_string().starts_with('0'));
    assert_eq!(first.user.as_str(), "admin");
    let identity = scene.identity();
    let credential = identity.credentials(first.access_key.id.as_str(), None).await.unwrap().known().unwrap();
    let arn = format!("arn:aws:iam::{}:user/admin", first.account);
    assert_eq!(credential.caller.arn().to_string(), arn);
    assert!(scene::signs_like(&credential, first.access_key.secret.expose()));
    assert_eq!(identity.accounts().await.unwrap(), [first.account]);
    assert!(identity.bootstrap(kept).await.unwrap().is_none());
    // The account that the first start made takes further users.
    identity.create_user(first.account, new_user("bob", "/")).await.unwrap();
}

#[tokio::test]
async fn where_there_is_an_account_nothing_is_made() {
    let scene = Scene::new();
    let identity = scene.identity();
    identity.create_account(account("000000000000")).await.unwrap();
    assert!(identity.bootstrap(kept).await.unwrap().is_none());
    assert_eq!(identity.accounts().await.unwrap(), [account("000000000000")]);
}

#[tokio::test]
async fn a_first_start_that_fails_leaves_nothing() {
    let scene = Scene::new();
    scene.store.fail_commits_of("identity/first-start");
    assert!(scene.identity().bootstrap(kept).await.is_err());
    let left = scene.store.range(Range::prefix("identity/")).await.unwrap();
    assert!(left.entries.is_empty());
    scene.store.fail_commits_of("nothing");
    assert!(scene.identity().bootstrap(kept).await.unwrap().is_some());
}

#[tokio::test]
async fn every_change_leaves_an_audit_record() {
    let scene = Scene::new();
    let identity = scene.identity();
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    identity.create_user(one, new_user("alice", "/ops/")).await.unwrap();
    let key = identity.create_access_key(one, &user("alice")).await.unwrap();
    let records = scene.store.outbox(10).await.unwrap();
    let text: Vec<String> =
        records.into_iter().map(|entry| String::from_utf8(entry.record).unwrap()).collect();
    let [account_made, user_made, key_made] = text.as_slice() else { panic!("{text:?}") };
    assert!(account_made.contains(r#""eventName":"CreateAccount""#));
    assert!(user_made.contains(r#""eventName":"CreateUser""#));
    assert!(user_made.contains("arn:aws:iam::111111111111:user/ops/alice"));
    assert!(key_made.contains(r#""eventName":"CreateAccessKey""#));
    assert!(text.iter().all(|record| !record.contains(key.secret.expose())));
}

#[tokio::test]
async fn no_secret_is_stored_in_the_clear() {
    let scene = Scene::new();
    let first = scene.identity().bootstrap(kept).await.unwrap().unwrap();
    let secret = first.access_key.secret.expose().as_bytes();
    let everything = scene.store.range(Range::prefix("").limit(1_000)).await.unwrap();
    assert!(everything.entries.len() >= 4);
    for entry in everything.entries {
        assert!(entry.value.windows(secret.len()).all(|window| window != secret), "{}", entry.key);
    }
}

#[tokio::test]
async fn many_at_once_lose_nothing() {
    let scene = Scene::new();
    let identity = std::sync::Arc::new(scene.identity());
    let one = account("111111111111");
    identity.create_account(one).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let identity = identity.clone();
            tokio::spawn(async move {
                let name = format!("user{}", number / 2);
                identity.create_user(one, new_user(&name, "/")).await.is_ok()
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.unwrap());
    }
    assert_eq!(made, 8, "of two users with one name one is made");
    let users = scene.store.range(Range::prefix("identity/user/")).await.unwrap();
    assert_eq!(users.entries.len(), 8);
    let counted = scene.store.range(Range::prefix("identity/account/")).await.unwrap();
    let text = String::from_utf8(counted.entries.into_iter().next().unwrap().value).unwrap();
    assert!(text.contains(r#""users":8"#), "{text}");
}

fn id(text: &str) -> AccessKeyId {
    text.parse().unwrap()
}

#[test]
fn names_are_refused_before_anything_is_stored() {
    assert!("a/b".parse::<UserName>().is_err());
    assert!("AdministratorAccess".parse::<ManagedPolicyArn>().is_err());
}
