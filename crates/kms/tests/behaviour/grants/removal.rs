//! Grants end by being retired, revoked, or with their key; and there can be only so many.

use base::KeyArn;
use kms::{SeedKey, Settings};
use serde_json::{Value, json};

use super::{ADMIN, OTHER_ADMIN, OTHER_ROOT, create, list, passes, refused, terms};
use crate::bench::{ACCOUNT, Bench, DAY, OTHER_ACCOUNT, arn, code, moment, refusal};

#[tokio::test]
async fn revoking_removes_one_grant_once_with_all_that_it_had() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let (kept, _) = create(&bench, &key, json!({"Name": "kept", "RetiringPrincipal": ADMIN})).await;
    let before = bench.paths("kms/").await;
    let (id, _) = create(&bench, &key, json!({"Name": "gone", "RetiringPrincipal": ADMIN})).await;
    assert_eq!(bench.paths("kms/").await.len(), before.len() + 5);
    let revoke = json!({"KeyId": key, "GrantId": id});
    let outbox = bench.store.outbox(1_000).await.unwrap().len();
    assert_eq!(bench.call(0, "RevokeGrant", revoke.clone()).await.unwrap(), Value::Null);
    let records = bench.store.outbox(1_000).await.unwrap();
    assert_eq!(records.len(), outbox + 1);
    let record: Value = serde_json::from_slice(&records[outbox].record).unwrap();
    assert_eq!(record["eventName"], "RevokeGrant");
    assert_eq!(record["resources"][0]["ARN"], arn(&key));
    assert_eq!(bench.paths("kms/").await, before);
    let again = refusal(bench.call(0, "RevokeGrant", revoke).await);
    assert_eq!(again, ("NotFoundException".into(), format!("Grant ID {id} not found")));
    let malformed = bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": "x"})).await;
    assert_eq!(code(malformed), "InvalidGrantIdException");
    // A grant belongs to one key.
    let other = bench.create_key().await;
    let elsewhere = bench.call(0, "RevokeGrant", json!({"KeyId": other, "GrantId": kept})).await;
    assert_eq!(code(elsewhere), "NotFoundException");
    assert_eq!(list(&bench, &key, json!({})).await[0]["GrantId"], kept);
}

#[tokio::test]
async fn a_grant_is_retired_by_whom_it_names_or_whose_account_made_it() {
    let clerk = "arn:aws:iam::210987654321:user/ops/clerk";
    let may_retire = json!(["RetireGrant", "Decrypt"]);
    let by_retiring = |principal: &str| json!({"RetiringPrincipal": principal});
    let by_grantee = |principal: &str| json!({"GranteePrincipal": principal, "Operations": may_retire});
    let bench = Bench::new();
    let key = bench.create_key().await;
    for (terms, account, user, may) in [
        (json!({}), ACCOUNT, "ops/clerk", true),
        (json!({}), OTHER_ACCOUNT, "admin", false),
        (by_retiring(OTHER_ADMIN), OTHER_ACCOUNT, "admin", true),
        (by_retiring(OTHER_ADMIN), OTHER_ACCOUNT, "ops/clerk", false),
        (by_retiring(clerk), OTHER_ACCOUNT, "ops/clerk", true),
        (by_retiring(OTHER_ROOT), OTHER_ACCOUNT, "ops/clerk", true),
        (by_retiring(ADMIN), OTHER_ACCOUNT, "admin", false),
        (by_grantee(OTHER_ADMIN), OTHER_ACCOUNT, "admin", true),
        (by_grantee(OTHER_ADMIN), OTHER_ACCOUNT, "ops/clerk", false),
        (by_grantee(OTHER_ROOT), OTHER_ACCOUNT, "ops/clerk", true),
        (json!({"GranteePrincipal": OTHER_ADMIN}), OTHER_ACCOUNT, "admin", false),
    ] {
        let (id, token) = create(&bench, &key, terms.clone()).await;
        let by_token = json!({"GrantToken": token});
        let by_id = json!({"KeyId": arn(&key), "GrantId": id});
        for dry_run in [true, false] {
            for mut named in [by_token.clone(), by_id.clone()] {
                named["DryRun"] = json!(dry_run);
                let answer = bench.call_as_user(account, user, 0, "RetireGrant", named.clone()).await;
                let expected = match (may, dry_run) {
                    (false, _) => Some("AccessDeniedException"),
                    (true, true) => Some("DryRunOperationException"),
                    (true, false) if named.get("GrantId").is_none() => None,
                    (true, false) => Some("NotFoundException"),
                };
                let found = answer.as_ref().err().map(|(code, _)| code.as_str());
                assert_eq!(found, expected, "{terms} {user} {named}: {answer:?}");
                if !may {
                    let text = refusal(answer).1;
                    let start = format!(
                        "User: arn:aws:iam::{account}:user/{user} is not authorized to perform: kms:RetireGrant"
                    );
                    assert!(text.starts_with(&start), "{text}");
                }
            }
        }
        let left = list(&bench, &key, json!({"GrantId": id})).await.len();
        assert_eq!(left == 0, may);
        if may {
            let answer = bench.call_as_user(account, user, 0, "RetireGrant", by_token).await;
            assert_eq!(code(answer), "InvalidGrantTokenException");
        }
    }
}

#[tokio::test]
async fn retire_grant_needs_a_token_or_key_and_id() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let (id, token) = create(&bench, &key, json!({})).await;
    let unknown = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for (body, refusal) in [
        (json!({}), "ValidationException"),
        (json!({"KeyId": key}), "ValidationException"),
        (json!({"GrantId": id}), "ValidationException"),
        (json!({"KeyId": key, "GrantId": "x"}), "InvalidGrantIdException"),
        (json!({"KeyId": "alias/x", "GrantId": id}), "InvalidArnException"),
        (json!({"KeyId": unknown, "GrantId": id}), "NotFoundException"),
        (json!({"GrantToken": "x"}), "InvalidGrantTokenException"),
    ] {
        assert_eq!(code(bench.call(0, "RetireGrant", body.clone()).await), refusal, "{body}");
    }
    // Whether another account's key exists is not told.
    let strangers = |key: &str| {
        let body = json!({"KeyId": arn(key), "GrantId": "0".repeat(64)});
        bench.call_as(OTHER_ACCOUNT, 0, "RetireGrant", body)
    };
    assert_eq!(refusal(strangers(&key).await), refusal(strangers(unknown).await));
    let own = bench.call(0, "RetireGrant", json!({"KeyId": unknown, "GrantId": id})).await;
    assert_eq!(refusal(own).1, format!("Key '{}' does not exist", arn(unknown)));
    bench.call(0, "RetireGrant", json!({"KeyId": key, "GrantId": id})).await.unwrap();
    assert!(!passes(&bench, &key, &token).await);
}

#[tokio::test]
async fn a_cross_account_retirement_is_recorded_with_caller_and_key() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let (_, token) = create(&bench, &key, json!({"RetiringPrincipal": OTHER_ADMIN})).await;
    let before = bench.store.outbox(1_000).await.unwrap().len();
    bench.call_as(OTHER_ACCOUNT, 0, "RetireGrant", json!({"GrantToken": token})).await.unwrap();
    let outbox = bench.store.outbox(1_000).await.unwrap();
    assert_eq!(outbox.len(), before + 1);
    let text = String::from_utf8(outbox[before].record.clone()).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [callers, owners] = events.as_slice() else { panic!("{text}") };
    assert_eq!(callers["userIdentity"]["arn"], OTHER_ADMIN);
    assert_eq!(callers["recipientAccountId"], OTHER_ACCOUNT);
    // The key's account gets a copy, which tells of the caller the account only.
    assert_eq!(owners["userIdentity"]["accountId"], OTHER_ACCOUNT);
    assert_eq!(
        (&owners["userIdentity"]["type"], owners["userIdentity"].get("arn")),
        (&json!("AWSAccount"), None)
    );
    assert_eq!(owners["recipientAccountId"], ACCOUNT);
    assert_eq!(owners["sharedEventID"], callers["sharedEventID"]);
    assert_ne!(owners["eventID"], callers["eventID"]);
    for event in &events {
        assert_eq!(event["eventName"], "RetireGrant");
        assert_eq!(event["resources"][0]["ARN"], arn(&key));
    }
    assert!(!text.contains(&token));
}

#[tokio::test]
async fn dry_runs_change_nothing() {
    let bench = Bench::with(Settings { grants_per_key_max: 1, ..Settings::default() });
    let key = bench.create_key().await;
    let dry = || terms(&key, json!({"Name": "n", "DryRun": true}));
    assert_eq!(code(bench.call(0, "CreateGrant", dry()).await), "DryRunOperationException");
    assert!(list(&bench, &key, json!({})).await.is_empty());
    let (id, _) = create(&bench, &key, json!({"Name": "n"})).await;
    assert_eq!(code(bench.call(0, "CreateGrant", dry()).await), "DryRunOperationException", "it is there");
    let another = terms(&key, json!({"Name": "m", "DryRun": true}));
    assert_eq!(code(bench.call(0, "CreateGrant", another).await), "LimitExceededException");
    for operation in ["RevokeGrant", "RetireGrant"] {
        let body = json!({"KeyId": key, "GrantId": id, "DryRun": true});
        assert_eq!(code(bench.call(0, operation, body).await), "DryRunOperationException");
        let body = json!({"KeyId": key, "GrantId": "0".repeat(64), "DryRun": true});
        assert_eq!(code(bench.call(0, operation, body).await), "NotFoundException");
    }
    assert_eq!(list(&bench, &key, json!({})).await.len(), 1);
}

#[tokio::test]
async fn grants_are_listed_and_removed_whatever_state_the_key_is_in() {
    let bench = Bench::new();
    for put in ["DisableKey", "ScheduleKeyDeletion"] {
        let key = bench.create_key().await;
        let (revoked, _) = create(&bench, &key, json!({})).await;
        let (retired, token) = create(&bench, &key, json!({})).await;
        bench.call(0, put, json!({"KeyId": key})).await.unwrap();
        assert_eq!(list(&bench, &key, json!({})).await.len(), 2);
        bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": revoked})).await.unwrap();
        bench.call(0, "RetireGrant", json!({"GrantToken": token})).await.unwrap();
        assert!(list(&bench, &key, json!({"GrantId": retired})).await.is_empty());
    }
}

#[tokio::test]
async fn the_quota_on_grants_holds_and_gives_room_again() {
    let bench = Bench::with(Settings { grants_per_key_max: 2, ..Settings::default() });
    let (key, other) = (bench.create_key().await, bench.create_key().await);
    let (first, _) = create(&bench, &key, json!({"Name": "a"})).await;
    let (_, token) = create(&bench, &key, json!({})).await;
    let (code, text) = refused(&bench, &key, json!({})).await;
    assert_eq!(code, "LimitExceededException");
    assert!(text.contains(&arn(&key)), "{text}");
    assert_eq!(
        create(&bench, &key, json!({"Name": "a"})).await.0,
        first,
        "the one that is there needs no room"
    );
    create(&bench, &other, json!({})).await;
    bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": first})).await.unwrap();
    bench.call(0, "RetireGrant", json!({"GrantToken": token})).await.unwrap();
    for _ in 0..2 {
        create(&bench, &key, json!({})).await;
    }
    assert_eq!(refused(&bench, &key, json!({})).await.0, "LimitExceededException");
}

#[tokio::test]
async fn a_key_seeded_again_has_no_grants_of_the_one_before() {
    let bench = Bench::new();
    let key = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let arn = KeyArn {
        account: ACCOUNT.parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        id: key.parse().unwrap(),
    };
    let seed = SeedKey { arn, description: "", policy: None, tags: &[], material: &[], enabled: true };
    let at = |days: i64| moment(days * DAY);
    bench.kms.seed_key(&seed, at(0)).await.unwrap();
    let (_, token) = create(&bench, key, json!({"Name": "n"})).await;
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    bench.run_due(7 * DAY).await;
    bench.kms.seed_key(&seed, at(8)).await.unwrap();
    assert!(list(&bench, key, json!({})).await.is_empty());
    assert!(!passes(&bench, key, &token).await, "the token was of a grant that is gone");
}
