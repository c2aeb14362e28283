//! Requests that policies decide about.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use base::{Caller, Principal, Session, Timestamp};
use policy::{
    Access, Action, AttachedPolicy, CallerFacts, Context, IdentitySide, Origin, Policy, PolicyKind,
    PolicySource, Reasons, Request, Resource, ResourceSide, ServiceKey, Value, assess, decide, explain,
};

pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const ACCOUNT: &str = "111122223333";
const OTHER_ACCOUNT: &str = "444455556666";

/// Two accounts' users, a role's session, the root user, a service, nobody.
static CALLERS: LazyLock<Vec<CallerFacts>> = LazyLock::new(|| {
    let user =
        || Principal::User { path_and_name: "ops/alice".into(), unique_id: "AIDAALICEXXXXXXXXXXXX".into() };
    let role = Principal::RoleSession {
        path_and_name: "app".into(),
        unique_id: "AROAAPPXXXXXXXXXXXXXX".into(),
        session_name: "deploy".into(),
    };
    vec![
        signed(ACCOUNT, user(), false),
        signed(ACCOUNT, role, true),
        signed(ACCOUNT, Principal::Root, false),
        signed(OTHER_ACCOUNT, user(), false),
        signed("000000000000", Principal::Service { name: "logs.amazonaws.com".into() }, false),
        CallerFacts::anonymous(),
    ]
});

/// The user `ops/alice`.
pub(crate) fn user() -> Arc<Caller> {
    Arc::new(Caller {
        account: ACCOUNT.parse().unwrap(),
        principal: Principal::User {
            path_and_name: "ops/alice".into(),
            unique_id: "AIDAALICEXXXXXXXXXXXX".into(),
        },
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        session: None,
    })
}

fn signed(account: &str, principal: Principal, is_temporary: bool) -> CallerFacts {
    let session = is_temporary.then(|| Session {
        issued_at: now(),
        multi_factor_at: None,
        tags: vec![("team".into(), "red".into())],
        transitive_tag_keys: Vec::new(),
        policies: None,
        source_identity: Some("alice".into()),
        federation: None,
    });
    let access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    CallerFacts::of(Arc::new(Caller { account: account.parse().unwrap(), principal, access_key_id, session }))
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_300_000)
}

/// What a request says of itself: one value for whatever is asked.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) values: Vec<String>,
    pub(crate) pairs: BTreeMap<String, String>,
}

impl Context for Said {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        match &*self.values {
            [] => Value::Absent,
            [one] => Value::Text(one),
            _ => Value::Many(&self.values),
        }
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.pairs)
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.pairs)
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.pairs)
    }
}

/// What a real request for the key or the role says: of what is asked only tags of the resource and, if the action has
/// one, the encryption context.
struct Plausible<'a> {
    pairs: &'a BTreeMap<String, String>,
    has_encryption_context: bool,
}

impl Context for Plausible<'_> {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        Value::Absent
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        self.has_encryption_context.then_some(self.pairs)
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(self.pairs)
    }
}

/// The policies that decide.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) identity: IdentitySide<'a>,
    pub(crate) resource: ResourceSide<'a>,
}

/// Requests for the key, or about the role: who, and what.
pub(crate) fn outcomes(is_about_role: bool, said: &Said, sides: &Sides<'_>) -> Vec<bool> {
    let actions: &[&str] = if is_about_role {
        &["sts:AssumeRole", "sts:TagSession"]
    } else {
        &["kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey"]
    };
    let resource = if is_about_role { ROLE } else { KEY };
    let each = |caller| actions.iter().map(move |action| (caller, *action));
    CALLERS
        .iter()
        .flat_map(each)
        .map(|(caller, action)| outcome(caller, action, resource, said, sides))
        .collect()
}

/// Whether one request is allowed, by every way in which that can be found out.
fn outcome(caller: &CallerFacts, action: &str, resource: &str, said: &Said, sides: &Sides<'_>) -> bool {
    let request = Request {
        action: Action::read(action).unwrap(),
        resource: Resource { arn: Some(resource), owner: ACCOUNT.parse().unwrap() },
        caller,
        origin: origin(),
        context: said,
    };
    let Sides { identity, resource } = sides;
    let decision = decide(&request, identity, resource);
    let explanation = explain(&request, identity, resource);
    assert_eq!(decision, explanation.decision, "explained otherwise than decided");
    for remedy in Reasons::of(&request, &explanation).remedies() {
        assert!(!remedy.is_empty());
    }
    if let policy::Decision::Deny(denial) = &decision {
        assert!(!denial.message().is_empty());
    }
    check_access(&request, action, &said.pairs, sides);
    decision.is_allowed()
}

/// What is told of a caller without a request holds for every request.
fn check_access(request: &Request<'_>, action: &str, pairs: &BTreeMap<String, String>, sides: &Sides<'_>) {
    let Sides { identity, resource } = sides;
    let caller = request.caller;
    let context = Plausible { pairs, has_encryption_context: action == "kms:Decrypt" };
    let request = Request { context: &context, ..*request };
    let is_allowed = decide(&request, identity, resource).is_allowed();
    match assess(&request, identity, resource) {
        Access::Always(_) => assert!(is_allowed, "{} can always {}, and may not", caller.arn(), action),
        Access::Never(_) => assert!(!is_allowed, "{} can never {}, and may", caller.arn(), action),
        Access::Sometimes { .. } => {}
    }
}

pub(crate) fn origin() -> Origin<'static> {
    Origin {
        time: now(),
        region: "eu-central-1".parse().unwrap(),
        source_address: Some([203, 0, 113, 7].into()),
        is_secure: true,
        user_agent: "aws-cli/2",
        referer: None,
        endpoint: None,
        service: None,
    }
}

/// One user policy.
pub(crate) fn attached(policy: Policy) -> AttachedPolicy {
    AttachedPolicy { policy: Arc::new(policy), source: PolicySource::User { name: "one".into() } }
}

/// The policy of this kind that lets everybody do everything.
pub(crate) fn open(kind: PolicyKind) -> Policy {
    Policy::parse(&statements(kind, "Allow"), kind).unwrap()
}

/// A document of this kind whose one statement is about everybody and everything.
pub(crate) fn statements(kind: PolicyKind, effect: &str) -> String {
    serde_json::json!({"Version": "2012-10-17", "Statement": [about_everything(kind, effect)]}).to_string()
}

/// A statement about everybody and everything.
pub(crate) fn about_everything(kind: PolicyKind, effect: &str) -> serde_json::Value {
    let mut statement = serde_json::json!({"Effect": effect, "Action": "*"});
    match kind {
        PolicyKind::Identity | PolicyKind::ServiceControl => {}
        PolicyKind::Key | PolicyKind::Bucket | PolicyKind::Trust | PolicyKind::ResourceControl => {
            statement["Principal"] = "*".into()
        }
    }
    match kind {
        PolicyKind::Trust => statement["Action"] = "sts:*".into(),
        PolicyKind::Identity
        | PolicyKind::ServiceControl
        | PolicyKind::Key
        | PolicyKind::Bucket
        | PolicyKind::ResourceControl => {
            statement["Resource"] = "*".into();
        }
    }
    statement
}
