//! What lint says is what the engine does.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base::{Caller, Principal, Timestamp};
use policy::lint::{Circumstances, Finding, lint};
use policy::{
    Action, AttachedPolicy, CallerFacts, Context, Forwarded, IdentitySide, Origin, Policy, PolicyKind,
    PolicySource, Request, Resource, ResourceSide, ServiceKey, Value, decide,
};
use proptest::prelude::*;
use serde_json::json;

use crate::words::{KEY, document, statement};

/// Rules whose findings are statements that change nothing.
const NEEDLESS: [&str; 6] = [
    "allow-is-denied",
    "condition-never-holds",
    "covered-statement",
    "duplicate-statement",
    "resource-is-not-the-key",
    "statement-without-effect",
];
/// Rules that say that nobody can change the key policy.
const LOCKOUT: [&str; 2] = ["key-policy-lockout", "deny-locks-everybody-out"];
const PUBLIC: [&str; 2] = ["public-access", "public-access-through-service"];

struct Circumstance {
    encryption_context: BTreeMap<String, String>,
}

impl Context for Circumstance {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        Value::Absent
    }

    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.encryption_context).filter(|context| !context.is_empty())
    }
}

/// Somebody who asks, over TLS and with an encryption context or without.
#[derive(Clone, Copy, Debug)]
struct Asker {
    account: &'static str,
    /// A user's name, `root`, or a role and its session.
    name: &'static str,
    via: Option<&'static str>,
    context: Option<(&'static str, &'static str)>,
    is_secure: bool,
}

const ACTIONS: [&str; 6] =
    ["Decrypt", "Encrypt", "PutKeyPolicy", "DescribeKey", "CreateGrant", "DeleteAlias"];

fn askers() -> Vec<Asker> {
    let people = [
        ("111122223333", "root"),
        ("111122223333", "alice"),
        ("111122223333", "bob"),
        ("111122223333", "app/deploy"),
        ("444455556666", "root"),
        ("444455556666", "alice"),
        STRANGER,
    ];
    let mut askers = Vec::new();
    for (account, name) in people {
        for via in [None, Some("s3.eu-central-1.amazonaws.com")] {
            for context in [None, Some(("a", "1")), Some(("A", "3"))] {
                askers.push(Asker {
                    account,
                    name,
                    via,
                    context,
                    is_secure: context.is_none() || via.is_some(),
                });
            }
        }
    }
    askers
}

/// Of an account that no policy names.
const STRANGER: (&str, &str) = ("777788889999", "mallory");

impl Asker {
    fn caller(self) -> CallerFacts {
        let text = str::to_owned;
        let principal = match self.name.split_once('/') {
            Some((role, session)) => Principal::RoleSession {
                path_and_name: text(role),
                unique_id: text("AROAAPPXXXXXXXXXXXXXX"),
                session_name: text(session),
            },
            None if self.name == "root" => Principal::Root,
            None => {
                let unique_id = format!("AIDA{}XXXXXXXXXXXX", self.name.to_uppercase());
                Principal::User { path_and_name: text(self.name), unique_id }
            }
        };
        let account = self.account.parse().unwrap();
        CallerFacts::of(Arc::new(Caller { account, principal, access_key_id: String::new(), session: None }))
    }

    /// Whether the asker may do something to the key. Each has an identity policy that allows everything, or this one.
    fn may(self, action: &str, key_policy: &Policy, identity: &Arc<Policy>) -> bool {
        let caller = self.caller();
        let pairs = self.context.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let has_context = ["Decrypt", "Encrypt", "CreateGrant"].contains(&action);
        let context = Circumstance { encryption_context: pairs.filter(|_| has_context).collect() };
        let origin = Origin {
            time: "2026-11-22T08:00:00Z".parse::<Timestamp>().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            source_address: self.via.is_none().then(|| "198.51.100.7".parse::<IpAddr>().unwrap()),
            is_secure: self.is_secure,
            user_agent: "",
            referer: None,
            endpoint: None,
            service: self.via.map(|via| Forwarded { via: Some(via), ..Forwarded::default() }),
        };
        let request = Request {
            action: Action::new("kms", action),
            resource: Resource::named(KEY, "111122223333".parse().unwrap()),
            caller: &caller,
            origin,
            context: &context,
        };
        let source = PolicySource::User { name: "p".to_owned() };
        let policies = [AttachedPolicy { policy: Arc::clone(identity), source }];
        let identity = IdentitySide { policies: &policies, ..IdentitySide::default() };
        decide(&request, &identity, &ResourceSide::guarded_by(key_policy)).is_allowed()
    }
}

fn everything() -> Arc<Policy> {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    Arc::new(Policy::parse(&document(&[statement]), PolicyKind::Identity).unwrap())
}

fn nothing_at_all() -> Arc<Policy> {
    let statement = json!({"Effect": "Allow", "Action": "x:Y", "Resource": "*"});
    Arc::new(Policy::parse(&document(&[statement]), PolicyKind::Identity).unwrap())
}

fn delegating() -> Policy {
    let principal = json!({"AWS": "arn:aws:iam::111122223333:root"});
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"});
    Policy::parse(&document(&[statement]), PolicyKind::Key).unwrap()
}

fn look(text: &str, kind: PolicyKind) -> Option<Vec<Finding>> {
    let circumstances = Circumstances { account: None, key: Some(KEY.parse().unwrap()) };
    lint(text, kind, &circumstances).ok()
}

fn tells(findings: &[Finding], rules: &[&str]) -> bool {
    findings.iter().any(|finding| rules.contains(&finding.rule.name))
}

/// What is left of statements without those that are needless, and something that changes nothing.
fn without_needless(
    statements: &[serde_json::Value],
    findings: &[Finding],
    nothing: serde_json::Value,
) -> String {
    let is_needless = |index: usize| {
        findings.iter().any(|one| one.statement == Some(index) && NEEDLESS.contains(&one.rule.name))
    };
    let kept = statements.iter().enumerate().filter(|(index, _)| !is_needless(*index));
    document(&kept.map(|(_, statement)| statement.clone()).chain([nothing]).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn key_policies_are_what_is_said_of_them(statements in prop::collection::vec(statement(), 1..5)) {
        let text = document(&statements);
        let Some(findings) = look(&text, PolicyKind::Key) else { return Ok(()) };
        let policy = Policy::parse(&text, PolicyKind::Key).unwrap();
        let nothing = json!({"Effect": "Deny", "Principal": "*"});
        let rest = without_needless(&statements, &findings, nothing);
        let rest = Policy::parse(&rest, PolicyKind::Key).unwrap();
        let (identity, none) = (everything(), nothing_at_all());
        for asker in askers() {
            for (action, identity) in ACTIONS.iter().flat_map(|action| [(action, &identity), (action, &none)]) {
                let may = asker.may(action, &policy, identity);
                prop_assert_eq!(may, asker.may(action, &rest, identity), "{:?} {} {:?}", asker, action, findings);
            }
            let controls = asker.may("PutKeyPolicy", &policy, &identity) && asker.account == "111122223333";
            prop_assert!(!controls || !tells(&findings, &LOCKOUT), "{:?} {:?}", asker, findings);
            let is_stranger = (asker.account, asker.name) == STRANGER;
            let is_in = is_stranger && ACTIONS.iter().any(|action| asker.may(action, &policy, &identity));
            prop_assert!(!is_in || tells(&findings, &PUBLIC), "{:?} {:?}", asker, findings);
        }
    }

    #[test]
    fn identity_policies_are_what_is_said_of_them(statements in prop::collection::vec(statement(), 1..5)) {
        let mut statements = statements;
        for members in statements.iter_mut().filter_map(serde_json::Value::as_object_mut) {
            members.remove("Principal");
            members.remove("NotPrincipal");
        }
        let text = document(&statements);
        let Some(findings) = look(&text, PolicyKind::Identity) else { return Ok(()) };
        let identity = Arc::new(Policy::parse(&text, PolicyKind::Identity).unwrap());
        let nothing = json!({"Effect": "Deny", "Action": "x:Y", "Resource": "*"});
        let rest = without_needless(&statements, &findings, nothing);
        let rest = Arc::new(Policy::parse(&rest, PolicyKind::Identity).unwrap());
        let key_policy = delegating();
        for asker in askers() {
            for action in ACTIONS {
                let may = asker.may(action, &key_policy, &identity);
                prop_assert_eq!(may, asker.may(action, &key_policy, &rest), "{:?} {} {:?}", asker, action, findings);
            }
        }
    }
}
