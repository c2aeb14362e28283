//! Simulated requests: what is stated of them is all that they have.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Caller, Principal, Timestamp};
use policy::{
    Action, AttachedPolicy, CallerFacts, ContextEntries, ContextFault, ContextType, Explanation,
    IdentitySide, Layer, MatchedStatement, NoContext, Origin, Policy, PolicyKind, PolicySource, Request,
    Resource, ResourceSide, Simulation, Verdict, decide, explain, simulate,
};

use crate::case::Built;
use crate::corpus::themes;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
const OTHER: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
const DENY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
    {"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}"#;
const ROOT: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}"#;

/// Whoever states for each key of a case what its request says of it gets the case's decision.
#[test]
fn what_is_stated_decides_as_what_is_there() {
    let mut count = 0;
    for theme in themes() {
        for case in theme.decisions() {
            let built = case.build(&theme).unwrap();
            let compared = built.request(|request, identity, resource| {
                // Grants ask about an encryption context, and that is no single key.
                if !resource.grants.is_empty() {
                    return false;
                }
                let explanation = explain(request, identity, resource);
                let Some(entries) = stated(&built, identity, &explanation) else { return false };
                let request = Request { context: &NoContext, ..*request };
                let simulated = simulate(&request, &entries, identity, resource);
                let allowed = explanation.decision.is_allowed();
                assert_eq!(simulated.verdict == Verdict::Allowed, allowed, "{}: {}", theme.file, case.name);
                true
            });
            count += usize::from(compared);
        }
    }
    assert!(count >= 250, "only {count} cases");
}

/// What a case says of the keys that its policies ask about; `None` if that cannot be told from an explanation.
fn stated(
    built: &Built<'_>,
    identity: &IdentitySide<'_>,
    explanation: &Explanation<'_>,
) -> Option<ContextEntries> {
    let mut entries = ContextEntries::default();
    let mut told = BTreeSet::new();
    for condition in explanation.statements.iter().flat_map(|statement| &statement.conditions) {
        if !told.insert(condition.key.to_lowercase()) {
            continue;
        }
        let seen = condition.seen.as_str();
        let listed = seen.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (seen, listed) {
            ("(ambiguous)", _) => return None,
            ("(absent)", _) => {}
            (_, Some("")) => entries.state_several(condition.key, ContextType::String, Vec::new()).ok()?,
            (_, Some(listed)) => {
                let values = listed.split(", ").map(str::to_owned).collect();
                entries.state_several(condition.key, ContextType::String, values).ok()?;
            }
            (text, None) => {
                let is_time = text.parse::<Timestamp>().is_ok();
                let kind = if is_time { ContextType::Date } else { ContextType::String };
                entries.state(condition.key, kind, text.to_owned()).ok()?;
            }
        }
    }
    let attached = identity.policies.iter().chain(identity.boundary).chain(identity.session);
    let attached =
        attached.chain(identity.service_control.iter().flatten()).map(|attached| &*attached.policy);
    let mut asked = attached.chain(built.policy()).flat_map(Policy::key_names);
    asked.all(|key| told.contains(&key.to_lowercase())).then_some(entries)
}

fn policy(text: &str, kind: PolicyKind) -> Policy {
    Policy::parse(text, kind).unwrap()
}

fn attached(text: &str) -> AttachedPolicy {
    let source = PolicySource::User { name: "p".to_owned() };
    AttachedPolicy { policy: Arc::new(policy(text, PolicyKind::Identity)), source }
}

/// Alice takes an action on [`KEY`].
fn alice(
    action: &str,
    entries: &ContextEntries,
    identity: &IdentitySide<'_>,
    resource: &ResourceSide<'_>,
) -> Simulation {
    let account = "111122223333".parse().unwrap();
    let principal =
        Principal::User { path_and_name: "alice".to_owned(), unique_id: "AIDAALICEXXXXXXXXXXXX".to_owned() };
    let caller =
        Caller { account, principal, access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), session: None };
    let request = Request {
        action: Action::read(action).unwrap(),
        resource: Resource::named(KEY, account),
        caller: &CallerFacts::of(Arc::new(caller)),
        origin: Origin {
            time: Timestamp::from_seconds(1_700_000_000),
            region: "eu-central-1".parse().unwrap(),
            source_address: Some("192.0.2.7".parse().unwrap()),
            is_secure: true,
            user_agent: "test",
            referer: None,
            endpoint: None,
            service: None,
        },
        context: &NoContext,
    };
    let simulated = simulate(&request, entries, identity, resource);
    if entries.has("aws:CurrentTime") {
        return simulated;
    }
    let is_allowed = decide(&request, identity, resource).is_allowed();
    assert_eq!(simulated.verdict == Verdict::Allowed, is_allowed, "no condition, no difference");
    simulated
}

fn of_identity(policies: &[AttachedPolicy]) -> IdentitySide<'_> {
    IdentitySide { policies, ..IdentitySide::default() }
}

#[test]
fn every_layer_says_its_own_and_the_statements_that_decided_are_told() {
    let (allow, deny, other) = ([attached(OTHER), attached(ALLOW)], [attached(DENY)], attached(OTHER));
    let (root, none) = (policy(ROOT, PolicyKind::Key), ContextEntries::default());
    let key = ResourceSide::guarded_by(&root);
    let at = |layer, policy, statement| MatchedStatement { layer, policy, statement };
    let bounded = |by| IdentitySide { boundary: Some(by), ..of_identity(&allow) };

    let simulated = alice("KMS:decrypt", &none, &of_identity(&allow), &key);
    assert_eq!(
        simulated,
        Simulation {
            verdict: Verdict::Allowed,
            organization: None,
            identity: Verdict::Allowed,
            boundary: None,
            resource: Some(Verdict::Allowed),
            statements: vec![at(Layer::Identity, 1, 0), at(Layer::Resource, 0, 0)],
        }
    );
    // The key policy allows only what identity policies allow.
    let simulated = alice("kms:Decrypt", &none, &of_identity(&[]), &key);
    assert_eq!((simulated.verdict, simulated.statements), (Verdict::ImplicitlyDenied, vec![]));
    assert_eq!((simulated.identity, simulated.resource), (Verdict::ImplicitlyDenied, Some(Verdict::Allowed)));
    // What denies is all that is told, wherever it is.
    let simulated = alice("kms:Decrypt", &none, &of_identity(&deny), &key);
    assert_eq!(simulated.verdict, Verdict::ExplicitlyDenied);
    assert_eq!(simulated.statements, [at(Layer::Identity, 0, 1)]);
    let simulated = alice("kms:Decrypt", &none, &bounded(&deny[0]), &key);
    assert_eq!(simulated.verdict, Verdict::ExplicitlyDenied);
    assert_eq!((simulated.identity, simulated.boundary), (Verdict::Allowed, Some(Verdict::ExplicitlyDenied)));
    assert_eq!(simulated.statements, [at(Layer::Boundary, 0, 1)]);
    let simulated = alice("kms:Encrypt", &none, &bounded(&deny[0]), &key);
    assert_eq!((simulated.verdict, simulated.boundary), (Verdict::Allowed, Some(Verdict::Allowed)));
    let simulated = alice("kms:Encrypt", &none, &bounded(&other), &key);
    assert_eq!(simulated.verdict, Verdict::ImplicitlyDenied);
    assert_eq!(simulated.boundary, Some(Verdict::ImplicitlyDenied));
}

#[test]
fn service_control_policies_that_do_not_allow_end_the_simulation() {
    let (allow, deny) = ([attached(ALLOW)], [attached(DENY)]);
    let none = ContextEntries::default();
    for (levels, verdict) in [
        (vec![vec![attached(ALLOW)], vec![attached(DENY)]], Verdict::ExplicitlyDenied),
        (vec![vec![attached(ALLOW)], vec![attached(OTHER)]], Verdict::ImplicitlyDenied),
        (vec![vec![attached(OTHER), attached(ALLOW)]], Verdict::Allowed),
    ] {
        let identity = IdentitySide { service_control: &levels, ..of_identity(&allow) };
        let simulated = alice("kms:Decrypt", &none, &identity, &ResourceSide::without_policy());
        assert_eq!((simulated.organization, simulated.verdict), (Some(verdict), verdict));
        assert_eq!(simulated.statements.is_empty(), verdict != Verdict::Allowed);
    }
    // A deny further down is not looked at.
    let levels = [vec![attached(OTHER)]];
    let identity = IdentitySide { service_control: &levels, ..of_identity(&deny) };
    let simulated = alice("kms:Decrypt", &none, &identity, &ResourceSide::without_policy());
    assert_eq!((simulated.verdict, simulated.statements), (Verdict::ImplicitlyDenied, vec![]));
}

/// A condition, what is stated of a request, and whether it holds for it.
type Row = (&'static str, Option<(&'static str, ContextType, &'static str)>, bool);

const ROWS: &[Row] = &[
    (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, None, false),
    (
        r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
        Some(("AWS:securetransport", ContextType::Boolean, "TRUE")),
        true,
    ),
    (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, None, false),
    (
        r#"{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#,
        Some(("aws:SourceIp", ContextType::Ip, "198.51.100.9")),
        true,
    ),
    (r#"{"StringEquals":{"aws:username":"alice"}}"#, None, false),
    (r#"{"StringEquals":{"aws:username":"bob"}}"#, Some(("aws:username", ContextType::String, "bob")), true),
    (
        r#"{"StringEquals":{"aws:username":"${aws:PrincipalTag/n}"}}"#,
        Some(("aws:username", ContextType::String, "bob")),
        false,
    ),
    (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, None, true),
    (
        r#"{"StringEquals":{"kms:CallerAccount":"1"}}"#,
        Some(("kms:CallerAccount", ContextType::String, "1")),
        true,
    ),
    (
        r#"{"NumericLessThan":{"kms:RotationPeriodInDays":"100"}}"#,
        Some(("kms:RotationPeriodInDays", ContextType::Numeric, "90")),
        true,
    ),
    (
        r#"{"StringEquals":{"kms:EncryptionContext:App":"x"}}"#,
        Some(("kms:encryptioncontext:app", ContextType::String, "x")),
        true,
    ),
    (r#"{"DateLessThan":{"aws:CurrentTime":"2020-12-01T00:00:00Z"}}"#, None, true),
    (r#"{"NumericLessThan":{"aws:EpochTime":"1600000001"}}"#, None, true),
    (
        r#"{"DateLessThan":{"aws:CurrentTime":"2020-12-01T00:00:00Z"}}"#,
        Some(("aws:CurrentTime", ContextType::Date, "2021-01-01T00:00:00Z")),
        false,
    ),
    (r#"{"BinaryEquals":{"x:blob":"AAE="}}"#, Some(("x:blob", ContextType::Binary, "AAE=")), true),
    (r#"{"Null":{"x:y":"true"}}"#, None, true),
    (r#"{"Null":{"x:y":"true"}}"#, Some(("x:y", ContextType::String, "")), false),
];

#[test]
fn a_request_has_what_is_stated_and_nothing_of_its_own() {
    let on = |condition: &str| {
        [attached(&format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}}}"#
        ))]
    };
    let open = ResourceSide::without_policy();
    let now = |mut entries: ContextEntries| {
        entries.presume_time("aws:CurrentTime", Timestamp::from_seconds(1_600_000_000));
        entries
    };
    let none = || now(ContextEntries::default());
    let is_allowed = |condition: &str, entries: &ContextEntries| {
        alice("kms:Decrypt", entries, &of_identity(&on(condition)), &open).verdict == Verdict::Allowed
    };
    let one = |name: &str, kind, value: &str| {
        let mut entries = ContextEntries::default();
        entries.state(name, kind, value.to_owned()).unwrap();
        now(entries)
    };
    for (condition, entry, allowed) in ROWS {
        let entries = entry.map_or_else(none, |(name, kind, value)| one(name, kind, value));
        assert_eq!(is_allowed(condition, &entries), *allowed, "{condition} {entry:?}");
    }
    let mut several = none();
    let values = ["a", "b"].map(str::to_owned).to_vec();
    several.state_several("aws:TagKeys", ContextType::String, values).unwrap();
    assert!(is_allowed(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}}"#, &several));
    assert!(!is_allowed(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#, &several));
    assert!(is_allowed(r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["b"]}}"#, &several));
}

#[test]
fn what_is_presumed_gives_way_and_nothing_is_stated_twice_or_as_what_it_is_not() {
    let mut entries = ContextEntries::default();
    entries.presume("aws:username", "alice");
    entries.state("aws:SourceIp", ContextType::Ip, "::1".to_owned()).unwrap();
    entries.presume("aws:SourceIp", "192.0.2.1");
    assert!(entries.has("AWS:USERNAME") && entries.has("aws:sourceip") && entries.has("kms:CallerAccount"));
    assert!(!entries.has("aws:SourceVpc"));
    let again = entries.state("AWS:SOURCEIP", ContextType::Ip, "::2".to_owned());
    assert_eq!(again, Err(ContextFault::Twice));
    for (kind, good, bad) in [
        (ContextType::Numeric, "-1.5", "one"),
        (ContextType::Boolean, "False", "no"),
        (ContextType::Ip, "2001:db8::1", "192.0.2.0/24"),
        (ContextType::Binary, "AAE=", "AAE"),
        (ContextType::Date, "2020-01-01", "yesterday"),
        (ContextType::Date, "1577836800", "2020-13-01"),
    ] {
        let mut entries = ContextEntries::default();
        assert_eq!(entries.state("a:b", kind, bad.to_owned()), Err(ContextFault::Value(kind)), "{bad}");
        let list = vec![good.to_owned(), bad.to_owned()];
        assert_eq!(entries.state_several("a:b", kind, list), Err(ContextFault::Value(kind)), "{bad}");
        entries.state("a:b", kind, good.to_owned()).unwrap();
        entries.state_several("a:c", kind, vec![good.to_owned()]).unwrap();
    }
}

#[test]
fn a_policy_tells_the_keys_that_it_asks_about() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/${aws:username}/${ s3:Prefix, 'x'}/*","*"],
         "Condition":{"StringLike":{"AWS:PrincipalTag/Team":["${aws:PrincipalTag/team}*","${*}"]},"Null":{"aws:SourceVpc":"true"}}},
        {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:username}",
         "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:PrincipalAccount}"},"DateLessThan":{"aws:CurrentTime":"${a:b}"}}}
    ]}"#;
    let told = |text: &str| -> Vec<String> {
        policy(text, PolicyKind::Identity).key_names().map(str::to_owned).collect()
    };
    let expected = [
        "aws:username",
        "s3:Prefix",
        "AWS:PrincipalTag/Team",
        "aws:PrincipalTag/team",
        "aws:SourceVpc",
        "aws:username",
        "aws:SourceArn",
        "aws:PrincipalAccount",
        "aws:CurrentTime",
    ];
    assert_eq!(told(text), expected);
    // The older version of the language has no variables.
    let older = told(&text.replace("2012-10-17", "2008-10-17"));
    assert_eq!(older, ["AWS:PrincipalTag/Team", "aws:SourceVpc", "aws:SourceArn", "aws:CurrentTime"]);
    assert_eq!(told(ALLOW), [""; 0]);
}

#[test]
fn actions_are_read_in_any_case_and_without_wildcards() {
    for (text, shown) in [
        ("kms:Decrypt", "kms:Decrypt"),
        ("KMS:DECRYPT", "kms:Decrypt"),
        ("kms:NoSuchThing", "kms:NoSuchThing"),
        ("s3:getobject", "s3:getobject"),
    ] {
        assert_eq!(Action::read(text).unwrap().to_string(), shown);
    }
    for text in ["", "Decrypt", ":Decrypt", "kms:", "kms:*", "kms:De?rypt", "kms:a:b"] {
        assert!(Action::read(text).is_none(), "{text}");
    }
}
