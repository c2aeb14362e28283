//! Simulated requests: condition keys as somebody states them, and a policy that asks about them.
//!
//! A line with a key, a type from 0 to 5 and values, apart by tabs, for each key; an empty line; a policy.

use policy::{
    Action, CallerFacts, ContextEntries, ContextType, IdentitySide, NoContext, Origin, Policy, PolicyKind,
    Request, Resource, ResourceSide, Verdict, simulate,
};

use crate::scene::{KEY, about_everything, attached, now, open};
use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target { name: "simulation", run, seeds, words: &super::policy_words::ALL };

const TYPES: [ContextType; 6] = [
    ContextType::String,
    ContextType::Numeric,
    ContextType::Boolean,
    ContextType::Ip,
    ContextType::Binary,
    ContextType::Date,
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some((stated, document)) = text.split_once("\n\n") else { return };
    let Some(entries) = stated.lines().try_fold(ContextEntries::default(), state) else { return };
    let _ = entries.longest();
    let Ok(policy) = Policy::parse(document, PolicyKind::Identity) else { return };
    for name in policy.key_names() {
        let _ = entries.has(name);
    }
    let own = attached(policy);
    let before = verdict(&entries, std::slice::from_ref(&own));
    let deny = serde_json::json!({"Statement": about_everything(PolicyKind::Identity, "Deny")}).to_string();
    let deny = attached(Policy::parse(&deny, PolicyKind::Identity).unwrap());
    assert_eq!(
        verdict(&entries, &[own.clone(), deny]),
        Verdict::ExplicitlyDenied,
        "a Deny of everything leaves something"
    );
    let everything = attached(open(PolicyKind::Identity));
    let with_more = verdict(&entries, &[own, everything]);
    assert!(with_more <= before, "one more Allow takes something away: {before:?} {with_more:?}");
}

fn state(mut entries: ContextEntries, line: &str) -> Option<ContextEntries> {
    let mut parts = line.split('\t');
    let (name, kind) = (parts.next()?, parts.next()?);
    let kind = *TYPES.get(kind.parse::<usize>().ok()?)?;
    let mut values: Vec<String> = parts.map(str::to_owned).collect();
    let stated = match values.len() {
        1 => entries.state(name, kind, values.pop()?),
        _ => entries.state_several(name, kind, values),
    };
    stated.ok().map(|()| entries)
}

fn verdict(entries: &ContextEntries, policies: &[policy::AttachedPolicy]) -> Verdict {
    let (caller, key_policy) = (CallerFacts::of(crate::scene::user()), open(PolicyKind::Key));
    let request = Request {
        action: Action::read("kms:Decrypt").unwrap(),
        resource: Resource { arn: Some(KEY), owner: "111122223333".parse().unwrap() },
        caller: &caller,
        origin: Origin { time: now(), ..crate::scene::origin() },
        context: &NoContext,
    };
    let identity = IdentitySide { policies, ..IdentitySide::default() };
    simulate(&request, entries, &identity, &ResourceSide::guarded_by(&key_policy)).verdict
}

fn seeds() -> Vec<Vec<u8>> {
    let stated = [
        "",
        "kms:EncryptionContext:tenant\t0\talice",
        "aws:SourceIp\t3\t203.0.113.7",
        "aws:CurrentTime\t5\t2026-01-01T00:00:00Z",
        "aws:TagKeys\t0\ta\tb",
        "x:y\t1\t1.5\nx:z\t2\ttrue\nx:b\t4\tAA==",
        "x:d\t5\t1700000000",
        "x:i\t3\t2001:db8::1",
    ];
    let policies = corpus::policies();
    let each = policies.iter().zip(stated.iter().cycle());
    each.map(|(policy, stated)| [stated.as_bytes(), b"\n\n", policy].concat()).collect()
}
