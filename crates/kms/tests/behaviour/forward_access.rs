//! Services that use keys on somebody's behalf, or in their own name.
//!
//! A service of the tests, which keeps notes as S3, SQS or RDS keep what they are given: encrypted under a data key that it
//! gets through the one door that services have, a forwarded call. There is no way around the key policy for it.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html> (`kms:ViaService`,
//! `kms:GrantIsForAWSResource`), <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.

use base::{Call, CallIds, CallingService, EventId, RequestId};
use serde_json::{Value, json};

use crate::bench::{ACCOUNT, Answer, Bench, OTHER_ACCOUNT, arn, code, facts, refusal};

const BUCKET: &str = "arn:aws:s3:::notes";
const DENIED: &str = "AccessDeniedException";

fn ids(random: [u8; 16]) -> CallIds {
    CallIds { request: RequestId::new(random), event: EventId::new(random) }
}

/// A service of the tests.
struct Notes<'b> {
    bench: &'b Bench,
    /// As which service it calls.
    name: &'static str,
}

/// What the service keeps of a note: no plaintext, and the data key encrypted.
struct Note {
    data_key: Value,
}

impl Notes<'_> {
    fn service(&self) -> CallingService<'static> {
        let source_account = Some(ACCOUNT.parse().unwrap());
        CallingService { name: self.name, source_arn: Some(BUCKET.to_owned()), source_account }
    }

    /// The call that the service makes on behalf of a user.
    fn forwarded(&self, account: &str, user: &str) -> Call {
        facts(account, user, 0).forwarded_by(self.service(), ids([8; 16]))
    }

    async fn on_behalf_of(&self, account: &str, user: &str, operation: &str, body: Value) -> Answer {
        self.bench.answer(self.forwarded(account, user), operation, body).await
    }

    async fn in_its_own_name(&self, operation: &str, body: Value) -> Answer {
        let call = facts(ACCOUNT, "admin", 0);
        let call = call.of_service(self.service(), ACCOUNT.parse().unwrap(), ids([9; 16]));
        self.bench.answer(call, operation, body).await
    }

    /// Keeps a note for a user under a key.
    async fn put(&self, account: &str, user: &str, key: &str) -> Result<Note, (String, Option<String>)> {
        let body = json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context()});
        let answer = self.on_behalf_of(account, user, "GenerateDataKey", body).await?;
        Ok(Note { data_key: answer["CiphertextBlob"].clone() })
    }

    /// Reads a note for a user.
    async fn get(&self, account: &str, user: &str, note: &Note) -> Answer {
        let body = json!({"CiphertextBlob": note.data_key, "EncryptionContext": context()});
        self.on_behalf_of(account, user, "Decrypt", body).await
    }
}

fn context() -> Value {
    json!({"aws:s3:arn": format!("{BUCKET}/1")})
}

fn allow(principal: Value, actions: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*", "Condition": condition})
}

/// A key that its creator administers and that only these statements open for use.
async fn key_with(bench: &Bench, statements: &[Value]) -> String {
    let administer = json!(["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:CreateGrant", "kms:RevokeGrant"]);
    let admin = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:user/admin")});
    let mut all = vec![allow(admin, administer, json!({}))];
    all.extend_from_slice(statements);
    let policy = json!({"Version": "2012-10-17", "Statement": all}).to_string();
    let answer = bench.call(0, "CreateKey", json!({"Policy": policy})).await.unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn account_root() -> Value {
    json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")})
}

fn encrypt(key: &str) -> Value {
    json!({"KeyId": key, "Plaintext": "c2VjcmV0"})
}

#[tokio::test]
async fn an_aws_managed_key_comes_into_being_with_its_service_and_serves_it_alone() {
    let bench = Bench::new();
    let s3 = Notes { bench: &bench, name: "s3" };
    let aliases = async || {
        let listed = bench.call(0, "ListAliases", json!({})).await.unwrap();
        let listed = listed["Aliases"].as_array().unwrap().clone();
        listed.into_iter().find(|alias| alias["AliasName"] == "alias/aws/s3").unwrap()
    };
    assert_eq!(aliases().await.get("TargetKeyId"), None);
    // Neither a user nor another service brings it into being.
    assert_eq!(code(bench.call(0, "Encrypt", encrypt("alias/aws/s3")).await), "NotFoundException");
    let sqs = Notes { bench: &bench, name: "sqs" };
    assert_eq!(sqs.put(ACCOUNT, "admin", "alias/aws/s3").await.err().unwrap().0, "NotFoundException");
    let note = s3.put(ACCOUNT, "admin", "alias/aws/s3").await.ok().unwrap();
    assert!(s3.get(ACCOUNT, "admin", &note).await.is_ok());
    let key = aliases().await["TargetKeyId"].as_str().unwrap().to_owned();
    let described = bench.call(0, "DescribeKey", json!({"KeyId": key})).await.unwrap();
    assert_eq!(described["KeyMetadata"]["KeyManager"], "AWS");
    // Directly, through another service and from another account it does nothing.
    let body = json!({"CiphertextBlob": note.data_key, "EncryptionContext": context()});
    assert_eq!(code(bench.call(0, "Decrypt", body.clone()).await), DENIED);
    assert_eq!(code(bench.call(0, "Encrypt", encrypt(&key)).await), DENIED);
    assert_eq!(code(sqs.get(ACCOUNT, "admin", &note).await), DENIED);
    assert_eq!(code(s3.get(OTHER_ACCOUNT, "admin", &note).await), DENIED);
    assert_eq!(code(s3.in_its_own_name("Decrypt", body).await), DENIED);
    // Nobody changes it or makes grants on it.
    for (operation, body) in [
        ("DisableKey", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        ("PutKeyPolicy", json!({"KeyId": key, "Policy": "{\"Statement\":[]}"})),
        (
            "CreateGrant",
            json!({"KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:root"), "Operations": ["Decrypt"]}),
        ),
    ] {
        assert_eq!(code(bench.call(0, operation, body.clone()).await), DENIED, "{operation}");
        assert_eq!(code(s3.on_behalf_of(ACCOUNT, "admin", operation, body).await), DENIED, "{operation}");
    }
}

#[tokio::test]
async fn services_that_make_grants_make_them_on_their_keys_for_who_asks() {
    let bench = Bench::new();
    let rds = Notes { bench: &bench, name: "rds" };
    rds.put(ACCOUNT, "admin", "alias/aws/rds").await.ok().unwrap();
    let grant = json!({
        "KeyId": rds.on_behalf_of(ACCOUNT, "admin", "DescribeKey", json!({"KeyId": "alias/aws/rds"})).await.unwrap()
            ["KeyMetadata"]["KeyId"],
        "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:role/service/app"),
        "Operations": ["Decrypt"],
    });
    assert!(rds.on_behalf_of(ACCOUNT, "admin", "CreateGrant", grant.clone()).await.is_ok());
    assert_eq!(code(bench.call(0, "CreateGrant", grant).await), DENIED);
}

#[tokio::test]
async fn a_service_can_do_no_more_than_who_called_it() {
    let bench = Bench::new();
    let s3 = Notes { bench: &bench, name: "s3" };
    let via = json!({"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}});
    let key = key_with(&bench, &[allow(account_root(), json!("kms:*"), via)]).await;
    let note = s3.put(ACCOUNT, "admin", &key).await.ok().unwrap();
    assert!(s3.get(ACCOUNT, "admin", &note).await.is_ok());
    // The user's identity policies have no leave for data keys.
    let (refused, text) = s3.put(ACCOUNT, "ops/limited", &key).await.err().unwrap();
    assert_eq!(refused, DENIED);
    assert!(
        text.unwrap().ends_with("because no identity-based policy allows the kms:GenerateDataKey action")
    );
    // Only through that service.
    assert_eq!(code(bench.call(0, "Encrypt", encrypt(&key)).await), DENIED);
    let sqs = Notes { bench: &bench, name: "sqs" };
    assert_eq!(sqs.put(ACCOUNT, "admin", &key).await.err().unwrap().0, DENIED);
    // A foreign user needs the key's account as everybody does.
    assert_eq!(s3.put(OTHER_ACCOUNT, "admin", &arn(&key)).await.err().unwrap().0, DENIED);
}

#[tokio::test]
async fn what_a_service_says_of_its_call_is_a_condition() {
    let bench = Bench::new();
    let s3 = Notes { bench: &bench, name: "s3" };
    for (condition, through_service, directly) in [
        (json!({"Bool": {"aws:ViaAWSService": "true"}}), true, false),
        (json!({"Bool": {"aws:ViaAWSService": "false"}}), false, true),
        (json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "s3.amazonaws.com"}}), true, false),
        (json!({"StringEquals": {"aws:CalledViaLast": "s3.amazonaws.com"}}), true, false),
        (json!({"StringEquals": {"kms:CallerAccount": ACCOUNT}}), true, true),
        (json!({"ArnLike": {"aws:SourceArn": BUCKET}}), true, false),
        (json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}}), true, false),
        // The client's address says nothing where a service calls.
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), false, true),
        (json!({"Null": {"kms:ViaService": "true"}}), false, true),
    ] {
        let key = key_with(&bench, &[allow(account_root(), json!("kms:*"), condition.clone())]).await;
        let forwarded = s3.on_behalf_of(ACCOUNT, "admin", "Encrypt", encrypt(&key)).await;
        assert_eq!(forwarded.is_ok(), through_service, "{condition} through the service");
        assert_eq!(bench.call(0, "Encrypt", encrypt(&key)).await.is_ok(), directly, "{condition} directly");
    }
}

#[tokio::test]
async fn a_call_that_goes_through_two_services_names_both() {
    let bench = Bench::new();
    let condition = json!({
        "StringEquals": {
            "aws:CalledViaFirst": "cloudformation.amazonaws.com",
            "aws:CalledViaLast": "s3.amazonaws.com",
            "kms:ViaService": "s3.eu-central-1.amazonaws.com",
        }
    });
    let key = key_with(&bench, &[allow(account_root(), json!("kms:*"), condition)]).await;
    let named = |name| CallingService { name, source_arn: None, source_account: None };
    let first = facts(ACCOUNT, "admin", 0).forwarded_by(named("cloudformation"), ids([1; 16]));
    let both = first.forwarded_by(named("s3"), ids([2; 16]));
    assert!(bench.answer(both, "Encrypt", encrypt(&key)).await.is_ok());
    assert_eq!(code(bench.answer(first, "Encrypt", encrypt(&key)).await), DENIED);
}

#[tokio::test]
async fn grants_for_resources_of_services_are_made_through_the_service_only() {
    let bench = Bench::new();
    let rds = Notes { bench: &bench, name: "rds" };
    let condition = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
    let clerk = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:user/ops/clerk")});
    let grants = json!(["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]);
    let key = key_with(&bench, &[allow(clerk, grants, condition)]).await;
    let grant = json!({"KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:role/service/app"),
        "Operations": ["Decrypt"]});
    let direct = bench.call_as_user(ACCOUNT, "ops/clerk", 0, "CreateGrant", grant.clone()).await;
    assert_eq!(code(direct), DENIED);
    let made = rds.on_behalf_of(ACCOUNT, "ops/clerk", "CreateGrant", grant).await.unwrap();
    let list = json!({"KeyId": key});
    assert_eq!(code(bench.call_as_user(ACCOUNT, "ops/clerk", 0, "ListGrants", list.clone()).await), DENIED);
    assert!(rds.on_behalf_of(ACCOUNT, "ops/clerk", "ListGrants", list).await.is_ok());
    let revoke = json!({"KeyId": key, "GrantId": made["GrantId"]});
    assert_eq!(
        code(bench.call_as_user(ACCOUNT, "ops/clerk", 0, "RevokeGrant", revoke.clone()).await),
        DENIED
    );
    assert!(rds.on_behalf_of(ACCOUNT, "ops/clerk", "RevokeGrant", revoke).await.is_ok());
}

#[tokio::test]
async fn a_service_in_its_own_name_needs_a_statement_or_a_grant_of_its_own() {
    let bench = Bench::new();
    let (sns, s3) = (Notes { bench: &bench, name: "sns" }, Notes { bench: &bench, name: "s3" });
    let source =
        json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": BUCKET}});
    let service = json!({"Service": "sns.amazonaws.com"});
    let key = key_with(&bench, &[allow(service.clone(), json!("kms:Encrypt"), source)]).await;
    assert!(sns.in_its_own_name("Encrypt", encrypt(&key)).await.is_ok());
    assert_eq!(code(s3.in_its_own_name("Encrypt", encrypt(&key)).await), DENIED);
    // Forwarding somebody's call, it is that somebody.
    assert_eq!(code(sns.on_behalf_of(ACCOUNT, "admin", "Encrypt", encrypt(&key)).await), DENIED);
    let elsewhere = json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}});
    let other = key_with(&bench, &[allow(service, json!("kms:Encrypt"), elsewhere)]).await;
    assert_eq!(code(sns.in_its_own_name("Encrypt", encrypt(&other)).await), DENIED);
    // Delegation to the account is none to services.
    let delegated = key_with(&bench, &[allow(account_root(), json!("kms:*"), json!({}))]).await;
    assert_eq!(code(sns.in_its_own_name("Encrypt", encrypt(&delegated)).await), DENIED);
    let grant = |source: &str| {
        json!({"KeyId": other, "GranteeServicePrincipal": "sns.amazonaws.com",
            "RetiringServicePrincipal": "sns.amazonaws.com", "Operations": ["Encrypt"],
            "Constraints": {"SourceArn": source}})
    };
    let wrong = format!("arn:aws:sns:eu-central-1:{ACCOUNT}:other");
    bench.call(0, "CreateGrant", grant(&wrong)).await.unwrap();
    assert_eq!(code(sns.in_its_own_name("Encrypt", encrypt(&other)).await), DENIED);
    let call = facts(ACCOUNT, "admin", 0);
    let topic = format!("arn:aws:sns:eu-central-1:{ACCOUNT}:notes");
    bench.call(0, "CreateGrant", grant(&topic)).await.unwrap();
    let of_topic = CallingService { name: "sns", source_arn: Some(topic), source_account: None };
    let of_topic = call.of_service(of_topic, ACCOUNT.parse().unwrap(), ids([3; 16]));
    assert!(bench.answer(of_topic, "Encrypt", encrypt(&other)).await.is_ok());
    assert_eq!(code(sns.in_its_own_name("Encrypt", encrypt(&other)).await), DENIED);
}

/// What the newest events say of who called.
async fn newest_callers(bench: &Bench, number: usize) -> Vec<Value> {
    let events = bench.events().await;
    let told = |event: &Value| {
        let identity = &event["userIdentity"];
        assert_eq!(event["sourceIPAddress"], identity["invokedBy"], "{event}");
        assert_eq!(event["userAgent"], identity["invokedBy"], "{event}");
        json!([
            event["eventName"],
            event["errorCode"],
            event["recipientAccountId"],
            identity["type"],
            identity["arn"],
            identity["invokedBy"]
        ])
    };
    events[events.len() - number..].iter().map(told).collect()
}

#[tokio::test]
async fn the_trail_tells_for_whom_a_service_acted() {
    let bench = Bench::new();
    let rds = Notes { bench: &bench, name: "rds" };
    let key = key_with(&bench, &[allow(account_root(), json!("kms:*"), json!({}))]).await;
    let grant = json!({"KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:role/service/app"),
        "Operations": ["Decrypt"]});
    rds.on_behalf_of(ACCOUNT, "admin", "CreateGrant", grant).await.unwrap();
    rds.put(ACCOUNT, "admin", &key).await.ok().unwrap();
    rds.put(ACCOUNT, "ops/limited", &key).await.err().unwrap();
    let user = |name| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let service = "rds.amazonaws.com";
    let expected = [
        json!(["CreateGrant", null, ACCOUNT, "IAMUser", user("admin"), service]),
        json!(["GenerateDataKey", null, ACCOUNT, "IAMUser", user("admin"), service]),
        json!(["GenerateDataKey", "AccessDenied", ACCOUNT, "IAMUser", user("ops/limited"), service]),
    ];
    assert_eq!(newest_callers(&bench, 3).await, expected);
    // A call of the user's own names no service.
    bench.call(0, "Encrypt", encrypt(&key)).await.unwrap();
    let own = bench.events().await.pop().unwrap();
    assert_eq!((&own["eventName"], own["userIdentity"].get("invokedBy")), (&json!("Encrypt"), None));
}

#[tokio::test]
async fn the_trail_tells_what_a_service_did_in_its_own_name() {
    let bench = Bench::new();
    let sns = Notes { bench: &bench, name: "sns" };
    let service = json!({"Service": "sns.amazonaws.com"});
    let key = key_with(&bench, &[allow(service, json!("kms:Encrypt"), json!({}))]).await;
    sns.in_its_own_name("Encrypt", encrypt(&key)).await.unwrap();
    let expected = json!(["Encrypt", null, ACCOUNT, "AWSService", null, "sns.amazonaws.com"]);
    assert_eq!(newest_callers(&bench, 1).await, [expected]);
}

#[tokio::test]
async fn the_owner_of_a_key_is_told_which_service_used_it_for_whose_account() {
    let bench = Bench::new();
    let s3 = Notes { bench: &bench, name: "s3" };
    let other = json!({"AWS": format!("arn:aws:iam::{OTHER_ACCOUNT}:root")});
    let key = key_with(&bench, &[allow(other, json!("kms:*"), json!({}))]).await;
    s3.put(OTHER_ACCOUNT, "admin", &arn(&key)).await.ok().unwrap();
    let (user, service) = (format!("arn:aws:iam::{OTHER_ACCOUNT}:user/admin"), "s3.amazonaws.com");
    let expected = [
        json!(["GenerateDataKey", null, OTHER_ACCOUNT, "IAMUser", user, service]),
        json!(["GenerateDataKey", null, ACCOUNT, "AWSAccount", null, service]),
    ];
    assert_eq!(newest_callers(&bench, 2).await, expected);
}

#[tokio::test]
async fn nothing_in_a_request_makes_a_client_a_service() {
    let bench = Bench::new();
    let via = json!({"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}});
    let key = key_with(&bench, &[allow(account_root(), json!("kms:*"), via)]).await;
    let mut body = encrypt(&key);
    body["ViaService"] = json!("s3.eu-central-1.amazonaws.com");
    body["EncryptionContext"] = json!({"kms:ViaService": "s3.eu-central-1.amazonaws.com"});
    assert_eq!(refusal(bench.call(0, "Encrypt", body).await).0, DENIED);
}
