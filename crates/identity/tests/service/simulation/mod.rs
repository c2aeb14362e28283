//! The policy simulator: whose policies count, what is told of them, and what bounds it.
//!
//! Sources: AWS IAM API Reference, SimulateCustomPolicy, SimulatePrincipalPolicy, EvaluationResult, PolicyIdentifier;
//! AWS CLI reference, simulate-custom-policy.

mod refusals;

use identity::Identity;
use serde_json::{Value, json};
use wire::Fault;

use crate::iam::{ADMINISTRATOR, Bench, TRUST, form};

const KEY: &str = "arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const FOREIGN_KEY: &str = "arn:aws:kms:eu-central-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALICE: &str = "arn:aws:iam::111111111111:user/ops/alice";

fn document(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// A statement of a key policy.
fn of(principal: &str, statement: Value) -> Value {
    let mut statement = statement;
    statement.as_object_mut().unwrap().insert("Principal".to_owned(), json!({"AWS": principal}));
    statement
}

type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// The parameters of a simulation of one action by some policies, and further ones.
fn custom<'a>(policy: &'a str, action: &'a str, further: &[(&'a str, &'a str)]) -> Parameters<'a> {
    let own = [("PolicyInputList.member.1", policy), ("ActionNames.member.1", action)];
    [&own[..], further].concat()
}

async fn try_call(bench: &Bench, action: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
    let form = form(action, parameters);
    let answer =
        bench.identity.call_iam(Identity::iam_operation(&form).unwrap(), &Bench::call(), &form).await;
    answer.map(|answer| String::from_utf8(answer).unwrap()).map_err(|refused| refused.to_fault())
}

/// The only result of a simulation of policies that the request brings along.
async fn simulated(bench: &Bench, parameters: &[(&str, &str)]) -> String {
    result(&try_call(bench, "SimulateCustomPolicy", parameters).await.unwrap())
}

/// The only result of a simulation of somebody's policies.
async fn simulated_of(bench: &Bench, arn: &str, action: &str, further: &[(&str, &str)]) -> String {
    let own = [("PolicySourceArn", arn), ("ActionNames.member.1", action)];
    result(&try_call(bench, "SimulatePrincipalPolicy", &[&own[..], further].concat()).await.unwrap())
}

fn result(answer: &str) -> String {
    let inner = answer.split("<EvaluationResults>").nth(1).unwrap();
    let inner = inner.split("</EvaluationResults>").next().unwrap();
    assert_eq!(inner.matches("<EvalActionName>").count(), 1, "{answer}");
    inner.to_owned()
}

/// What stands in the first element of this name.
fn within<'t>(text: &'t str, tag: &str) -> &'t str {
    each(text, tag).into_iter().next().unwrap()
}

/// What stands in each element of this name.
fn each<'t>(text: &'t str, tag: &str) -> Vec<&'t str> {
    let open = format!("<{tag}>");
    let close = format!("</{tag}>");
    text.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}

fn decision(result: &str) -> &str {
    within(result, "EvalDecision")
}

async fn refused(bench: &Bench, action: &str, parameters: &[(&str, &str)]) -> String {
    let fault = try_call(bench, action, parameters).await.unwrap_err();
    assert_eq!((fault.code, fault.status), ("InvalidInput", 400), "{fault:?}");
    fault.message.unwrap()
}

/// Alice is in a group; she and a role have policies of every kind.
async fn office() -> Bench {
    let bench = Bench::new().await;
    let inline = |name: &'static str, value: &'static str, policy: &'static str| {
        [(name, value), ("PolicyName", "p"), ("PolicyDocument", policy)]
    };
    bench.done("CreateUser", &[("UserName", "alice"), ("Path", "/ops/")]).await;
    bench.done("CreateGroup", &[("GroupName", "team")]).await;
    bench.done("AddUserToGroup", &[("GroupName", "team"), ("UserName", "alice")]).await;
    bench.done("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)]).await;
    let (encrypt, decrypt, sign, verify) = (
        r#"{"Statement":{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"kms:Sign","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"kms:Verify","Resource":"*"}}"#,
    );
    bench.done("CreatePolicy", &[("PolicyName", "own"), ("Path", "/x/"), ("PolicyDocument", decrypt)]).await;
    let own = "arn:aws:iam::111111111111:policy/x/own";
    bench.done("PutUserPolicy", &inline("UserName", "alice", encrypt)).await;
    bench.done("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", own)]).await;
    bench.done("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", own)]).await;
    bench.done("PutGroupPolicy", &inline("GroupName", "team", sign)).await;
    bench.done("PutRolePolicy", &inline("RoleName", "app", verify)).await;
    bench.done("AttachRolePolicy", &[("RoleName", "app"), ("PolicyArn", ADMINISTRATOR)]).await;
    bench
}

#[tokio::test]
async fn every_policy_of_a_user_group_or_role_counts_and_is_named() {
    let bench = office().await;
    let (group, role) = ("arn:aws:iam::111111111111:group/team", "arn:aws:iam::111111111111:role/app");
    for (arn, action, sources) in [
        (ALICE, "kms:Encrypt", &["user_alice_p"][..]),
        // A managed policy counts once, however many ways it comes.
        (ALICE, "kms:Decrypt", &["own"]),
        (ALICE, "kms:Sign", &["group_team_p"]),
        (ALICE, "kms:Verify", &[]),
        (group, "kms:Decrypt", &["own"]),
        (group, "kms:Sign", &["group_team_p"]),
        (group, "kms:Encrypt", &[]),
        (role, "kms:Verify", &["role_app_p", "AdministratorAccess"]),
        (role, "s3:GetObject", &["AdministratorAccess"]),
        // The path does not count.
        ("arn:aws:iam::111111111111:user/ALICE", "kms:Encrypt", &["user_alice_p"]),
    ] {
        let result = simulated_of(&bench, arn, action, &[]).await;
        assert_eq!(each(&result, "SourcePolicyId"), sources, "{arn} {action}");
        let expected = if sources.is_empty() { "implicitDeny" } else { "allowed" };
        assert_eq!(decision(&result), expected, "{arn} {action}");
        assert!(each(&result, "SourcePolicyType").iter().all(|kind| *kind == "IAM Policy"));
        assert_eq!(within(&result, "EvalResourceName"), "*");
    }
    // Those of the request count with them.
    let further = document(allow("kms:Verify"));
    let result = simulated_of(&bench, ALICE, "kms:Verify", &[("PolicyInputList.member.1", &further)]).await;
    assert_eq!(each(&result, "SourcePolicyId"), ["PolicyInputList.1"]);
    let nobody =
        [("PolicySourceArn", "arn:aws:iam::111111111111:user/nobody"), ("ActionNames.member.1", "a:b")];
    for arn in ["arn:aws:iam::111111111111:user/nobody", "arn:aws:iam::222222222222:user/alice"] {
        let parameters = [("PolicySourceArn", arn), nobody[1]];
        assert_eq!(
            try_call(&bench, "SimulatePrincipalPolicy", &parameters).await.unwrap_err().code,
            "NoSuchEntity"
        );
    }
    let session = [("PolicySourceArn", "arn:aws:sts::111111111111:assumed-role/app/s"), nobody[1]];
    assert_eq!(
        refused(&bench, "SimulatePrincipalPolicy", &session).await,
        "Invalid Entity Arn: arn:aws:sts::111111111111:assumed-role/app/s does not clearly define entity type and name."
    );
}

#[tokio::test]
async fn policies_can_be_left_out() {
    let bench = office().await;
    bench
        .done("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", ADMINISTRATOR)])
        .await;
    let list = "PolicyExclusionList.member.1";
    let inline = |holder: &'static str, kind: &'static str| {
        vec![
            ("InlinePolicyIdentifier.PolicyName", "p"),
            ("InlinePolicyIdentifier.AttachmentType", kind),
            ("InlinePolicyIdentifier.AttachmentName", holder),
        ]
    };
    for (exclusion, action, decided) in [
        (vec![("PolicyType", "inline")], "kms:Encrypt", "implicitDeny"),
        (vec![("PolicyType", "inline")], "kms:Sign", "implicitDeny"),
        (vec![("PolicyType", "inline")], "kms:Decrypt", "allowed"),
        (vec![("PolicyType", "user-managed")], "kms:Decrypt", "implicitDeny"),
        (vec![("PolicyType", "aws-managed")], "kms:Decrypt", "allowed"),
        (vec![("PolicyType", "scp")], "kms:Decrypt", "allowed"),
        (vec![("PolicyArn", "arn:aws:iam::111111111111:policy/x/own")], "kms:Decrypt", "implicitDeny"),
        (vec![("PolicyArn", "arn:aws:iam::111111111111:policy/x/o*")], "kms:Decrypt", "implicitDeny"),
        (vec![("PolicyArn", "arn:aws:iam::111111111111:policy/x/other")], "kms:Decrypt", "allowed"),
        (inline("alice", "user"), "kms:Encrypt", "implicitDeny"),
        (inline("team", "group"), "kms:Encrypt", "allowed"),
        (inline("team", "group"), "kms:Sign", "implicitDeny"),
    ] {
        let names: Vec<(String, &str)> =
            exclusion.iter().map(|(name, value)| (format!("{list}.{name}"), *value)).collect();
        let parameters: Vec<(&str, &str)> =
            names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let result = simulated_of(&bench, ALICE, action, &parameters).await;
        assert_eq!(decision(&result), decided, "{exclusion:?} {action}");
        assert!(result.contains("<PermissionsBoundaryDecisionDetail>"), "{exclusion:?}");
    }
    let boundary = format!("{list}.PolicyType");
    let result = simulated_of(&bench, ALICE, "kms:Encrypt", &[(&boundary, "permission-boundary")]).await;
    assert!(!result.contains("<PermissionsBoundaryDecisionDetail>"), "{result}");
    let arn = format!("{list}.PolicyArn");
    for wrong in [
        vec![(boundary.as_str(), "inline"), (arn.as_str(), ADMINISTRATOR)],
        vec![(arn.as_str(), "arn:aws:iam::*:policy/own")],
        vec![(list, "")],
    ] {
        let own = [("PolicySourceArn", ALICE), ("ActionNames.member.1", "kms:Encrypt")];
        refused(&bench, "SimulatePrincipalPolicy", &[&own[..], &wrong].concat()).await;
    }
}

/// A key is opened by its policy alone, whatever identity policies say; other resources are not.
#[tokio::test]
async fn a_key_policy_opens_its_key_and_other_policies_are_one_way_of_two() {
    let bench = Bench::new().await;
    let identity = document(allow("*"));
    let nothing = document(allow("x:y"));
    let root = document(of("arn:aws:iam::111111111111:root", allow("kms:*")));
    let bob = document(of("arn:aws:iam::111111111111:user/bob", allow("*")));
    let alice = document(of(ALICE, allow("*")));
    let denies = document(of("*", deny("*")));
    let (key, bucket) = (KEY, "arn:aws:s3:::bucket/object");
    for (policy, action, resource, of_resource, decided, sources) in [
        (&identity, "kms:Decrypt", key, &root, "allowed", &["PolicyInputList.1", "ResourcePolicy"][..]),
        (&nothing, "kms:Decrypt", key, &root, "implicitDeny", &[]),
        (&identity, "kms:Decrypt", key, &bob, "implicitDeny", &[]),
        (&nothing, "kms:Decrypt", key, &alice, "allowed", &["ResourcePolicy"]),
        (&identity, "kms:Decrypt", key, &denies, "explicitDeny", &["ResourcePolicy"]),
        (&identity, "s3:GetObject", bucket, &bob, "allowed", &["PolicyInputList.1"]),
        (&nothing, "s3:GetObject", bucket, &alice, "allowed", &["ResourcePolicy"]),
        (&nothing, "s3:GetObject", bucket, &bob, "implicitDeny", &[]),
        (&identity, "s3:GetObject", bucket, &denies, "explicitDeny", &["ResourcePolicy"]),
        // An alias has no policy.
        (
            &identity,
            "kms:CreateAlias",
            "arn:aws:kms:eu-central-1:111111111111:alias/a",
            &bob,
            "allowed",
            &["PolicyInputList.1"],
        ),
        // In another account both must allow.
        (&identity, "kms:Decrypt", FOREIGN_KEY, &alice, "allowed", &["PolicyInputList.1", "ResourcePolicy"]),
        (&nothing, "kms:Decrypt", FOREIGN_KEY, &alice, "implicitDeny", &[]),
        (&identity, "kms:Decrypt", FOREIGN_KEY, &bob, "implicitDeny", &[]),
    ] {
        let further =
            [("ResourceArns.member.1", resource), ("ResourcePolicy", of_resource), ("CallerArn", ALICE)];
        let result = simulated(&bench, &custom(policy, action, &further)).await;
        assert_eq!(decision(&result), decided, "{action} {resource} {of_resource}");
        let matched = within(&result, "MatchedStatements");
        assert_eq!(each(matched, "SourcePolicyId"), sources, "{action} {resource} {of_resource}");
        assert_eq!(within(&result, "EvalResourceName"), resource);
        assert_eq!(each(&result, "EvalResourceDecision"), [decided]);
    }
    // Without the resource's policy identity policies decide alone.
    let result =
        simulated(&bench, &custom(&identity, "kms:Decrypt", &[("ResourceArns.member.1", key)])).await;
    assert_eq!(decision(&result), "allowed");
}

#[tokio::test]
async fn across_accounts_each_kind_of_policy_says_its_own() {
    let bench = Bench::new().await;
    let (identity, other) = (document(allow("*")), document(allow("s3:*")));
    let of_resource = document(of("111111111111", allow("*")));
    let further = |resource: &'static str| {
        vec![
            ("ResourceArns.member.1", resource),
            ("ResourcePolicy", of_resource.as_str()),
            ("CallerArn", ALICE),
        ]
    };
    let details = |result: &str| -> Vec<(String, String)> {
        let entries = each(result, "entry").into_iter();
        entries.map(|entry| (within(entry, "key").to_owned(), within(entry, "value").to_owned())).collect()
    };
    let pair = |kind: &str, said: &str| (kind.to_owned(), said.to_owned());
    let result = simulated(&bench, &custom(&identity, "kms:Sign", &further(FOREIGN_KEY))).await;
    let both = [pair("IAM Policy", "allowed"), pair("Resource Policy", "allowed")];
    // Told of the action, and of its only resource.
    assert_eq!(details(&result), [&both[..], &both].concat());
    let mut bounded = further(FOREIGN_KEY);
    bounded.push(("PermissionsBoundaryPolicyInputList.member.1", &other));
    let result = simulated(&bench, &custom(&identity, "kms:Sign", &bounded)).await;
    assert_eq!(decision(&result), "implicitDeny");
    assert_eq!(details(&result)[1], pair("Permissions Boundary Policy", "implicitDeny"));
    // In one account nothing is told.
    let result = simulated(&bench, &custom(&identity, "kms:Sign", &further(KEY))).await;
    assert_eq!(within(&result, "EvalDecisionDetails"), "");
    assert_eq!(result.matches("<EvalDecisionDetails>").count(), 1);
    let result = simulated(&bench, &custom(&identity, "kms:Sign", &[])).await;
    assert!(!result.contains("<EvalDecisionDetails>") && !result.contains("<ResourceSpecificResults>"));
    // Who owns what does not say so.
    for (owner, count) in
        [("arn:aws:iam::222222222222:root", 4), ("222222222222", 4), ("arn:aws:iam::111111111111:root", 0)]
    {
        let mut owned = further("arn:aws:s3:::bucket");
        owned.push(("ResourceOwner", owner));
        let result = simulated(&bench, &custom(&identity, "s3:GetObject", &owned)).await;
        assert_eq!(details(&result).len(), count, "{owner}");
    }
}

#[tokio::test]
async fn boundaries_and_organisations_are_ceilings() {
    let bench = office().await;
    let (identity, other, denies) =
        (document(allow("kms:*")), document(allow("s3:*")), document(json!([allow("*"), deny("kms:Sign")])));
    let bounded = "PermissionsBoundaryPolicyInputList.member.1";
    for (boundary, action, decided, allowed, sources) in [
        (&identity, "kms:Sign", "allowed", "true", &["PolicyInputList.1"][..]),
        (&other, "kms:Sign", "implicitDeny", "false", &[]),
        (&denies, "kms:Sign", "explicitDeny", "false", &["PermissionsBoundaryPolicyInputList.1"]),
        (&denies, "kms:Verify", "allowed", "true", &["PolicyInputList.1"]),
    ] {
        let result = simulated(&bench, &custom(&identity, action, &[(bounded, boundary)])).await;
        assert_eq!((decision(&result), within(&result, "AllowedByPermissionsBoundary")), (decided, allowed));
        assert_eq!(each(&result, "SourcePolicyId"), sources);
    }
    let result = simulated(&bench, &custom(&identity, "kms:Sign", &[(bounded, &denies)])).await;
    assert_eq!(within(&result, "SourcePolicyType"), "Permissions Boundary Policy");
    // The one that somebody has counts, unless the request brings another.
    bench.done("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", &other)]).await;
    let bound = "arn:aws:iam::111111111111:policy/bound";
    bench.done("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", bound)]).await;
    let result = simulated_of(&bench, ALICE, "kms:Encrypt", &[]).await;
    assert_eq!(
        (decision(&result), within(&result, "AllowedByPermissionsBoundary")),
        ("implicitDeny", "false")
    );
    let result = simulated_of(&bench, ALICE, "kms:Encrypt", &[(bounded, &identity)]).await;
    assert_eq!(decision(&result), "allowed");

    let level = |number: usize| {
        format!("OrderedOrganizationPolicyInputList.member.{number}.ServiceControlPolicyInputList.member.1")
    };
    let (first, second) = (level(1), level(2));
    for (root, account, decided, allowed) in [
        (&identity, &identity, "allowed", "true"),
        (&identity, &other, "implicitDeny", "false"),
        (&identity, &denies, "explicitDeny", "false"),
    ] {
        let further = [(first.as_str(), root.as_str()), (second.as_str(), account.as_str())];
        let result = simulated(&bench, &custom(&identity, "kms:Sign", &further)).await;
        assert_eq!((decision(&result), within(&result, "AllowedByOrganizations")), (decided, allowed));
        assert_eq!(each(&result, "SourcePolicyId").is_empty(), decided != "allowed");
    }
}

#[tokio::test]
async fn what_is_not_stated_is_missing_and_what_is_decides() {
    let bench = Bench::new().await;
    let policy = document(json!({
        "Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/Key}*",
        "Condition": {
            "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Bool": {"AWS:SecureTransport": "true"},
            "StringEquals": {"aws:PrincipalAccount": "111111111111", "kms:CallerAccount": "111111111111"},
            "DateGreaterThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"},
        },
    }));
    let resource = [("ResourceArns.member.1", KEY)];
    let result = simulated(&bench, &custom(&policy, "kms:Encrypt", &resource)).await;
    let missing = ["aws:PrincipalTag/Key", "aws:SourceIp", "AWS:SecureTransport"];
    assert_eq!(decision(&result), "implicitDeny");
    for list in each(&result, "MissingContextValues") {
        let mut told = each(list, "member");
        told.sort_unstable();
        let mut expected = missing;
        expected.sort_unstable();
        assert_eq!(told, expected);
    }
    let entry = |number: usize, name: &str, kind: &str, value: &str| {
        let member = format!("ContextEntries.member.{number}");
        [
            (format!("{member}.ContextKeyName"), name.to_owned()),
            (format!("{member}.ContextKeyType"), kind.to_owned()),
            (format!("{member}.ContextKeyValues.member.1"), value.to_owned()),
        ]
    };
    for (address, decided, missing) in [("192.0.2.9", "allowed", 0), ("198.51.100.9", "implicitDeny", 0)] {
        let entries = [
            entry(1, "aws:sourceip", "ip", address),
            entry(2, "aws:SecureTransport", "boolean", "true"),
            entry(3, "aws:PrincipalTag/Key", "string", "1234"),
        ]
        .concat();
        let mut further: Parameters<'_> =
            entries.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        further.extend(resource);
        let result = simulated(&bench, &custom(&policy, "kms:Encrypt", &further)).await;
        assert_eq!((decision(&result), each(&result, "MissingContextValues")[0].len()), (decided, missing));
    }
    // Who is simulated is known.
    let of_alice = document(json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "alice"}, "ArnEquals": {"aws:PrincipalArn": ALICE}},
    }));
    let caller = [("CallerArn", ALICE)];
    assert_eq!(decision(&simulated(&bench, &custom(&of_alice, "a:b", &caller)).await), "allowed");
    let result = simulated(&bench, &custom(&of_alice, "a:b", &[])).await;
    assert_eq!(each(within(&result, "MissingContextValues"), "member"), ["aws:PrincipalArn", "aws:username"]);
}

#[tokio::test]
async fn of_several_resources_the_action_tells_what_is_most_restrictive() {
    let bench = Bench::new().await;
    let policy = json!([
        {"Effect": "Allow", "Action": "kms:*", "Resource": [KEY, FOREIGN_KEY]},
        {"Effect": "Deny", "Action": "kms:Sign", "Resource": FOREIGN_KEY},
    ]);
    let policy = document(policy);
    let resources = [
        ("ResourceArns.member.1", KEY),
        ("ResourceArns.member.2", FOREIGN_KEY),
        ("ResourceArns.member.3", "arn:aws:s3:::b"),
    ];
    let result = simulated(&bench, &custom(&policy, "kms:Sign", &resources)).await;
    assert_eq!(decision(&result), "explicitDeny");
    assert_eq!(each(&result, "EvalResourceDecision"), ["allowed", "explicitDeny", "implicitDeny"]);
    let names = each(&result, "EvalResourceName");
    let any_key = "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}";
    assert_eq!(names, [any_key, KEY, FOREIGN_KEY, "arn:aws:s3:::b"]);
    // The action tells the statements behind its own decision, each resource those behind its own.
    let told: Vec<usize> =
        each(&result, "MatchedStatements").iter().map(|list| each(list, "SourcePolicyId").len()).collect();
    assert_eq!(told, [1, 1, 1, 0]);
    let (of_action, of_allowed) = (each(&result, "StartPosition")[0], each(&result, "StartPosition")[1]);
    assert_ne!(of_action, of_allowed);
    let result = simulated(&bench, &custom(&policy, "kms:ListKeys", &resources)).await;
    assert_eq!(within(&result, "EvalResourceName"), "*");
}

/// The example of the AWS CLI, as it stands there.
#[tokio::test]
async fn positions_are_those_of_awss_example() {
    let bench = Bench::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
    let result = simulated(&bench, &custom(policy, "dynamodb:CreateBackup", &[])).await;
    assert_eq!(decision(&result), "allowed");
    assert_eq!(within(&result, "StartPosition"), "<Line>1</Line><Column>38</Column>");
    assert_eq!(within(&result, "EndPosition"), "<Line>1</Line><Column>167</Column>");
    let earlier = [
        ("ContextEntries.member.1.ContextKeyName", "aws:CurrentTime"),
        ("ContextEntries.member.1.ContextKeyType", "date"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "2017-04-25T11:00:00Z"),
    ];
    let result = simulated(&bench, &custom(policy, "dynamodb:CreateBackup", &earlier)).await;
    assert_eq!(decision(&result), "implicitDeny");
    assert_eq!(within(&result, "MissingContextValues"), "");
}

#[tokio::test]
async fn the_keys_that_policies_ask_about_are_listed() {
    let bench = office().await;
    let policy = document(json!({
        "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*",
        "Condition": {"Bool": {"AWS:securetransport": "true"}, "StringLike": {"aws:UserName": "${aws:PrincipalTag/x}"}},
    }));
    let answer = try_call(&bench, "GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", &policy)])
        .await
        .unwrap();
    let keys = within(&answer, "ContextKeyNames");
    assert_eq!(each(keys, "member"), ["aws:username", "AWS:securetransport", "aws:PrincipalTag/x"]);
    let of_alice = [("PolicySourceArn", ALICE)];
    let answer = try_call(&bench, "GetContextKeysForPrincipalPolicy", &of_alice).await.unwrap();
    assert_eq!(each(within(&answer, "ContextKeyNames"), "member"), [""; 0]);
    bench
        .done("PutGroupPolicy", &[("GroupName", "team"), ("PolicyName", "q"), ("PolicyDocument", &policy)])
        .await;
    let answer = try_call(&bench, "GetContextKeysForPrincipalPolicy", &of_alice).await.unwrap();
    assert_eq!(each(within(&answer, "ContextKeyNames"), "member").len(), 3);
    refused(&bench, "GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", "x")]).await;
    refused(
        &bench,
        "GetContextKeysForPrincipalPolicy",
        &[("PolicySourceArn", "arn:aws:iam::111111111111:root")],
    )
    .await;
}
