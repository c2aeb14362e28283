//! IAM calls over the real store: what they leave there, what a caller's policies are after them, and that none of them
//! works without its record.

use std::sync::Arc;

use base::{Call, Caller, EventId, EventNotes, Principal, RequestId, Timestamp};
use identity::iam::Refused;
use identity::{FirstCredentials, Identity, IdentityError};
use policy::{AttachedPolicy, Policy, PolicyKind, PolicySource};
use proptest::prelude::*;
use store::{Key, Range, Store};
use wire::Fault;
use wire::query::Form;

use crate::scene::{Scene, account, new_user};

pub(crate) const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
const DENY: &str = r#"{"Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#;
pub(crate) const TRUST: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;
pub(crate) const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
pub(crate) const OWN: &str = "arn:aws:iam::111111111111:policy/own";

/// A service with account 111111111111 and its user admin; the root user calls.
pub(crate) struct Bench {
    pub(crate) scene: Scene,
    pub(crate) identity: Identity,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let scene = Scene::new();
        let identity = scene.identity();
        identity.create_account(account("111111111111")).await.unwrap();
        identity.create_user(account("111111111111"), new_user("admin", "/")).await.unwrap();
        let bench = Self { scene, identity };
        bench.outbox().await;
        bench
    }

    pub(crate) fn call() -> Call {
        Call {
            request_id: RequestId::new([7; 16]),
            // The root user, whom no policy of its account limits.
            caller: Arc::new(Caller { principal: Principal::Root, ..caller("admin", "AIDAEXAMPLE") }),
            region: "us-east-1".parse().unwrap(),
            time: Timestamp::from_seconds(1_537_465_261),
            source_address: "192.0.2.7".parse().unwrap(),
            tls: None,
            user_agent: "test".into(),
            event: Arc::new(EventNotes::new(EventId::new([9; 16]))),
            service: None,
        }
    }

    async fn try_call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        let form = form(action, parameters);
        let operation = Identity::iam_operation(&form)?;
        let answer = self.identity.call_iam(operation, &Self::call(), &form).await;
        answer.map(|answer| String::from_utf8(answer).unwrap()).map_err(|refused| refused.to_fault())
    }

    pub(crate) async fn done(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let answer = self.try_call(action, parameters).await;
        answer.map_err(|fault| format!("{action}: {fault:?}")).unwrap()
    }

    async fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> &'static str {
        self.try_call(action, parameters).await.unwrap_err().code
    }

    /// The names of the events in the outbox, which is then empty.
    async fn outbox(&self) -> Vec<String> {
        let entries = self.scene.store.outbox(1_000).await.unwrap();
        if let Some(last) = entries.last() {
            self.scene.store.remove_from_outbox(last.position).await.unwrap();
        }
        let name = |record: Vec<u8>| -> String {
            let text = String::from_utf8(record).unwrap();
            text.split(r#""eventName":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        entries.into_iter().map(|entry| name(entry.record)).collect()
    }

    async fn keys(&self) -> Vec<String> {
        let page = self.scene.store.range(Range::prefix("identity/").limit(1_000)).await.unwrap();
        page.entries.into_iter().map(|entry| entry.key.to_string()).collect()
    }

    /// The caller of this user's name, by its unique id of now.
    pub(crate) async fn caller(&self, name: &str) -> Caller {
        let answer = self.done("GetUser", &[("UserName", name)]).await;
        let within = |tag: &str| answer.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap();
        let path = within("Arn").split(":user/").nth(1).unwrap();
        caller(path, within("UserId"))
    }

    async fn policies(&self, caller: &Caller) -> Vec<(String, String)> {
        let loaded = self.identity.policies_of(caller).await.unwrap();
        loaded.policies.iter().map(shown).collect()
    }
}

pub(crate) fn caller(path_and_name: &str, unique_id: &str) -> Caller {
    Caller {
        account: account("111111111111"),
        principal: Principal::User {
            path_and_name: path_and_name.to_owned(),
            unique_id: unique_id.to_owned(),
        },
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        session: None,
    }
}

/// Where a policy comes from, and what it was compiled to.
fn shown(policy: &AttachedPolicy) -> (String, String) {
    (policy.source.to_string(), format!("{:?}", policy.policy))
}

/// What a document is compiled to.
fn compiled(document: &str) -> String {
    format!("{:?}", Policy::parse(document, PolicyKind::Identity).unwrap())
}

pub(crate) fn form(action: &str, parameters: &[(&str, &str)]) -> Form {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let mut body = format!("Action={action}&Version=2010-05-08");
    for (name, value) in parameters {
        body.push_str(&format!("&{}={}", escape(name), escape(value)));
    }
    Form::parse(body.as_bytes()).unwrap()
}

/// A call, and what alice's policies are after it.
type Step<'a> = (&'a str, Vec<(&'a str, &'a str)>, Vec<(String, String)>);

/// Every operation that changes something, in an order in which each finds what it needs.
const MUTATIONS: &[(&str, &[(&str, &str)])] = &[
    ("CreateUser", &[("UserName", "alice"), ("Path", "/ops/")]),
    ("UpdateUser", &[("UserName", "alice"), ("NewUserName", "Bob")]),
    ("TagUser", &[("UserName", "bob"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    ("UntagUser", &[("UserName", "bob"), ("TagKeys.member.1", "other")]),
    ("CreateAccessKey", &[("UserName", "bob")]),
    ("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", ALLOW)]),
    ("CreatePolicyVersion", &[("PolicyArn", OWN), ("PolicyDocument", DENY)]),
    ("SetDefaultPolicyVersion", &[("PolicyArn", OWN), ("VersionId", "v2")]),
    ("DeletePolicyVersion", &[("PolicyArn", OWN), ("VersionId", "v1")]),
    ("TagPolicy", &[("PolicyArn", OWN), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    ("UntagPolicy", &[("PolicyArn", OWN), ("TagKeys.member.1", "k")]),
    ("AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", OWN)]),
    ("PutUserPolicy", &[("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)]),
    ("PutUserPermissionsBoundary", &[("UserName", "bob"), ("PermissionsBoundary", ADMINISTRATOR)]),
    ("CreateGroup", &[("GroupName", "team")]),
    ("UpdateGroup", &[("GroupName", "team"), ("NewGroupName", "Crew")]),
    ("AttachGroupPolicy", &[("GroupName", "crew"), ("PolicyArn", ADMINISTRATOR)]),
    ("PutGroupPolicy", &[("GroupName", "crew"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)]),
    ("AddUserToGroup", &[("GroupName", "crew"), ("UserName", "bob")]),
    ("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)]),
    ("UpdateRole", &[("RoleName", "app"), ("Description", "d")]),
    ("UpdateRoleDescription", &[("RoleName", "app"), ("Description", "e")]),
    ("UpdateAssumeRolePolicy", &[("RoleName", "app"), ("PolicyDocument", TRUST)]),
    ("TagRole", &[("RoleName", "app"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
    ("UntagRole", &[("RoleName", "app"), ("TagKeys.member.1", "k")]),
    ("AttachRolePolicy", &[("RoleName", "app"), ("PolicyArn", OWN)]),
    ("PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)]),
    ("PutRolePermissionsBoundary", &[("RoleName", "app"), ("PermissionsBoundary", OWN)]),
    ("CreateOpenIDConnectProvider", &[("Url", "https://a.example")]),
    ("AddClientIDToOpenIDConnectProvider", &[("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "one")]),
    (
        "RemoveClientIDFromOpenIDConnectProvider",
        &[("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "one")],
    ),
    (
        "UpdateOpenIDConnectProviderThumbprint",
        &[("OpenIDConnectProviderArn", PROVIDER), ("ThumbprintList", "")],
    ),
    (
        "TagOpenIDConnectProvider",
        &[("OpenIDConnectProviderArn", PROVIDER), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "")],
    ),
    ("UntagOpenIDConnectProvider", &[("OpenIDConnectProviderArn", PROVIDER), ("TagKeys.member.1", "k")]),
    ("CreateAccountAlias", &[("AccountAlias", "our-account")]),
    // And all of it away again.
    ("DeleteAccountAlias", &[("AccountAlias", "our-account")]),
    ("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", PROVIDER)]),
    ("DeleteRolePermissionsBoundary", &[("RoleName", "app")]),
    ("DeleteRolePolicy", &[("RoleName", "app"), ("PolicyName", "p")]),
    ("DetachRolePolicy", &[("RoleName", "app"), ("PolicyArn", OWN)]),
    ("DeleteRole", &[("RoleName", "app")]),
    ("RemoveUserFromGroup", &[("GroupName", "crew"), ("UserName", "bob")]),
    ("DeleteGroupPolicy", &[("GroupName", "crew"), ("PolicyName", "p")]),
    ("DetachGroupPolicy", &[("GroupName", "crew"), ("PolicyArn", ADMINISTRATOR)]),
    ("DeleteGroup", &[("GroupName", "crew")]),
    ("DeleteUserPermissionsBoundary", &[("UserName", "bob")]),
    ("DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "p")]),
    ("DetachUserPolicy", &[("UserName", "bob"), ("PolicyArn", OWN)]),
    ("UpdateAccessKey", &[("UserName", "bob"), ("AccessKeyId", "?"), ("Status", "Inactive")]),
    ("DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", "?")]),
    ("DeleteUser", &[("UserName", "bob")]),
    ("DeletePolicy", &[("PolicyArn", OWN)]),
];

pub(crate) const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/a.example";

#[tokio::test]
async fn every_mutation_leaves_its_record_in_the_outbox_and_nothing_when_it_is_undone() {
    let bench = Bench::new().await;
    let before = bench.keys().await;
    let mut access_key = String::new();
    for (action, parameters) in MUTATIONS {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (*name, if *value == "?" { access_key.as_str() } else { *value }))
            .collect();
        let answer = bench.done(action, &parameters).await;
        assert_eq!(bench.outbox().await, [*action]);
        if *action == "CreateAccessKey" {
            access_key = answer.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        }
    }
    let mut left = bench.keys().await;
    // That the account has used a policy of AWS stays known; the domain key was made for the first secret.
    left.retain(|key| !key.starts_with("identity/aws-policy/"));
    assert_eq!(left, before);
}

#[tokio::test]
async fn the_list_of_mutations_is_complete() {
    let listed: Vec<&str> = MUTATIONS.iter().map(|(action, _)| *action).collect();
    for name in wire::iam::OPERATION_NAMES {
        let operation = Identity::iam_operation(&form(name, &[])).unwrap();
        assert_eq!(operation.name, name);
        assert_eq!(operation.read_only, !listed.contains(&name), "{name}");
    }
}

#[tokio::test]
async fn refusals_leave_neither_record_nor_change() {
    let bench = Bench::new().await;
    let before = bench.keys().await;
    for (action, parameters, code) in [
        ("CreateUser", &[("UserName", "ADMIN")][..], "EntityAlreadyExists"),
        ("DeleteUser", &[("UserName", "nobody")], "NoSuchEntity"),
        ("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", "x")], "MalformedPolicyDocument"),
        ("AttachUserPolicy", &[("UserName", "admin"), ("PolicyArn", OWN)], "NoSuchEntity"),
        ("CreateUser", &[("UserName", "a"), ("PermissionsBoundary", OWN)], "NoSuchEntity"),
        ("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", ALLOW)], "MalformedPolicyDocument"),
    ] {
        assert_eq!(bench.refused(action, parameters).await, code, "{action}");
    }
    assert_eq!(bench.outbox().await, [""; 0]);
    assert_eq!(bench.keys().await, before);
}

#[tokio::test]
async fn what_is_too_long_for_the_store_is_refused_before_it() {
    let bench = Bench::new().await;
    let arn = format!("arn:aws:iam::111111111111:oidc-provider/{}", "a".repeat(1_500));
    assert_eq!(
        bench.refused("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]).await,
        "InvalidInput"
    );
    let path = format!("/{}/", "p".repeat(510));
    let name = "n".repeat(128);
    bench.done("CreatePolicy", &[("PolicyName", &name), ("Path", &path), ("PolicyDocument", ALLOW)]).await;
    let arn = format!("arn:aws:iam::111111111111:policy{path}{name}");
    bench.done("AttachUserPolicy", &[("UserName", "admin"), ("PolicyArn", &arn)]).await;
    bench.done("AttachUserPolicy", &[("UserName", "admin"), ("PolicyArn", ADMINISTRATOR)]).await;
    let page = [("UserName", "admin"), ("MaxItems", "1")];
    let first = bench.done("ListAttachedUserPolicies", &page).await;
    let marker = first.split("<Marker>").nth(1).unwrap().split('<').next().unwrap();
    let second = bench.done("ListAttachedUserPolicies", &[("UserName", "admin"), ("Marker", marker)]).await;
    assert!(first.contains(&arn) != second.contains(&arn));
}

#[tokio::test]
async fn another_case_is_another_name_of_the_same_user() {
    let bench = Bench::new().await;
    bench.done("CreateUser", &[("UserName", "alice")]).await;
    let key = bench.done("CreateAccessKey", &[("UserName", "alice")]).await;
    let id = key.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap();
    assert!(bench.identity.credentials(id, None).await.unwrap().known().is_some());
    bench.done("UpdateUser", &[("UserName", "alice"), ("NewUserName", "Alice")]).await;
    let credential = bench.identity.credentials(id, None).await.unwrap().known().unwrap();
    assert_eq!(credential.caller.arn().to_string(), "arn:aws:iam::111111111111:user/Alice");
    assert!(bench.done("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await.contains("<UserName>Alice<"));
}

#[tokio::test]
async fn doing_again_what_is_done_leaves_no_record() {
    let bench = Bench::new().await;
    let attach = [("UserName", "admin"), ("PolicyArn", ADMINISTRATOR)];
    bench.done("AttachUserPolicy", &attach).await;
    bench.outbox().await;
    bench.done("AttachUserPolicy", &attach).await;
    bench.done("DeleteUserPermissionsBoundary", &[("UserName", "admin")]).await;
    bench.done("UpdateUser", &[("UserName", "admin"), ("NewUserName", "admin")]).await;
    assert_eq!(bench.outbox().await, [""; 0]);
}

#[tokio::test]
async fn a_failing_store_is_a_failure_of_the_service() {
    let bench = Bench::new().await;
    bench.scene.store.fail_commits_of("identity/user/111111111111/alice");
    let fault = bench.try_call("CreateUser", &[("UserName", "alice")]).await.unwrap_err();
    assert_eq!((fault.code, fault.status), ("ServiceFailure", 500));
    assert!(!fault.message.unwrap().contains("disk"));
    assert_eq!(bench.refused("GetUser", &[("UserName", "alice")]).await, "NoSuchEntity");
}

#[tokio::test]
async fn the_first_administrator_has_a_policy_that_allows_everything() {
    let scene = Scene::new();
    let identity = scene.identity();
    let first =
        identity.bootstrap(|_: &FirstCredentials| Ok::<(), IdentityError>(())).await.unwrap().unwrap();
    let credential = identity.credentials(first.access_key.id.as_str(), None).await.unwrap().known().unwrap();
    let loaded = identity.policies_of(&credential.caller).await.unwrap();
    let [policy] = loaded.policies.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(policy.source, PolicySource::Managed(ADMINISTRATOR.to_owned()));
    let everything = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert_eq!(format!("{:?}", policy.policy), compiled(everything));
    assert!(loaded.boundary.is_none() && loaded.tags.is_empty());
}

/// Changes, and what the policies of alice are after each: the next call sees it.
#[tokio::test]
async fn a_change_acts_on_the_next_call() {
    let bench = Bench::new().await;
    bench.done("CreateUser", &[("UserName", "alice"), ("Path", "/ops/")]).await;
    bench.done("CreateGroup", &[("GroupName", "team")]).await;
    bench.done("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", ALLOW)]).await;
    let alice = bench.caller("alice").await;
    let entry = |source: &str, document: &str| (source.to_owned(), compiled(document));
    let inline = entry("user policy p", ALLOW);
    let of_group = entry("policy q of group team", DENY);
    let managed = |document| entry(OWN, document);
    let steps: Vec<Step<'_>> = vec![
        (
            "PutUserPolicy",
            vec![("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)],
            vec![inline.clone()],
        ),
        (
            "PutGroupPolicy",
            vec![("GroupName", "team"), ("PolicyName", "q"), ("PolicyDocument", DENY)],
            vec![inline.clone()],
        ),
        (
            "AddUserToGroup",
            vec![("GroupName", "team"), ("UserName", "alice")],
            vec![inline.clone(), of_group.clone()],
        ),
        (
            "AttachGroupPolicy",
            vec![("GroupName", "team"), ("PolicyArn", OWN)],
            vec![inline.clone(), of_group.clone(), managed(ALLOW)],
        ),
        (
            "CreatePolicyVersion",
            vec![("PolicyArn", OWN), ("PolicyDocument", DENY)],
            vec![inline.clone(), of_group.clone(), managed(ALLOW)],
        ),
        (
            "SetDefaultPolicyVersion",
            vec![("PolicyArn", OWN), ("VersionId", "v2")],
            vec![inline.clone(), of_group.clone(), managed(DENY)],
        ),
        (
            "PutUserPolicy",
            vec![("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", DENY)],
            vec![entry("user policy p", DENY), of_group.clone(), managed(DENY)],
        ),
        (
            "DeleteUserPolicy",
            vec![("UserName", "alice"), ("PolicyName", "p")],
            vec![of_group.clone(), managed(DENY)],
        ),
        ("DetachGroupPolicy", vec![("GroupName", "team"), ("PolicyArn", OWN)], vec![of_group.clone()]),
        (
            "UpdateGroup",
            vec![("GroupName", "team"), ("NewGroupName", "crew")],
            vec![entry("policy q of group crew", DENY)],
        ),
        ("RemoveUserFromGroup", vec![("GroupName", "crew"), ("UserName", "alice")], vec![]),
    ];
    assert_eq!(bench.policies(&alice).await, []);
    for (action, parameters, expected) in steps {
        bench.done(action, &parameters).await;
        assert_eq!(bench.policies(&alice).await, expected, "after {action}");
        let reads = bench.scene.store.reads();
        assert_eq!(bench.policies(&alice).await, expected);
        assert_eq!(bench.scene.store.reads(), reads, "answered from memory after {action}");
    }
}

#[tokio::test]
async fn boundary_and_tags_come_with_the_policies() {
    let bench = Bench::new().await;
    bench.done("CreateUser", &[("UserName", "alice")]).await;
    bench.done("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", ALLOW)]).await;
    let alice = bench.caller("alice").await;
    assert!(bench.identity.policies_of(&alice).await.unwrap().boundary.is_none());
    bench.done("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", OWN)]).await;
    let tag = [("UserName", "alice"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "x")];
    bench.done("TagUser", &tag).await;
    let loaded = bench.identity.policies_of(&alice).await.unwrap();
    assert_eq!(shown(loaded.side().boundary.unwrap()).1, compiled(ALLOW));
    assert_eq!(loaded.side().tags, [("Team".to_owned(), "x".to_owned())]);
    let new = [("PolicyArn", OWN), ("PolicyDocument", DENY), ("SetAsDefault", "true")];
    bench.done("CreatePolicyVersion", &new).await;
    let loaded = bench.identity.policies_of(&alice).await.unwrap();
    assert_eq!(shown(loaded.side().boundary.unwrap()).1, compiled(DENY));
    bench.done("DeleteUserPermissionsBoundary", &[("UserName", "alice")]).await;
    assert!(bench.identity.policies_of(&alice).await.unwrap().boundary.is_none());
}

#[tokio::test]
async fn a_session_has_what_its_role_or_user_has() {
    let bench = Bench::new().await;
    bench.done("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)]).await;
    bench.done("PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)]).await;
    let role = bench.done("GetRole", &[("RoleName", "app")]).await;
    let unique_id = role.split("<RoleId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let session = |unique_id: &str| Caller {
        principal: Principal::RoleSession {
            path_and_name: "app".to_owned(),
            unique_id: unique_id.to_owned(),
            session_name: "s".to_owned(),
        },
        ..caller("admin", "")
    };
    assert_eq!(bench.policies(&session(&unique_id)).await, [("role policy p".to_owned(), compiled(ALLOW))]);
    assert_eq!(bench.policies(&session("AROAOTHER")).await, []);
    bench.done("AttachUserPolicy", &[("UserName", "admin"), ("PolicyArn", ADMINISTRATOR)]).await;
    let admin = bench.caller("admin").await;
    let federated = Principal::FederatedUser {
        name: "f".to_owned(),
        user_path_and_name: "admin".to_owned(),
        user_unique_id: admin.user_id().into_owned(),
    };
    assert_eq!(bench.policies(&Caller { principal: federated, ..admin.clone() }).await.len(), 1);
    assert_eq!(bench.policies(&Caller { principal: Principal::Root, ..admin }).await, []);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_stops_its_holder() {
    let bench = Bench::new().await;
    bench
        .done("PutUserPolicy", &[("UserName", "admin"), ("PolicyName", "p"), ("PolicyDocument", DENY)])
        .await;
    let admin = bench.caller("admin").await;
    let key = Key::new(format!("identity/inline-policy/{}/p", admin.user_id())).unwrap();
    let value = [&[1][..], br#"{"document":"{}"}"#].concat();
    bench.scene.store.commit(store::Transaction::new().put(key, value)).await.unwrap();
    assert!(matches!(bench.identity.policies_of(&admin).await, Err(IdentityError::Damaged(_))));
}

#[tokio::test]
async fn who_was_made_again_has_nothing_of_the_one_before() {
    let bench = Bench::new().await;
    bench.done("CreateUser", &[("UserName", "alice")]).await;
    let attach = [("UserName", "alice"), ("PolicyArn", ADMINISTRATOR)];
    bench.done("AttachUserPolicy", &attach).await;
    let before = bench.caller("alice").await;
    assert_eq!(bench.policies(&before).await.len(), 1);
    bench.done("DetachUserPolicy", &attach).await;
    bench.done("DeleteUser", &[("UserName", "alice")]).await;
    assert_eq!(bench.policies(&before).await, []);
    bench.done("CreateUser", &[("UserName", "alice")]).await;
    bench.done("AttachUserPolicy", &attach).await;
    let after = bench.caller("alice").await;
    assert_ne!(before.user_id(), after.user_id());
    assert_eq!(bench.policies(&before).await, [], "the one before does not come back");
    assert_eq!(bench.policies(&after).await.len(), 1);
}

#[tokio::test]
async fn what_is_attached_but_not_there_is_left_out() {
    let bench = Bench::new().await;
    let mut user = new_user("seeded", "/");
    for arn in [OWN, "arn:aws:iam::aws:policy/Unknown", ADMINISTRATOR] {
        user.managed_policies.push(arn.parse().unwrap());
    }
    bench.identity.create_user(account("111111111111"), user).await.unwrap();
    let seeded = bench.caller("seeded").await;
    assert_eq!(bench.policies(&seeded).await.len(), 1);
    // Once there is a policy of this name, it applies.
    bench.done("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", ALLOW)]).await;
    assert_eq!(bench.policies(&seeded).await.len(), 2);
    bench
        .done("DetachUserPolicy", &[("UserName", "seeded"), ("PolicyArn", "arn:aws:iam::aws:policy/Unknown")])
        .await;
}

#[tokio::test]
async fn a_user_of_a_store_before_policies_is_read() {
    let bench = Bench::new().await;
    let record = br#"{"name":"old","path":"/","unique_id":"AIDAOLD","created_at":1,"managed_policies":[],"access_keys":[]}"#;
    let value = [&[1][..], record].concat();
    let key = Key::new("identity/user/111111111111/old").unwrap();
    bench.scene.store.commit(store::Transaction::new().put(key, value)).await.unwrap();
    assert_eq!(bench.policies(&caller("old", "AIDAOLD")).await, []);
    bench.done("AttachUserPolicy", &[("UserName", "old"), ("PolicyArn", ADMINISTRATOR)]).await;
    assert_eq!(bench.policies(&caller("old", "AIDAOLD")).await.len(), 1);
    bench.done("PutUserPolicy", &[("UserName", "old"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)]).await;
    assert_eq!(bench.policies(&caller("old", "AIDAOLD")).await.len(), 2);
}

#[tokio::test]
async fn a_secret_made_by_a_call_is_stored_sealed() {
    let bench = Bench::new().await;
    let answer = bench.done("CreateAccessKey", &[("UserName", "admin")]).await;
    let within = |tag: &str| answer.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap();
    let (id, secret) = (within("AccessKeyId"), within("SecretAccessKey"));
    for entry in bench.scene.store.range(Range::prefix("").limit(1_000)).await.unwrap().entries {
        let text = String::from_utf8_lossy(&entry.value).into_owned();
        assert!(!text.contains(secret), "{}", entry.key);
    }
    let credential = bench.identity.credentials(id, None).await.unwrap().known().unwrap();
    assert!(crate::scene::signs_like(&credential, secret));
    for (status, works) in [("Inactive", false), ("Active", true)] {
        bench
            .done("UpdateAccessKey", &[("UserName", "admin"), ("AccessKeyId", id), ("Status", status)])
            .await;
        assert_eq!(bench.identity.credentials(id, None).await.unwrap().known().is_some(), works);
    }
    bench.done("DeleteAccessKey", &[("UserName", "admin"), ("AccessKeyId", id)]).await;
    assert!(bench.identity.credentials(id, None).await.unwrap().known().is_none());
}

#[tokio::test]
async fn unknown_operations_are_told_so() {
    for (body, code) in [
        ("", "MissingAction"),
        ("Action=&Version=2010-05-08", "MissingAction"),
        ("Action=GetUser&Version=2011-06-15", "InvalidAction"),
        ("Action=getUser&Version=2010-05-08", "InvalidAction"),
        ("Action=CreateLoginProfile&Version=2010-05-08", "InvalidAction"),
    ] {
        let refused = Identity::iam_operation(&Form::parse(body.as_bytes()).unwrap()).err().unwrap();
        assert_eq!((refused.code, refused.status), (code, 400), "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No parameters of any operation end in a panic or a failure of the service.
    #[test]
    fn any_parameters_get_an_answer_that_is_no_failure(
        operation in 0..wire::iam::OPERATION_NAMES.len(),
        parameters in proptest::collection::vec(
            (
                "(UserName|GroupName|RoleName|PolicyName|PolicyArn|PolicyDocument|AssumeRolePolicyDocument|Path|Marker|Url|AccessKeyId|OpenIDConnectProviderArn|VersionId|NewUserName|AccountAlias|PolicySourceArn|CallerArn|ResourcePolicy|(ActionNames|ResourceArns|PolicyInputList)[.]member[.]1)",
                prop_oneof![
                    Just("admin".to_owned()),
                    Just(ALLOW.to_owned()),
                    Just(TRUST.to_owned()),
                    Just(ADMINISTRATOR.to_owned()),
                    Just(PROVIDER.to_owned()),
                    "arn:aws:iam::[0-9]{0,12}:(policy|oidc-provider)/[!-~]{0,40}",
                    "https://[!-~]{0,30}",
                    ".{0,30}",
                ],
            ),
            0..8,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let name = wire::iam::OPERATION_NAMES[operation];
        let refused = runtime.block_on(async {
            let bench = Bench::new().await;
            let pairs: Vec<(&str, &str)> =
                parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let form = form(name, &pairs);
            let operation = Identity::iam_operation(&form).ok().unwrap();
            bench.identity.call_iam(operation, &Bench::call(), &form).await.err()
        });
        let failed = refused.as_ref().is_some_and(|refused| refused.to_fault().status >= 500);
        prop_assert!(!failed, "{name}: {:?}", refused.as_ref().map(Refused::to_fault));
    }
}
