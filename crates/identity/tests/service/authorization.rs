//! What IAM calls are checked against: which resource, and which condition keys there are.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>

use base::{Call, Caller};
use identity::Identity;
use serde_json::{Value, json};
use wire::Fault;

use crate::iam::{ADMINISTRATOR, ALLOW, Bench, OWN, PROVIDER, TRUST, form};

const USER: &str = "arn:aws:iam::111111111111:user/ops/alice";
const NEW_USER: &str = "arn:aws:iam::111111111111:user/new";
const ROLE: &str = "arn:aws:iam::111111111111:role/app";
const NEW_ROLE: &str = "arn:aws:iam::111111111111:role/new";
const GROUP: &str = "arn:aws:iam::111111111111:group/team";
const PROFILE: &str = "arn:aws:iam::111111111111:instance-profile/p";

type Parameters = &'static [(&'static str, &'static str)];

const BY_USER: Parameters = &[("UserName", "alice")];
const BY_ROLE: Parameters = &[("RoleName", "app")];
const BY_GROUP: Parameters = &[("GroupName", "team")];
const BY_POLICY: Parameters = &[("PolicyArn", OWN)];
const BY_PROVIDER: Parameters = &[("OpenIDConnectProviderArn", PROVIDER)];
const BY_KEY: Parameters = &[("UserName", "alice"), ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")];
const USER_POLICY: Parameters = &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
const ROLE_POLICY: Parameters = &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
const GROUP_POLICY: Parameters = &[("GroupName", "team"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
const VERSION: Parameters = &[("PolicyArn", OWN), ("VersionId", "v1")];
const ATTACH_USER: Parameters = &[("UserName", "alice"), ("PolicyArn", OWN)];
const ATTACH_ROLE: Parameters = &[("RoleName", "app"), ("PolicyArn", OWN)];
const ATTACH_GROUP: Parameters = &[("GroupName", "team"), ("PolicyArn", OWN)];
const BOUND_USER: Parameters = &[("UserName", "alice"), ("PermissionsBoundary", OWN)];
const BOUND_ROLE: Parameters = &[("RoleName", "app"), ("PermissionsBoundary", OWN)];
const CLIENT: Parameters = &[("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "c")];
const MEMBER: Parameters = &[("GroupName", "team"), ("UserName", "alice")];

/// Every operation, the resource that it is about (`*`: none), and its parameters.
const OPERATIONS: &[(&str, &str, Parameters)] = &[
    ("AddClientIDToOpenIDConnectProvider", PROVIDER, CLIENT),
    ("AddUserToGroup", GROUP, MEMBER),
    ("AttachGroupPolicy", GROUP, ATTACH_GROUP),
    ("AttachRolePolicy", ROLE, ATTACH_ROLE),
    ("AttachUserPolicy", USER, ATTACH_USER),
    ("CreateAccessKey", USER, BY_USER),
    ("CreateAccountAlias", "*", &[("AccountAlias", "our-account")]),
    ("CreateGroup", "arn:aws:iam::111111111111:group/new", &[("GroupName", "new")]),
    (
        "CreateOpenIDConnectProvider",
        "arn:aws:iam::111111111111:oidc-provider/b.example",
        &[("Url", "https://b.example"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
    ),
    (
        "CreatePolicy",
        "arn:aws:iam::111111111111:policy/new",
        &[
            ("PolicyName", "new"),
            ("PolicyDocument", ALLOW),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ],
    ),
    ("CreatePolicyVersion", OWN, &[("PolicyArn", OWN), ("PolicyDocument", ALLOW)]),
    (
        "CreateRole",
        NEW_ROLE,
        &[
            ("RoleName", "new"),
            ("AssumeRolePolicyDocument", TRUST),
            ("PermissionsBoundary", OWN),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ],
    ),
    (
        "CreateUser",
        NEW_USER,
        &[
            ("UserName", "new"),
            ("PermissionsBoundary", OWN),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ],
    ),
    ("DeleteAccessKey", USER, BY_KEY),
    ("DeleteAccountAlias", "*", &[("AccountAlias", "our-account")]),
    ("DeleteGroup", GROUP, BY_GROUP),
    ("DeleteGroupPolicy", GROUP, GROUP_POLICY),
    ("DeleteOpenIDConnectProvider", PROVIDER, BY_PROVIDER),
    ("DeletePolicy", OWN, BY_POLICY),
    ("DeletePolicyVersion", OWN, VERSION),
    ("DeleteRole", ROLE, BY_ROLE),
    ("DeleteRolePermissionsBoundary", ROLE, BY_ROLE),
    ("DeleteRolePolicy", ROLE, ROLE_POLICY),
    ("DeleteUser", USER, BY_USER),
    ("DeleteUserPermissionsBoundary", USER, BY_USER),
    ("DeleteUserPolicy", USER, USER_POLICY),
    ("DetachGroupPolicy", GROUP, ATTACH_GROUP),
    ("DetachRolePolicy", ROLE, ATTACH_ROLE),
    ("DetachUserPolicy", USER, ATTACH_USER),
    ("GetAccessKeyLastUsed", USER, &[("AccessKeyId", "?")]),
    ("GetAccountPasswordPolicy", "*", &[]),
    ("GetAccountSummary", "*", &[]),
    ("GetContextKeysForCustomPolicy", "*", &[("PolicyInputList.member.1", ALLOW)]),
    ("GetContextKeysForPrincipalPolicy", USER, &[("PolicySourceArn", USER)]),
    ("GetGroup", GROUP, BY_GROUP),
    ("GetGroupPolicy", GROUP, GROUP_POLICY),
    ("GetInstanceProfile", PROFILE, &[("InstanceProfileName", "p")]),
    ("GetLoginProfile", USER, BY_USER),
    ("GetOpenIDConnectProvider", PROVIDER, BY_PROVIDER),
    ("GetPolicy", OWN, BY_POLICY),
    ("GetPolicyVersion", OWN, VERSION),
    ("GetRole", ROLE, BY_ROLE),
    ("GetRolePolicy", ROLE, ROLE_POLICY),
    ("GetUser", USER, BY_USER),
    ("GetUserPolicy", USER, USER_POLICY),
    ("ListAccessKeys", USER, BY_USER),
    ("ListAccountAliases", "*", &[]),
    ("ListAttachedGroupPolicies", GROUP, BY_GROUP),
    ("ListAttachedRolePolicies", ROLE, BY_ROLE),
    ("ListAttachedUserPolicies", USER, BY_USER),
    ("ListEntitiesForPolicy", OWN, BY_POLICY),
    ("ListGroupPolicies", GROUP, BY_GROUP),
    ("ListGroups", "*", &[]),
    ("ListGroupsForUser", USER, BY_USER),
    ("ListInstanceProfiles", "*", &[]),
    ("ListInstanceProfilesForRole", ROLE, BY_ROLE),
    ("ListMFADevices", USER, BY_USER),
    ("ListOpenIDConnectProviderTags", PROVIDER, BY_PROVIDER),
    ("ListOpenIDConnectProviders", "*", &[]),
    ("ListPolicies", "*", &[]),
    ("ListPolicyTags", OWN, BY_POLICY),
    ("ListPolicyVersions", OWN, BY_POLICY),
    ("ListRolePolicies", ROLE, BY_ROLE),
    ("ListRoleTags", ROLE, BY_ROLE),
    ("ListRoles", "*", &[]),
    ("ListSSHPublicKeys", USER, BY_USER),
    ("ListServiceSpecificCredentials", USER, BY_USER),
    ("ListSigningCertificates", USER, BY_USER),
    ("ListUserPolicies", USER, BY_USER),
    ("ListUserTags", USER, BY_USER),
    ("ListUsers", "*", &[]),
    ("ListVirtualMFADevices", "*", &[]),
    ("PutGroupPolicy", GROUP, GROUP_POLICY),
    ("PutRolePermissionsBoundary", ROLE, BOUND_ROLE),
    ("PutRolePolicy", ROLE, ROLE_POLICY),
    ("PutUserPermissionsBoundary", USER, BOUND_USER),
    ("PutUserPolicy", USER, USER_POLICY),
    ("RemoveClientIDFromOpenIDConnectProvider", PROVIDER, CLIENT),
    ("RemoveUserFromGroup", GROUP, MEMBER),
    ("SetDefaultPolicyVersion", OWN, VERSION),
    (
        "SimulateCustomPolicy",
        "*",
        &[("PolicyInputList.member.1", ALLOW), ("ActionNames.member.1", "kms:Encrypt")],
    ),
    ("SimulatePrincipalPolicy", ROLE, &[("PolicySourceArn", ROLE), ("ActionNames.member.1", "kms:Encrypt")]),
    (
        "TagOpenIDConnectProvider",
        PROVIDER,
        &[("OpenIDConnectProviderArn", PROVIDER), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
    ),
    ("TagPolicy", OWN, &[("PolicyArn", OWN), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    ("TagRole", ROLE, &[("RoleName", "app"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    ("TagUser", USER, &[("UserName", "alice"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    (
        "UntagOpenIDConnectProvider",
        PROVIDER,
        &[("OpenIDConnectProviderArn", PROVIDER), ("TagKeys.member.1", "k")],
    ),
    ("UntagPolicy", OWN, &[("PolicyArn", OWN), ("TagKeys.member.1", "k")]),
    ("UntagRole", ROLE, &[("RoleName", "app"), ("TagKeys.member.1", "k")]),
    ("UntagUser", USER, &[("UserName", "alice"), ("TagKeys.member.1", "k")]),
    ("UpdateAccessKey", USER, &[("UserName", "alice"), ("AccessKeyId", "?"), ("Status", "Inactive")]),
    ("UpdateAssumeRolePolicy", ROLE, &[("RoleName", "app"), ("PolicyDocument", TRUST)]),
    ("UpdateGroup", GROUP, &[("GroupName", "team"), ("NewGroupName", "crew")]),
    (
        "UpdateOpenIDConnectProviderThumbprint",
        PROVIDER,
        &[("OpenIDConnectProviderArn", PROVIDER), ("ThumbprintList", "")],
    ),
    ("UpdateRole", ROLE, BY_ROLE),
    ("UpdateRoleDescription", ROLE, &[("RoleName", "app"), ("Description", "d")]),
    ("UpdateUser", USER, &[("UserName", "alice"), ("NewUserName", "bob")]),
];

/// Operations with `iam:PermissionsBoundary`.
const WITH_BOUNDARY: &[&str] = &[
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateRole",
    "CreateUser",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "GetRole",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
];

/// Operations that make something which can have tags from the beginning.
const NEW_WITH_TAGS: [&str; 4] = ["CreateOpenIDConnectProvider", "CreatePolicy", "CreateRole", "CreateUser"];

/// Whether an operation on this resource, which has tags and a boundary if it can have any, has a condition key.
fn has(operation: &str, resource: &str, key: &str) -> bool {
    let is_new = operation.starts_with("Create") && operation != "CreateAccessKey";
    let is_new = is_new && operation != "CreatePolicyVersion";
    let is = |words: &[&str]| words.iter().any(|word| resource.contains(word));
    match key {
        "iam:PolicyARN" => operation.starts_with("Attach") || operation.starts_with("Detach"),
        "iam:PermissionsBoundary" => WITH_BOUNDARY.contains(&operation),
        "aws:RequestTag/k" => operation.starts_with("Tag") || NEW_WITH_TAGS.contains(&operation),
        "aws:TagKeys" => operation.starts_with("Untag") || has(operation, resource, "aws:RequestTag/k"),
        "aws:ResourceTag/Team" => !is_new && is(&[":user/", ":role/", ":policy/", ":oidc-provider/"]),
        "iam:ResourceTag/Team" => !is_new && is(&[":user/", ":role/"]),
        _ => false,
    }
}

const KEYS: [&str; 8] = [
    "iam:PolicyARN",
    "iam:PermissionsBoundary",
    "aws:RequestTag/k",
    "aws:TagKeys",
    "aws:ResourceTag/Team",
    "iam:ResourceTag/Team",
    "aws:ResourceTag/k",
    "iam:PassedToService",
];

/// Users alice, eve and mallory, a role, a group, a policy and a provider: whatever can has the tag Team and the boundary
/// `own`. Eve calls.
struct Office {
    bench: Bench,
    eve: Caller,
    access_key: String,
}

impl Office {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let tag = |name: &'static str, value: &'static str| {
            [(name, value), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")]
        };
        bench
            .done("CreatePolicy", &[&tag("PolicyName", "own")[..], &[("PolicyDocument", ALLOW)]].concat())
            .await;
        let alice =
            [&tag("UserName", "alice")[..], &[("Path", "/ops/"), ("PermissionsBoundary", OWN)]].concat();
        bench.done("CreateUser", &alice).await;
        let role = [("AssumeRolePolicyDocument", TRUST), ("PermissionsBoundary", OWN)];
        bench.done("CreateRole", &[&tag("RoleName", "app")[..], &role].concat()).await;
        bench.done("CreateOpenIDConnectProvider", &tag("Url", "https://a.example")).await;
        bench.done("CreateGroup", &[("GroupName", "team")]).await;
        bench.done("CreateUser", &[("UserName", "mallory")]).await;
        bench.done("CreateUser", &tag("UserName", "eve")).await;
        let key = bench.done("CreateAccessKey", &[("UserName", "alice")]).await;
        let access_key = key.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let eve = bench.caller("eve").await;
        Self { bench, eve, access_key }
    }

    /// Gives eve this policy and no other.
    async fn let_eve(&self, statements: Value) {
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = [("UserName", "eve"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
        self.bench.done("PutUserPolicy", &policy).await;
    }

    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (*name, if *value == "?" { self.access_key.as_str() } else { *value }))
            .collect();
        let form = form(action, &parameters);
        let operation = Identity::iam_operation(&form)?;
        let call = Call { caller: self.eve.clone().into(), ..Bench::call() };
        let answer = self.bench.identity.call_iam(operation, &call, &form).await;
        answer.map(|answer| String::from_utf8(answer).unwrap()).map_err(|refused| refused.to_fault())
    }

    async fn done(&self, action: &str, parameters: &[(&str, &str)]) {
        let answer = self.call(action, parameters).await;
        assert!(answer.is_ok(), "{action}: {answer:?}");
    }

    /// The text with which a call is denied.
    async fn denied(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let fault = self.call(action, parameters).await.unwrap_err();
        assert_eq!((fault.code, fault.status), ("AccessDenied", 403), "{action}: {fault:?}");
        fault.message.unwrap()
    }
}

fn allow(actions: &[&str], condition: Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition})
}

fn deny(actions: &[&str], condition: Value) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition})
}

#[test]
fn the_list_of_operations_is_complete() {
    let listed: Vec<&str> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, wire::iam::OPERATION_NAMES);
    assert!(WITH_BOUNDARY.iter().chain(&NEW_WITH_TAGS).all(|name| listed.contains(name)));
}

/// No call is carried out here: a policy that denies whatever lacks a key tells which calls have it.
#[tokio::test]
async fn every_operation_has_the_resource_and_the_condition_keys_that_aws_lists_and_no_others() {
    let office = Office::new().await;
    for key in KEYS {
        office.let_eve(deny(&["iam:*"], json!({"Null": {key: "true"}}))).await;
        for (operation, resource, parameters) in OPERATIONS {
            let text = office.denied(operation, parameters).await;
            let on = if *resource == "*" { String::new() } else { format!(" on resource: {resource}") };
            let base = format!("is not authorized to perform: iam:{operation}{on} ");
            assert!(text.contains(&base), "{operation}: {text}");
            let is_absent = text.ends_with("with an explicit deny in an identity-based policy");
            assert_eq!(!is_absent, has(operation, resource, key), "{operation} {key}: {text}");
        }
    }
}

#[tokio::test]
async fn a_deny_of_one_policy_is_about_that_one_alone() {
    let office = Office::new().await;
    let condition = json!({"ArnEquals": {"iam:PolicyARN": ADMINISTRATOR}});
    office
        .let_eve(json!([allow(&["iam:*"], json!({})), deny(&["iam:Attach*", "iam:Detach*"], condition)]))
        .await;
    for (kind, name, value) in
        [("User", "UserName", "mallory"), ("Role", "RoleName", "app"), ("Group", "GroupName", "team")]
    {
        let (attach, detach) = (format!("Attach{kind}Policy"), format!("Detach{kind}Policy"));
        let text = office.denied(&attach, &[(name, value), ("PolicyArn", ADMINISTRATOR)]).await;
        assert!(text.ends_with("with an explicit deny in an identity-based policy"), "{text}");
        office.done(&attach, &[(name, value), ("PolicyArn", OWN)]).await;
        office.denied(&detach, &[(name, value), ("PolicyArn", ADMINISTRATOR)]).await;
        office.done(&detach, &[(name, value), ("PolicyArn", OWN)]).await;
    }
}

/// The delegated administrator of <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.
#[tokio::test]
async fn who_may_only_administer_within_a_boundary_cannot_get_out_of_it() {
    let office = Office::new().await;
    let bounded = json!({"StringEquals": {"iam:PermissionsBoundary": OWN}});
    let deny_others = json!({"StringNotEquals": {"iam:PermissionsBoundary": OWN}});
    let administer =
        ["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary"];
    for statements in [
        json!([allow(&administer, bounded)]),
        json!([allow(&administer, json!({})), deny(&administer, deny_others)]),
    ] {
        office.let_eve(statements).await;
        office.denied("CreateUser", &[("UserName", "bob")]).await;
        office.denied("CreateUser", &[("UserName", "bob"), ("PermissionsBoundary", ADMINISTRATOR)]).await;
        office.done("CreateUser", &[("UserName", "bob"), ("PermissionsBoundary", OWN)]).await;
        office.done("AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", ADMINISTRATOR)]).await;
        let inline = [("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
        office.done("PutUserPolicy", &inline).await;
        // What has no boundary, or another one, is out of reach; so is another boundary for what has the right one.
        office.denied("AttachUserPolicy", &[("UserName", "mallory"), ("PolicyArn", ADMINISTRATOR)]).await;
        let other = [("UserName", "bob"), ("PermissionsBoundary", ADMINISTRATOR)];
        office.denied("PutUserPermissionsBoundary", &other).await;
        office.bench.done("PutUserPermissionsBoundary", &other).await;
        office.denied("PutUserPolicy", &inline).await;
        office.done("PutUserPermissionsBoundary", &[("UserName", "bob"), ("PermissionsBoundary", OWN)]).await;
        office.denied("DeleteUserPermissionsBoundary", &[("UserName", "bob")]).await;
        for (action, parameters) in [
            ("DetachUserPolicy", &[("UserName", "bob"), ("PolicyArn", ADMINISTRATOR)][..]),
            ("DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "p")]),
            ("DeleteUser", &[("UserName", "bob")]),
        ] {
            office.bench.done(action, parameters).await;
        }
    }
}

#[tokio::test]
async fn who_has_the_tags_of_the_caller_is_within_its_reach() {
    let office = Office::new().await;
    let red = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    for key in ["aws:ResourceTag/team", "iam:ResourceTag/TEAM"] {
        office
            .let_eve(allow(&["iam:Get*"], json!({"StringEquals": {key: "${aws:PrincipalTag/Team}"}})))
            .await;
        office.done("GetUser", &[("UserName", "alice")]).await;
        office.done("GetRole", &[("RoleName", "app")]).await;
        office.denied("GetUser", &[("UserName", "mallory")]).await;
        office.denied("GetUser", &[("UserName", "nobody")]).await;
        office.denied("GetGroup", &[("GroupName", "team")]).await;
        office.bench.done("TagRole", &[&red[..], &[("RoleName", "app")]].concat()).await;
        office.denied("GetRole", &[("RoleName", "app")]).await;
        let back = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red"), ("RoleName", "app")];
        office.bench.done("TagRole", &back).await;
    }
    // Only users and roles have the key of IAM; policies and providers have the one that all services have.
    for (key, reaches) in [("aws:ResourceTag/Team", true), ("iam:ResourceTag/Team", false)] {
        office.let_eve(allow(&["iam:Get*"], json!({"StringEquals": {key: "red"}}))).await;
        for (action, parameters) in [("GetPolicy", BY_POLICY), ("GetOpenIDConnectProvider", BY_PROVIDER)] {
            assert_eq!(office.call(action, parameters).await.is_ok(), reaches, "{action} {key}");
        }
        office.denied("GetPolicy", &[("PolicyArn", ADMINISTRATOR)]).await;
    }
}

#[tokio::test]
async fn tags_of_a_request_are_bounded_by_policies() {
    let office = Office::new().await;
    let condition = json!({
        "StringEquals": {"aws:RequestTag/Stage": ["test", "staging"]},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["Stage", "Owner"]},
    });
    office.let_eve(allow(&["iam:TagUser"], condition)).await;
    let tag = |pairs: &[(&'static str, &'static str)]| -> Vec<(String, &'static str)> {
        let named = |(number, (key, value)): (usize, &(&'static str, &'static str))| {
            let member = format!("Tags.member.{}", number + 1);
            [(format!("{member}.Key"), *key), (format!("{member}.Value"), *value)]
        };
        pairs.iter().enumerate().flat_map(named).chain([("UserName".to_owned(), "mallory")]).collect()
    };
    for (pairs, allowed) in [
        (&[("Stage", "test")][..], true),
        (&[("stage", "staging"), ("Owner", "x")], false),
        (&[("Stage", "staging"), ("Owner", "x")], true),
        (&[("Stage", "production")], false),
        (&[("Owner", "x")], false),
        (&[("Stage", "test"), ("Other", "x")], false),
        // Which of the two counts cannot be told.
        (&[("Stage", "test"), ("STAGE", "production")], false),
    ] {
        let parameters = tag(pairs);
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(office.call("TagUser", &parameters).await.is_ok(), allowed, "{pairs:?}");
    }
    let own = json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["Owner"]}});
    office.let_eve(allow(&["iam:UntagUser"], own)).await;
    office.done("UntagUser", &[("UserName", "mallory"), ("TagKeys.member.1", "Owner")]).await;
    office.denied("UntagUser", &[("UserName", "mallory"), ("TagKeys.member.1", "Stage")]).await;
}

#[tokio::test]
async fn what_is_made_with_tags_takes_leave_to_tag_it() {
    let office = Office::new().await;
    for (operation, tagging) in [
        ("CreateUser", "TagUser"),
        ("CreateRole", "TagRole"),
        ("CreatePolicy", "TagPolicy"),
        ("CreateOpenIDConnectProvider", "TagOpenIDConnectProvider"),
    ] {
        let (_, resource, with_tags) = OPERATIONS.iter().find(|(name, ..)| *name == operation).unwrap();
        let without: Vec<_> =
            with_tags.iter().filter(|(name, _)| !name.starts_with("Tags")).copied().collect();
        let (create, tag) = (format!("iam:{operation}"), format!("iam:{tagging}"));
        office.let_eve(allow(&[&create], json!({}))).await;
        let text = office.denied(operation, with_tags).await;
        assert!(text.contains(&format!("perform: {tag} on resource: {resource} because no")), "{text}");
        let wanted = json!({"StringEquals": {"aws:RequestTag/k": "v"}});
        office.let_eve(json!([allow(&[&create], json!({})), allow(&[&tag], wanted)])).await;
        office.done(operation, with_tags).await;
        // Without tags nobody asks.
        office.let_eve(allow(&[&create], json!({}))).await;
        assert_eq!(office.call(operation, &without).await.unwrap_err().code, "EntityAlreadyExists");
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>: leave for the old name and the new one.
#[tokio::test]
async fn who_renames_must_have_leave_for_both_names() {
    let office = Office::new().await;
    let update = |names: &[&str]| json!({"Effect": "Allow", "Action": "iam:Update*", "Resource": names});
    for (operation, old, new, parameters, back) in [
        (
            "UpdateUser",
            USER,
            "arn:aws:iam::111111111111:user/ops/bob",
            [("UserName", "alice"), ("NewUserName", "bob")],
            [("UserName", "bob"), ("NewUserName", "alice")],
        ),
        (
            "UpdateGroup",
            GROUP,
            "arn:aws:iam::111111111111:group/crew",
            [("GroupName", "team"), ("NewGroupName", "crew")],
            [("GroupName", "crew"), ("NewGroupName", "team")],
        ),
    ] {
        office.let_eve(update(&[old])).await;
        let text = office.denied(operation, &parameters).await;
        assert!(text.contains(&format!("on resource: {new} because no")), "{text}");
        office.let_eve(update(&[new])).await;
        assert!(office.denied(operation, &parameters).await.contains(old));
        office.let_eve(update(&[old, new])).await;
        office.done(operation, &parameters).await;
        office.done(operation, &back).await;
    }
}
