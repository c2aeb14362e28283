//! Who can do what with a key: what is told is what happens when somebody tries.

use std::sync::Arc;

use base::{Call, KeyArn};
use kms::{KmsError, Whom};
use policy::{Access, PrincipalEntry};
use serde_json::{Value, json};

use crate::bench::{ACCOUNT, Bench, OTHER_ACCOUNT, arn, code, facts};

/// Operations that change nothing when they are tried like this.
fn trials(key: &str, blob: &Value) -> Vec<(&'static str, &'static str, Value)> {
    let dry = |mut body: Value| {
        body["KeyId"] = arn(key).into();
        body["DryRun"] = true.into();
        body
    };
    let of_key = || json!({"KeyId": arn(key)});
    vec![
        ("kms:Encrypt", "Encrypt", dry(json!({"Plaintext": "c2VjcmV0"}))),
        ("kms:Decrypt", "Decrypt", dry(json!({"CiphertextBlob": blob}))),
        ("kms:GenerateDataKey", "GenerateDataKey", dry(json!({"KeySpec": "AES_256"}))),
        (
            "kms:CreateGrant",
            "CreateGrant",
            dry(
                json!({"GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:user/admin"), "Operations": ["Encrypt"]}),
            ),
        ),
        ("kms:DescribeKey", "DescribeKey", of_key()),
        ("kms:GetKeyPolicy", "GetKeyPolicy", of_key()),
        ("kms:GetKeyRotationStatus", "GetKeyRotationStatus", of_key()),
        ("kms:ListGrants", "ListGrants", of_key()),
        ("kms:ListResourceTags", "ListResourceTags", of_key()),
    ]
}

async fn key_with(bench: &Bench, statements: Value) -> String {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:*", "Resource": "*"});
    let mut all = vec![root];
    all.extend(statements.as_array().unwrap().iter().cloned());
    let policy = json!({"Version": "2012-10-17", "Statement": all});
    let created = bench.call(0, "CreateKey", json!({"Policy": policy.to_string()})).await.unwrap();
    created["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn key_arn(key: &str) -> KeyArn {
    arn(key).parse().unwrap()
}

/// `always` or `sometimes`, by action.
async fn told(bench: &Bench, key: &str, whom: Whom) -> Vec<(String, &'static str)> {
    let call = facts(ACCOUNT, "admin", 0);
    let accesses = bench.kms.access(&call, &key_arn(key), &whom).await.unwrap();
    let extent = |access: &Access| match access {
        Access::Always(_) => "always",
        Access::Sometimes { .. } => "sometimes",
        Access::Never(_) => "never",
    };
    accesses.iter().map(|one| (one.action.clone(), extent(&one.access))).collect()
}

#[tokio::test]
async fn what_is_told_is_what_happens() {
    let bench = Bench::new();
    let clerk = format!("arn:aws:iam::{ACCOUNT}:user/ops/clerk");
    let foreign = format!("arn:aws:iam::{OTHER_ACCOUNT}:user/admin");
    let policies = [
        json!([]),
        json!([{"Effect": "Allow", "Principal": {"AWS": foreign}, "Action": ["kms:Encrypt", "kms:DescribeKey", "kms:GetKeyPolicy"], "Resource": "*"}]),
        json!([{"Effect": "Deny", "Principal": {"AWS": clerk}, "Action": ["kms:Decrypt", "kms:List*"], "Resource": "*"}]),
        json!([{"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}}]),
        json!([{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:KeySpec": "RSA_2048"}}}]),
    ];
    let mut outcomes = std::collections::BTreeSet::new();
    for policy in policies {
        let key = key_with(&bench, policy.clone()).await;
        let blob = bench
            .call(0, "GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"}))
            .await
            .unwrap()["CiphertextBlob"]
            .clone();
        let grant =
            json!({"KeyId": arn(&key), "GranteePrincipal": foreign, "Operations": ["GenerateDataKey"]});
        bench.call(0, "CreateGrant", grant).await.unwrap();
        for (account, user) in
            [(ACCOUNT, "admin"), (ACCOUNT, "ops/clerk"), (ACCOUNT, "ops/limited"), (OTHER_ACCOUNT, "admin")]
        {
            let call: Call = facts(account, user, 0);
            let told = told(&bench, &key, Whom::Caller(Arc::clone(&call.caller))).await;
            for (action, operation, body) in trials(&key, &blob) {
                let extent =
                    told.iter().find(|(name, _)| name == action).map_or("never", |(_, extent)| extent);
                let answer = bench.answer(call.clone(), operation, body).await;
                let denied = answer.is_err_and(|(code, _)| code == "AccessDeniedException");
                assert_eq!(
                    extent,
                    if denied { "never" } else { "always" },
                    "{account} {user} {action} {policy}"
                );
                outcomes.insert(extent);
            }
        }
    }
    assert_eq!(outcomes.len(), 2);
}

/// Whoever may ask about a key may not know what policies of other accounts say.
#[tokio::test]
async fn of_other_accounts_it_is_told_what_the_keys_side_gives() {
    let bench = Bench::new();
    let limited = format!("arn:aws:iam::{OTHER_ACCOUNT}:user/ops/limited");
    let actions = ["kms:Encrypt", "kms:Decrypt"];
    let let_in = |condition: Value| json!([{"Effect": "Allow", "Principal": {"AWS": limited}, "Action": actions, "Resource": "*", "Condition": condition}]);
    let of_other = || Whom::Caller(facts(OTHER_ACCOUNT, "ops/limited", 0).caller);
    // Its account allows Encrypt only, and does not say so here.
    let key = key_with(&bench, let_in(json!({}))).await;
    let all = actions.map(|action| (action.to_owned(), "always"));
    let mut access = told(&bench, &key, of_other()).await;
    access.sort_by_key(|(action, _)| std::cmp::Reverse(action.clone()));
    assert_eq!(access, all);
    let sealed = json!({"KeyId": arn(&key), "Plaintext": "AA=="});
    let call = facts(OTHER_ACCOUNT, "ops/limited", 0);
    let blob = bench.answer(call.clone(), "Encrypt", sealed).await.unwrap()["CiphertextBlob"].clone();
    assert_eq!(
        code(bench.answer(call, "Decrypt", json!({"CiphertextBlob": blob})).await),
        "AccessDeniedException"
    );
    // Tags that its account gave it are not told either.
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/team": "red"}});
    let key = key_with(&bench, let_in(tagged)).await;
    let access = told(&bench, &key, of_other()).await;
    assert_eq!(access.iter().map(|(_, extent)| *extent).collect::<Vec<_>>(), ["sometimes"; 2]);
    // In the key's own account policies count.
    let own = Whom::Caller(facts(ACCOUNT, "ops/limited", 0).caller);
    assert!(!told(&bench, &key, own).await.iter().any(|(action, _)| action == "kms:Decrypt"));
}

#[tokio::test]
async fn conditions_constraints_and_everybody_are_told() {
    let bench = Bench::new();
    let service = "logs.eu-central-1.amazonaws.com";
    let statements = json!([
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringEquals": {"kms:CallerAccount": OTHER_ACCOUNT}}},
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "kms:GenerateDataKey", "Resource": "*",
         "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:*"}}},
    ]);
    let key = key_with(&bench, statements).await;
    assert_eq!(told(&bench, &key, Whom::Everybody).await, [("kms:Decrypt".to_owned(), "sometimes")]);

    let outline = bench.kms.key_outline(&facts(ACCOUNT, "admin", 0), &key).await.unwrap();
    let named: Vec<_> = outline.named.iter().map(ToString::to_string).collect();
    assert_eq!(named, [format!("arn:aws:iam::{ACCOUNT}:root"), "*".to_owned(), service.to_owned()]);

    let caller = Arc::new(base::Caller {
        principal: base::Principal::Service { name: service.to_owned() },
        ..(*facts(ACCOUNT, "admin", 0).caller).clone()
    });
    let told = told(&bench, &key, Whom::Caller(caller)).await;
    // A service is of no account.
    assert_eq!(told, [("kms:GenerateDataKey".to_owned(), "sometimes")]);
}

#[tokio::test]
async fn actions_that_a_key_is_not_for_are_left_out() {
    let bench = Bench::new();
    let created =
        bench.call(0, "CreateKey", json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})).await;
    let key = created.unwrap()["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let admin = Whom::Caller(Arc::clone(&facts(ACCOUNT, "admin", 0).caller));
    let told = told(&bench, &key, admin).await;
    let has = |action: &str| told.iter().any(|(name, _)| name == action);
    assert!(has("kms:GenerateMac") && has("kms:VerifyMac") && has("kms:PutKeyPolicy"));
    assert!(!has("kms:Encrypt") && !has("kms:Sign"));
}

#[tokio::test]
async fn grantees_come_in_parts_under_the_names_that_they_have_now() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let user = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    for name in ["ops/clerk", "ops/limited", "admin"] {
        let body = json!({"KeyId": key, "GranteePrincipal": user(name), "Operations": ["Encrypt"]});
        bench.call(0, "CreateGrant", body).await.unwrap();
    }
    bench.people.delete(&user("ops/limited"));
    bench.people.name(&user("ops/chief"), &crate::people::unique_id(ACCOUNT, "ops/clerk"));
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let part = bench.kms.grantees(&key_arn(&key), after.as_deref(), 1).await.unwrap();
        assert!(part.grantees.len() <= 1);
        all.extend(part.grantees.iter().map(PrincipalEntry::to_string));
        match part.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    all.sort();
    assert_eq!(all, [user("admin"), user("ops/chief")]);
}

#[tokio::test]
async fn only_who_may_read_policy_and_grants_is_told() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    bench.call(0, "CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": key})).await.unwrap();
    for (account, user, name, expected) in [
        (ACCOUNT, "admin", key.clone(), None),
        (ACCOUNT, "admin", "alias/app".to_owned(), None),
        (ACCOUNT, "ops/limited", key.clone(), Some("AccessDeniedException")),
        (OTHER_ACCOUNT, "admin", arn(&key), Some("AccessDeniedException")),
        (ACCOUNT, "admin", "alias/nothing".to_owned(), Some("NotFoundException")),
    ] {
        let outline = bench.kms.key_outline(&facts(account, user, 0), &name).await;
        let code = outline
            .err()
            .map(|error: KmsError| error.to_fault(&[wire::kms::ErrorCode::NotFoundException]).code);
        assert_eq!(code, expected, "{account} {user} {name}");
    }
    // What is told of a key that is gone.
    bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await.unwrap();
    bench.run_due(8 * crate::bench::DAY).await;
    let gone = bench.call(0, "DescribeKey", json!({"KeyId": key})).await;
    assert_eq!(code(gone), "NotFoundException");
    let whom = Whom::Everybody;
    assert!(bench.kms.access(&facts(ACCOUNT, "admin", 0), &key_arn(&key), &whom).await.is_err());
}
