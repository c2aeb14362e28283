//! Sessions: what makes them, what they may do, and when they end.
//!
//! Sources: STS API reference (AssumeRole, GetSessionToken, GetFederationToken, GetAccessKeyInfo); IAM user guide,
//! "Temporary security credentials in IAM" and "Pass session tags in AWS STS".

use std::sync::Arc;

use base::{Call, Caller, EventId, EventNotes, Principal, RequestId, SecretString, Timestamp};
use identity::{Credential, Credentials, Identity};
use policy::PolicySource;
use proptest::prelude::*;
use store::{Range, Store};
use wire::Fault;
use wire::query::Form;

use crate::scene::{Scene, account, new_user, signs_like};

const ACCOUNT: &str = "111111111111";
const START: i64 = 1_537_465_261;
const ROLE: &str = "arn:aws:iam::111111111111:role/service/app";
const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;

struct Bench {
    scene: Scene,
    identity: Identity,
}

/// What an answer says in an element.
fn element(answer: &str, name: &str) -> String {
    let begin = format!("<{name}>");
    let rest = answer.split(&begin).nth(1).unwrap_or_default();
    rest.split('<').next().unwrap().replace("&quot;", "\"")
}

/// Credentials of an answer: access key id and token.
fn keys(answer: &str) -> (String, String) {
    (element(answer, "AccessKeyId"), element(answer, "SessionToken"))
}

fn trust(principal: &str, actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
            "Action":[{actions}],"Condition":{{{condition}}}}}]}}"#
    )
}

fn form(action: &str, version: &str, parameters: &[(&str, &str)]) -> Form {
    let mut body = format!("Action={action}&Version={version}");
    for (name, value) in parameters {
        body += &format!("&{name}={}", wire::query::percent_encode(value));
    }
    Form::parse(body.as_bytes()).unwrap()
}

impl Bench {
    /// Account 111111111111 with the users admin and clerk, who have no policies, and the role `service/app`, which trusts
    /// admin.
    async fn new() -> Self {
        let scene = Scene::new();
        let identity = scene.identity();
        identity.create_account(account(ACCOUNT)).await.unwrap();
        for user in ["admin", "clerk"] {
            identity.create_user(account(ACCOUNT), new_user(user, "/")).await.unwrap();
        }
        let bench = Self { scene, identity };
        let all = r#""sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity""#;
        bench.trusting(&trust("arn:aws:iam::111111111111:user/admin", all, "")).await;
        bench
    }

    async fn trusting(&self, trust: &str) {
        let name = ("RoleName", "app");
        if self.iam("GetRole", &[name]).await.is_err() {
            let role = [name, ("Path", "/service/"), ("AssumeRolePolicyDocument", trust)];
            self.iam("CreateRole", &role).await.unwrap();
        } else {
            self.iam("UpdateAssumeRolePolicy", &[name, ("PolicyDocument", trust)]).await.unwrap();
        }
    }

    fn call(&self, caller: Caller) -> Call {
        Call {
            request_id: RequestId::new([7; 16]),
            caller: Arc::new(caller),
            region: "us-east-1".parse().unwrap(),
            time: base::Clock::now(&*self.scene.clock),
            source_address: "192.0.2.7".parse().unwrap(),
            tls: None,
            user_agent: "test".into(),
            event: Arc::new(EventNotes::new(EventId::new([9; 16]))),
            service: None,
        }
    }

    /// Calls IAM as the root user.
    async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        let form = form(action, "2010-05-08", parameters);
        let operation = Identity::iam_operation(&form)?;
        let answer = self.identity.call_iam(operation, &self.call(self.root()), &form).await;
        answer.map(|answer| String::from_utf8(answer).unwrap()).map_err(|refused| refused.to_fault())
    }

    async fn sts(&self, caller: Caller, action: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        let form = form(action, "2011-06-15", parameters);
        let operation = Identity::sts_operation(&form)?;
        let answer = self.identity.call_sts(operation, &self.call(caller), &form).await;
        answer.map(|answer| String::from_utf8(answer).unwrap()).map_err(|refused| refused.to_fault())
    }

    async fn assume(&self, caller: Caller, more: &[(&str, &str)]) -> Result<String, Fault> {
        let parameters = [&[("RoleArn", ROLE), ("RoleSessionName", "deploy")], more].concat();
        self.sts(caller, "AssumeRole", &parameters).await
    }

    fn root(&self) -> Caller {
        let account = account(ACCOUNT);
        Caller { account, principal: Principal::Root, access_key_id: String::new(), session: None }
    }

    async fn user(&self, name: &str) -> Caller {
        let answer = self.iam("GetUser", &[("UserName", name)]).await.unwrap();
        let principal =
            Principal::User { path_and_name: name.to_owned(), unique_id: element(&answer, "UserId") };
        Caller { principal, ..self.root() }
    }

    async fn credentials(&self, (id, token): &(String, String)) -> Credentials {
        self.identity.credentials(id, Some(token)).await.unwrap()
    }

    async fn known(&self, keys: &(String, String)) -> Option<Arc<Credential>> {
        self.credentials(keys).await.known()
    }

    /// The caller of a session.
    async fn session(&self, answer: &str) -> Caller {
        (*self.known(&keys(answer)).await.unwrap().caller).clone()
    }

    fn wait(&self, seconds: i64) {
        self.scene.clock.set(Timestamp::from_seconds(START + seconds));
    }
}

#[tokio::test]
async fn a_session_is_good_until_it_ends_and_stands_nowhere() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let stored = bench.scene.store.range(Range::prefix("identity/")).await.unwrap().entries.len();
    let answer = bench.assume(admin, &[("DurationSeconds", "900")]).await.unwrap();
    assert_eq!(bench.scene.store.range(Range::prefix("identity/")).await.unwrap().entries.len(), stored);
    assert_eq!(element(&answer, "Arn"), "arn:aws:sts::111111111111:assumed-role/app/deploy");
    assert_eq!(element(&answer, "Expiration"), "2018-09-20T17:56:01Z");
    let keys = keys(&answer);
    let credential = bench.known(&keys).await.unwrap();
    assert_eq!(credential.caller.arn().to_string(), "arn:aws:sts::111111111111:assumed-role/app/deploy");
    // From memory from now on, also while time passes, and after a restart from the token alone.
    let reads = bench.scene.store.reads();
    bench.wait(899);
    assert!(bench.known(&keys).await.is_some());
    assert_eq!(bench.scene.store.reads(), reads);
    let restarted = Bench { identity: bench.scene.identity(), scene: bench.scene };
    assert!(restarted.known(&keys).await.is_some());
    restarted.wait(900);
    assert!(matches!(restarted.credentials(&keys).await, Credentials::Expired));
    let fresh = Bench { identity: restarted.scene.identity(), scene: restarted.scene };
    assert!(matches!(fresh.credentials(&keys).await, Credentials::Expired));
}

#[tokio::test]
async fn the_secret_of_a_session_is_the_one_that_was_given() {
    let bench = Bench::new().await;
    let answer = bench.assume(bench.user("admin").await, &[]).await.unwrap();
    let known = bench.known(&keys(&answer)).await.unwrap();
    assert!(signs_like(&known, &element(&answer, "SecretAccessKey")));
    assert!(!signs_like(&known, &element(&answer, "AccessKeyId")));
}

#[tokio::test]
async fn only_the_sessions_own_access_key_goes_with_its_token() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let (id, token) = keys(&bench.assume(admin.clone(), &[]).await.unwrap());
    let (other_id, other_token) = keys(&bench.assume(admin, &[]).await.unwrap());
    assert!(bench.known(&(id.clone(), token.clone())).await.is_some());
    for (id, token) in
        [(&id, &other_token), (&other_id, &token), (&"AKIAIOSFODNN7EXAMPLE".to_owned(), &token)]
    {
        assert!(matches!(bench.credentials(&(id.clone(), token.clone())).await, Credentials::Unknown));
    }
    assert!(bench.identity.credentials(&id, None).await.unwrap().known().is_none());
    for place in [0, 1, 7, token.len() / 2, token.len() - 3] {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = (id.clone(), String::from_utf8(changed).unwrap());
        assert!(matches!(bench.credentials(&changed).await, Credentials::Unknown), "{place}");
    }
    // The right pair is still good.
    assert!(bench.known(&(id, token)).await.is_some());
}

#[tokio::test]
async fn a_session_ends_with_its_role_and_no_namesake_gets_into_it() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let keys = keys(&bench.assume(admin, &[]).await.unwrap());
    assert!(bench.known(&keys).await.is_some());
    bench.iam("DeleteRole", &[("RoleName", "app")]).await.unwrap();
    assert!(matches!(bench.credentials(&keys).await, Credentials::Unknown));
    bench.trusting(&trust("arn:aws:iam::111111111111:user/admin", r#""sts:AssumeRole""#, "")).await;
    assert!(matches!(bench.credentials(&keys).await, Credentials::Unknown));
}

#[tokio::test]
async fn a_session_of_a_user_follows_a_new_name_and_ends_with_the_user() {
    let bench = Bench::new().await;
    let clerk = bench.user("clerk").await;
    let keys = keys(&bench.sts(clerk, "GetSessionToken", &[]).await.unwrap());
    let arn = async || bench.known(&keys).await.map(|known| known.caller.arn().to_string());
    assert_eq!(arn().await.as_deref(), Some("arn:aws:iam::111111111111:user/clerk"));
    bench.iam("UpdateUser", &[("UserName", "clerk"), ("NewUserName", "Secretary")]).await.unwrap();
    assert_eq!(arn().await.as_deref(), Some("arn:aws:iam::111111111111:user/Secretary"));
    bench.iam("DeleteUser", &[("UserName", "secretary")]).await.unwrap();
    assert_eq!(arn().await, None);
}

#[tokio::test]
async fn who_the_trust_policy_names_may_assume_the_role() {
    let bench = Bench::new().await;
    let (admin, clerk) = (bench.user("admin").await, bench.user("clerk").await);
    let may = async |caller: &Caller, more: &[(&str, &str)]| {
        bench
            .assume(caller.clone(), more)
            .await
            .map(|_| ())
            .map_err(|fault| (fault.code, fault.message.unwrap()))
    };
    assert_eq!(may(&admin, &[]).await, Ok(()));
    let text =
        format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {ROLE}", clerk.arn());
    assert_eq!(may(&clerk, &[]).await, Err(("AccessDenied", text)));
    let root = "Roles may not be assumed by root accounts.".to_owned();
    assert_eq!(may(&bench.root(), &[]).await, Err(("AccessDenied", root)));
    // The account delegates to identity policies.
    bench.trusting(&trust(ACCOUNT, r#""sts:AssumeRole""#, "")).await;
    assert!(may(&clerk, &[]).await.is_err());
    let policy =
        format!(r#"{{"Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{ROLE}"}}}}"#);
    let put = [("UserName", "clerk"), ("PolicyName", "p"), ("PolicyDocument", policy.as_str())];
    bench.iam("PutUserPolicy", &put).await.unwrap();
    assert_eq!(may(&clerk, &[]).await, Ok(()));
    // Conditions of the request.
    let external = r#""StringEquals":{"sts:ExternalId":"x1"}"#;
    bench.trusting(&trust("arn:aws:iam::111111111111:user/admin", r#""sts:AssumeRole""#, external)).await;
    assert!(may(&admin, &[]).await.is_err());
    assert!(may(&admin, &[("ExternalId", "x2")]).await.is_err());
    assert_eq!(may(&admin, &[("ExternalId", "x1")]).await, Ok(()));
    let name = r#""StringLike":{"sts:RoleSessionName":"dep*"}"#;
    bench.trusting(&trust("arn:aws:iam::111111111111:user/admin", r#""sts:AssumeRole""#, name)).await;
    assert_eq!(may(&admin, &[]).await, Ok(()));
}

#[tokio::test]
async fn a_role_that_is_not_there_is_refused_like_one_that_trusts_nobody() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    for (arn, code) in [
        ("arn:aws:iam::111111111111:role/app", "AccessDenied"),
        ("arn:aws:iam::111111111111:role/service/none", "AccessDenied"),
        ("arn:aws:iam::222222222222:role/service/app", "AccessDenied"),
        ("arn:aws:iam::111111111111:user/admin", "ValidationError"),
        ("arn:aws:kms::111111111111:role/service/app", "ValidationError"),
        ("service/app/at/twenty/characters", "ValidationError"),
    ] {
        let fault = bench
            .sts(admin.clone(), "AssumeRole", &[("RoleArn", arn), ("RoleSessionName", "s1")])
            .await
            .unwrap_err();
        assert_eq!(fault.code, code, "{arn}");
        let text =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", admin.arn());
        assert!(code != "AccessDenied" || fault.message.as_deref() == Some(&text), "{fault:?}");
    }
}

#[tokio::test]
async fn sessions_have_the_length_that_the_role_allows_and_an_hour_in_a_chain() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let refused = bench.assume(admin.clone(), &[("DurationSeconds", "3601")]).await.unwrap_err();
    let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!((refused.code, refused.message.as_deref()), ("ValidationError", Some(text)));
    bench.iam("UpdateRole", &[("RoleName", "app"), ("MaxSessionDuration", "7200")]).await.unwrap();
    let answer = bench.assume(admin, &[("DurationSeconds", "7200")]).await.unwrap();
    assert_eq!(element(&answer, "Expiration"), "2018-09-20T19:41:01Z");
    bench.trusting(&trust(ROLE, r#""sts:AssumeRole""#, "")).await;
    let session = bench.session(&answer).await;
    assert!(bench.assume(session.clone(), &[("DurationSeconds", "3600")]).await.is_ok());
    let refused = bench.assume(session, &[("DurationSeconds", "3601")]).await.unwrap_err();
    assert!(refused.message.unwrap().contains("role chaining"));
}

#[tokio::test]
async fn session_tags_need_leave_and_transitive_ones_go_on() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let tags = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "stage"),
        ("Tags.member.2.Value", "test"),
        ("TransitiveTagKeys.member.1", "Team"),
        ("SourceIdentity", "alice"),
    ];
    let session = bench.session(&bench.assume(admin.clone(), &tags).await.unwrap()).await;
    let held = session.session.clone().unwrap();
    assert_eq!(
        held.tags,
        [("stage".to_owned(), "test".to_owned()), ("team".to_owned(), "red".to_owned())]
            .map(|tag| tag)
            .to_vec()
    );
    assert_eq!(held.source_identity.as_deref(), Some("alice"));
    // The next session inherits what is transitive, and the source identity.
    let all = r#""sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity""#;
    bench.trusting(&trust(ROLE, all, "")).await;
    let next = bench.session(&bench.assume(session.clone(), &[]).await.unwrap()).await.session.unwrap();
    assert_eq!(next.tags, [("team".to_owned(), "red".to_owned())]);
    assert_eq!(next.source_identity.as_deref(), Some("alice"));
    let code =
        async |more: &[(&str, &str)]| bench.assume(session.clone(), more).await.map_err(|fault| fault.code);
    let again = [("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "blue")];
    assert_eq!(code(&again).await.unwrap_err(), "InvalidParameterValue");
    assert_eq!(code(&[("SourceIdentity", "bob")]).await.unwrap_err(), "AccessDenied");
    assert!(code(&[("SourceIdentity", "alice")]).await.is_ok());
    // Without leave to tag or to name a source there is no session.
    for actions in [r#""sts:AssumeRole","sts:TagSession""#, r#""sts:AssumeRole","sts:SetSourceIdentity""#] {
        bench.trusting(&trust(ROLE, actions, "")).await;
        assert_eq!(code(&[]).await.unwrap_err(), "AccessDenied", "{actions}");
    }
    for wrong in [
        &[
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", ""),
            ("Tags.member.2.Key", "A"),
            ("Tags.member.2.Value", ""),
        ][..],
        &[("Tags.member.1.Key", "aws:a"), ("Tags.member.1.Value", "")],
        &[("TransitiveTagKeys.member.1", "a")],
    ] {
        let refused = bench.assume(admin.clone(), wrong).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValue", "{wrong:?}");
    }
}

#[tokio::test]
async fn session_policies_come_along_and_follow_their_managed_policies() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    bench.iam("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", ALLOW)]).await.unwrap();
    let own = "arn:aws:iam::111111111111:policy/own";
    let more = [("Policy", ALLOW), ("PolicyArns.member.1.arn", own)];
    let answer = bench.assume(admin.clone(), &more).await.unwrap();
    assert_eq!(element(&answer, "PackedPolicySize"), "2");
    let session = bench.session(&answer).await;
    let sources = async || {
        let policies = bench.identity.policies_of(&session).await.unwrap();
        let sources = policies.session.iter().map(|attached| attached.source.clone()).collect::<Vec<_>>();
        let allows = policies
            .session
            .iter()
            .filter(|attached| attached.policy.to_owned().version() == policy::Version::V2008);
        (sources, allows.count())
    };
    let both = vec![PolicySource::Session, PolicySource::Managed(own.to_owned())];
    assert_eq!(sources().await, (both.clone(), 2));
    // A session without them has none, although it is of the same role.
    let plain = bench.session(&bench.assume(admin.clone(), &[]).await.unwrap()).await;
    assert!(bench.identity.policies_of(&plain).await.unwrap().session.is_empty());
    // The managed policy is gone: what stands in its place denies everything.
    bench.iam("DeletePolicy", &[("PolicyArn", own)]).await.unwrap();
    assert_eq!(sources().await, (both, 1));
    for (more, code) in [
        (&[("Policy", "{}")][..], "MalformedPolicyDocument"),
        (&[("PolicyArns.member.1.arn", "arn:aws:iam::111111111111:policy/none")], "ValidationError"),
    ] {
        assert_eq!(bench.assume(admin.clone(), more).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn policies_and_tags_that_are_too_much_for_a_token_are_refused() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let sized = |length: usize| {
        let sid = "x".repeat(length);
        format!(r#"{{"Statement":{{"Sid":"{sid}","Effect":"Allow","Action":"kms:*","Resource":"*"}}}}"#)
    };
    // In a token, a quote takes two bytes and so does the end of a line.
    let empty = sized(0).len() + sized(0).matches('"').count();
    let lines = "\n".repeat(3_072 - empty.div_ceil(2)) + &sized(0);
    let answer = bench.assume(admin.clone(), &[("Policy", &lines)]).await.unwrap();
    assert!(element(&answer, "PackedPolicySize") == "100" && keys(&answer).1.len() < 12_288);
    assert!(bench.assume(admin.clone(), &[("Policy", &(lines + "\n\n"))]).await.is_err());
    let answer = bench.assume(admin.clone(), &[("Policy", &sized(6_144 - empty))]).await.unwrap();
    assert_eq!(element(&answer, "PackedPolicySize"), "100");
    assert!(keys(&answer).1.len() < 12_288 && bench.known(&keys(&answer)).await.is_some());
    let refused = bench.assume(admin.clone(), &[("Policy", &sized(6_145 - empty))]).await.unwrap_err();
    let text = "Packed policy consumes 101% of allotted space, please use smaller policy.";
    assert_eq!((refused.code, refused.message.as_deref()), ("PackedPolicyTooLarge", Some(text)));
    let value = "v".repeat(256);
    let names: Vec<(String, String)> =
        (1..=30).map(|n| (format!("Tags.member.{n}.Key"), format!("Tags.member.{n}.Value"))).collect();
    let keys: Vec<String> = (1..=30).map(|n| format!("key{n}")).collect();
    let mut tags: Vec<(&str, &str)> = Vec::new();
    for ((key_name, value_name), key) in names.iter().zip(&keys) {
        tags.extend([(key_name.as_str(), key.as_str()), (value_name.as_str(), value.as_str())]);
    }
    let refused = bench.assume(admin, &tags).await.unwrap_err();
    assert!(refused.message.unwrap().starts_with("Packed size of session tags consumes "));
}

#[tokio::test]
async fn a_token_is_as_long_as_its_client_wants() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let answer = bench.assume(admin, &[("MinimumSessionTokenSize", "4096")]).await.unwrap();
    let (id, token) = keys(&answer);
    assert!(token.len() >= 4_096, "{}", token.len());
    assert_eq!(element(&answer, "SessionTokenSize"), token.len().to_string());
    assert!(bench.known(&(id, token)).await.is_some());
}

#[tokio::test]
async fn sessions_of_users_are_for_long_term_credentials_only() {
    let bench = Bench::new().await;
    let clerk = bench.user("clerk").await;
    let policy = r#"{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;
    let put = [("UserName", "clerk"), ("PolicyName", "p"), ("PolicyDocument", policy)];
    bench.iam("PutUserPolicy", &put).await.unwrap();
    let own = bench.session(&bench.sts(clerk.clone(), "GetSessionToken", &[]).await.unwrap()).await;
    let name = [("Name", "bob")];
    let answer = bench.sts(clerk.clone(), "GetFederationToken", &name).await.unwrap();
    assert_eq!(element(&answer, "FederatedUserId"), "111111111111:bob");
    assert_eq!(element(&answer, "Arn"), "arn:aws:sts::111111111111:federated-user/bob");
    let federated = bench.session(&answer).await;
    for (caller, action, parameters) in [
        (&own, "GetSessionToken", &[][..]),
        (&own, "GetFederationToken", &name),
        (&federated, "GetSessionToken", &[]),
        (&federated, "AssumeRole", &[("RoleArn", ROLE), ("RoleSessionName", "s1")]),
    ] {
        let refused = bench.sts(caller.clone(), action, parameters).await.unwrap_err();
        assert_eq!((refused.code, refused.status), ("AccessDenied", 403), "{action}");
    }
    for caller in [&own, &federated] {
        assert!(bench.sts(caller.clone(), "GetCallerIdentity", &[]).await.is_ok());
        let form = form("ListUsers", "2010-05-08", &[]);
        let operation = Identity::iam_operation(&form).unwrap();
        let refused =
            bench.identity.call_iam(operation, &bench.call(caller.clone()), &form).await.unwrap_err();
        assert_eq!(refused.to_fault().code, "InvalidClientTokenId");
    }
    // GetFederationToken takes leave, GetSessionToken none.
    let admin = bench.user("admin").await;
    assert_eq!(bench.sts(admin.clone(), "GetFederationToken", &name).await.unwrap_err().code, "AccessDenied");
    assert!(bench.sts(admin, "GetSessionToken", &[]).await.is_ok());
    let root = bench.sts(bench.root(), "GetSessionToken", &[("DurationSeconds", "43200")]).await.unwrap();
    assert_eq!(element(&root, "Expiration"), "2018-09-20T18:41:01Z");
}

#[tokio::test]
async fn nobody_has_a_device_for_multi_factor_authentication() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let device = [("SerialNumber", "arn:aws:iam::111111111111:mfa/x"), ("TokenCode", "123456")];
    assert_eq!(bench.assume(admin.clone(), &device).await.unwrap_err().code, "AccessDenied");
    assert_eq!(bench.sts(admin, "GetSessionToken", &device).await.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn access_keys_tell_their_account_to_who_may_ask() {
    let bench = Bench::new().await;
    let made = bench.identity.create_access_key(account(ACCOUNT), &"clerk".parse().unwrap()).await.unwrap();
    let given = "AKIAIOSFODNN7EXAMPLE".parse().unwrap();
    let secret = SecretString::new("secret".to_owned());
    let clerk = "clerk".parse().unwrap();
    bench.identity.import_access_key(account(ACCOUNT), &clerk, &given, &secret).await.unwrap();
    let ask = async |caller: Caller, id: &str| {
        let answer = bench.sts(caller, "GetAccessKeyInfo", &[("AccessKeyId", id)]).await;
        answer.map(|answer| element(&answer, "Account")).map_err(|fault| fault.code)
    };
    for id in [made.id.as_str(), "AKIAIOSFODNN7EXAMPLE"] {
        assert_eq!(ask(bench.root(), id).await.as_deref(), Ok(ACCOUNT));
    }
    assert_eq!(ask(bench.root(), "ASIAQNZGKIQY56JQ7WML").await.as_deref(), Ok("029608264753"));
    assert_eq!(ask(bench.root(), "unknown_access_key").await, Err("ValidationError"));
    assert_eq!(ask(bench.user("clerk").await, made.id.as_str()).await, Err("AccessDenied"));
}

/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html>
#[tokio::test]
async fn sessions_of_users_may_call_two_operations_only() {
    let bench = Bench::new().await;
    let admin = bench.user("admin").await;
    let sts = r#"{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;
    let policy = [("PolicyName", "sts"), ("PolicyDocument", sts)];
    let role = ROLE.rsplit('/').next().unwrap();
    bench.iam("PutUserPolicy", &[&policy[..], &[("UserName", "admin")]].concat()).await.unwrap();
    bench.iam("PutRolePolicy", &[&policy[..], &[("RoleName", role)]].concat()).await.unwrap();
    let id = ("AccessKeyId", "ASIAQNZGKIQY56JQ7WML");
    let message = ("EncodedMessage", "x");
    let of_user = bench.sts(admin.clone(), "GetSessionToken", &[]).await.unwrap();
    let of_federation = bench.sts(admin.clone(), "GetFederationToken", &[("Name", "bob")]).await.unwrap();
    let of_role = bench.assume(admin, &[]).await.unwrap();
    for (answer, allowed) in [(of_user, false), (of_federation, false), (of_role, true)] {
        let session = bench.session(&answer).await;
        assert!(bench.sts(session.clone(), "GetCallerIdentity", &[]).await.is_ok());
        let asked = bench.sts(session.clone(), "GetAccessKeyInfo", &[id]).await;
        let decoded = bench.sts(session, "DecodeAuthorizationMessage", &[message]).await.unwrap_err().code;
        if allowed {
            // Policies decide about sessions of roles.
            assert!(asked.is_ok_and(|answer| element(&answer, "Account") == "029608264753"));
            assert_eq!(decoded, "InvalidAuthorizationMessageException");
        } else {
            assert_eq!((asked.unwrap_err().code, decoded), ("AccessDenied", "AccessDenied"));
        }
    }
}

#[tokio::test]
async fn a_root_user_has_access_keys_of_its_own() {
    let bench = Bench::new().await;
    let answer = bench.iam("CreateAccessKey", &[]).await.unwrap();
    let id = element(&answer, "AccessKeyId");
    let known = async || bench.identity.credentials(&id, None).await.unwrap().known();
    assert_eq!(known().await.unwrap().caller.principal, Principal::Root);
    assert!(bench.iam("ListAccessKeys", &[]).await.unwrap().contains(&id));
    let update = [("AccessKeyId", id.as_str()), ("Status", "Inactive")];
    bench.iam("UpdateAccessKey", &update).await.unwrap();
    assert!(known().await.is_none());
    bench.iam("DeleteAccessKey", &[("AccessKeyId", &id)]).await.unwrap();
    assert!(!bench.iam("ListAccessKeys", &[]).await.unwrap().contains(&id));
    bench.iam("CreateAccessKey", &[]).await.unwrap();
    bench.iam("CreateAccessKey", &[]).await.unwrap();
    assert_eq!(bench.iam("CreateAccessKey", &[]).await.unwrap_err().code, "LimitExceeded");
}

#[tokio::test]
async fn messages_are_decoded_for_who_may_read_them_and_no_others_are_believed() {
    let bench = Bench::new().await;
    let message = r#"{"allowed":false}"#;
    let encoded = bench.identity.encode_authorization_message(message).await.unwrap();
    let decode = async |caller: Caller, encoded: &str| {
        let answer = bench.sts(caller, "DecodeAuthorizationMessage", &[("EncodedMessage", encoded)]).await;
        answer.map(|answer| element(&answer, "DecodedMessage")).map_err(|fault| fault.code)
    };
    assert_eq!(decode(bench.root(), &encoded).await.as_deref(), Ok(message));
    assert_eq!(decode(bench.user("clerk").await, &encoded).await, Err("AccessDenied"));
    for wrong in ["x", encoded.split_at(1).1, &format!("{encoded}A")] {
        assert_eq!(decode(bench.root(), wrong).await, Err("InvalidAuthorizationMessageException"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_token_that_was_not_made_here_is_believed(
        text in "\\PC{0,300}", base64 in "AQAAAA[A-Za-z0-9+/]{0,400}", id in "ASIA[A-Z2-7]{16}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let identity = Scene::new().identity();
            for token in [&text, &base64] {
                let credentials = identity.credentials(&id, Some(token)).await.unwrap();
                assert!(matches!(credentials, Credentials::Unknown));
            }
        });
    }
}
