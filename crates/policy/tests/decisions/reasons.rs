//! What is kept of a decision, who is told of it, and what would have to change.

use base::AccountId;
use policy::{
    Cause, Effect, Explanation, Outcome, Reasons, Request, Side, Unwitnessed, Witness, decide, explain,
};
use serde_json::{Value, json};

use crate::case::Case;
use crate::corpus::Theme;

/// What holds of every decision.
pub(crate) fn check(name: &str, request: &Request<'_>, explanation: &Explanation<'_>) {
    let reasons = Reasons::of(request, explanation);
    let is_allowed = explanation.decision.is_allowed();
    assert_eq!(matches!(reasons.outcome, Outcome::Allowed(_)), is_allowed, "{name}");
    let kept = serde_json::to_vec(&reasons).unwrap();
    assert_eq!(serde_json::from_slice::<Reasons>(&kept).unwrap(), reasons, "{name}: not kept as it was");
    assert_eq!(reasons.remedies().is_empty(), is_allowed, "{name}: {:?}", reasons.remedies());
    for (one, whole) in reasons.statements.iter().zip(explanation.statements.iter().filter(|one| one.action))
    {
        assert_eq!(one.matches(), whole.matches(), "{name}");
    }
    if let Outcome::Denied { cause: Cause::Explicit(statement), .. } = &reasons.outcome {
        let denying = reasons.statements.iter().find(|one| one.statement == *statement).expect(name);
        assert!(denying.effect == Effect::Deny && denying.matches(), "{name}");
    }
    let nobody: AccountId = "000000000001".parse().unwrap();
    assert_eq!(reasons.clone().told_to(nobody), None, "{name}");
    check_secrecy(name, &reasons);
}

/// Each account is told of its own side and nothing of the other's.
fn check_secrecy(name: &str, reasons: &Reasons) {
    let owner = reasons.resource_account;
    let own = reasons.clone().told_to(owner).expect(name);
    if reasons.caller_account == Some(owner) {
        assert_eq!(own, *reasons, "{name}");
        return;
    }
    let callers = reasons.caller_account.map(|account| reasons.clone().told_to(account).expect(name));
    for (told, hidden) in [(Some(own), Side::Caller), (callers, Side::Resource)] {
        let Some(told) = told else { continue };
        assert_eq!(told.hidden, Some(hidden), "{name}");
        assert!(told.statements.iter().all(|one| one.statement.layer.side() != hidden), "{name}");
        let named = match &told.outcome {
            Outcome::Allowed(allowed) => allowed.by.iter().map(|one| one.layer.side()).collect(),
            Outcome::Denied { cause: Cause::Explicit(one), .. } => vec![one.layer.side()],
            Outcome::Denied { cause: Cause::Implicit(layer), .. } => vec![layer.side()],
            Outcome::Denied { cause: Cause::OutOfReach | Cause::Refused(_), .. } => vec![Side::Resource],
            Outcome::Denied { cause: Cause::Hidden(_), .. } => vec![],
        };
        assert!(!named.contains(&hidden), "{name}: {told:#?}");
        assert!(hidden == Side::Caller || told.grants.is_empty(), "{name}");
    }
}

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/k";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

/// The reasons of a request of alice, or of somebody else, about a key.
fn reasons(case: Value) -> Reasons {
    let mut whole =
        json!({"name": "one", "caller": ALICE, "action": "kms:Decrypt", "resource": KEY, "expect": ""});
    let (members, given) = (whole.as_object_mut().unwrap(), case.as_object().unwrap().clone());
    members.extend(given);
    let case: Case = serde_json::from_value(whole).unwrap();
    let theme = Theme::default();
    let built = case.build(&theme).unwrap();
    built.request(|request, identity, resource| Reasons::of(request, &explain(request, identity, resource)))
}

fn delegating() -> Value {
    json!([{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}])
}

#[test]
fn a_statement_that_denies_is_to_be_removed_or_must_not_hold() {
    let deny = |condition: Value| {
        let mut policy = delegating();
        let deny = json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": condition});
        policy.as_array_mut().unwrap().push(deny);
        reasons(json!({"key_policy": policy})).remedies()
    };
    let plain = "Statement 2 (No) of the resource's policy denies kms:Decrypt: remove it or narrow it.";
    assert_eq!(deny(json!({})), [plain]);
    let one = "Statement 2 (No) of the resource's policy denies kms:Decrypt: remove it, or make its condition not hold: \
               Bool aws:SecureTransport wants false, the request has false.";
    assert_eq!(deny(json!({"Bool": {"aws:SecureTransport": "false"}})), [one]);
    let both = deny(json!({"Bool": {"aws:SecureTransport": "false"}, "Null": {"aws:SourceArn": "true"}}));
    assert!(both[0].contains("make one of its conditions not hold: ") && both[0].contains("; "), "{both:?}");
}

#[test]
fn a_silent_layer_is_named_with_what_nearly_allows() {
    let allow = |resource: &str, condition: Value| {
        json!([{"Sid": "Nearly", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource,
            "Condition": condition}])
    };
    let nothing = format!("Give {ALICE} an identity policy that allows kms:Decrypt on {KEY}.");
    let identity =
        |policy: Value| reasons(json!({"key_policy": delegating(), "identity": [policy]})).remedies();
    assert_eq!(
        identity(json!([{"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}])),
        std::slice::from_ref(&nothing)
    );
    let elsewhere = identity(allow("arn:aws:kms:*:*:alias/*", json!({})));
    assert_eq!(elsewhere[0], nothing);
    assert!(elsewhere[1].ends_with(&format!("would allow it, but its resources do not include {KEY}.")));
    let conditioned = identity(allow("*", json!({"StringEquals": {"kms:ViaService": ["a", "b"]}})));
    let but =
        "its condition does not hold: StringEquals kms:ViaService wants a or b, the request has (absent).";
    assert!(conditioned[1].ends_with(but), "{conditioned:?}");
    let twice =
        allow("*", json!({"StringEquals": {"kms:ViaService": "a"}, "Bool": {"aws:SecureTransport": "true"}}));
    assert_eq!(identity(twice), [nothing], "two things are in its way");
}

#[test]
fn what_a_session_lacks_its_role_or_user_must_get() {
    for (caller, holder) in [
        (
            "arn:aws:sts::111122223333:assumed-role/app/one",
            "Give the role of arn:aws:sts::111122223333:assumed-role/app/one an",
        ),
        ("arn:aws:iam::111122223333:user/alice", "Give arn:aws:iam::111122223333:user/alice an"),
    ] {
        let [remedy] =
            reasons(json!({"caller": caller, "key_policy": delegating()})).remedies().try_into().unwrap();
        assert!(remedy.starts_with(holder), "{remedy}");
    }
}

#[test]
fn a_key_policy_that_does_not_allow_says_whom_and_grants_say_under_which_context() {
    let key_policy = json!([{"Sid": "Bob", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"},
        "Action": "kms:*", "Resource": "*"}]);
    let grant = json!({"grantee": ALICE, "operations": ["Decrypt"], "equals": {"app": "x"}});
    let remedies = reasons(json!({"key_policy": key_policy, "grants": [grant]})).remedies();
    assert_eq!(
        remedies,
        [
            format!(
                "Let the key policy of {KEY} allow kms:Decrypt to {ALICE}, or to arn:aws:iam::111122223333:root so that \
                 identity policies decide, or create a grant of it."
            ),
            format!(
                "Statement 1 (Bob) of the resource's policy would allow it, but its principals do not include {ALICE}."
            ),
            "Grant grant 0 allows it with the encryption context {app=x} only.".to_owned(),
        ]
    );
}

#[test]
fn another_account_learns_whom_to_ask() {
    let foreign = json!({"caller": "arn:aws:iam::444455556666:user/eve", "key_policy": delegating()});
    let whole = reasons(foreign);
    let owner = whole.clone().told_to("111122223333".parse().unwrap()).unwrap();
    assert!(
        owner.remedies()[0]
            .starts_with(&format!("Let the key policy of {KEY} in account 111122223333 allow"))
    );
    let eve = whole.told_to("444455556666".parse().unwrap()).unwrap();
    assert_eq!(
        eve.outcome,
        match eve.outcome.clone() {
            Outcome::Denied { message, .. } =>
                Outcome::Denied { cause: Cause::Hidden(Side::Resource), message },
            allowed @ Outcome::Allowed(_) => allowed,
        }
    );
    let ask = "Account 111122223333 must allow kms:Decrypt to arn:aws:iam::444455556666:user/eve; only that account can see \
               what its policies say.";
    assert_eq!(eve.remedies(), [ask]);
}

#[test]
fn what_is_very_long_is_kept_in_part() {
    let condition = json!({"StringEquals": {"aws:UserAgent": "x"}});
    let policy =
        json!([{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}]);
    let long = reasons(json!({"key_policy": policy, "origin": {"user_agent": "ä".repeat(5_000)}}));
    let seen = &long.statements[0].conditions[0].seen;
    assert_eq!(seen.chars().count(), 1_025);
    assert!(seen.ends_with('…') && long.weight() < 4_096);
}

#[test]
fn a_witness_is_told_of_what_it_wants_to_know_only() {
    use std::sync::Mutex;

    use base::RequestId;

    struct OfDenials(Mutex<Vec<(RequestId, String)>>);
    impl Witness for OfDenials {
        fn wants(&self, is_allowed: bool) -> bool {
            !is_allowed
        }
        fn note(&self, request: RequestId, reasons: Reasons) {
            self.0.lock().unwrap().push((request, reasons.action));
        }
    }

    let witness = OfDenials(Mutex::default());
    let theme = Theme::default();
    let others = json!([{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "kms:*", "Resource": "*"}]);
    for (place, policy) in [delegating(), others].into_iter().enumerate() {
        let case = json!({"name": "", "caller": "arn:aws:iam::111122223333:root", "action": "kms:Decrypt", "resource": KEY,
            "key_policy": policy, "expect": ""});
        let case: Case = serde_json::from_value(case).unwrap();
        let id = RequestId::new([u8::try_from(place).unwrap(); 16]);
        case.build(&theme).unwrap().request(|request, identity, resource| {
            let decided = decide(request, identity, resource);
            assert_eq!(decided.witnessed((&witness, id), request, identity, resource), decided);
            assert_eq!(decided.witnessed((&Unwitnessed, id), request, identity, resource), decided);
        });
    }
    assert_eq!(*witness.0.lock().unwrap(), [(RequestId::new([1; 16]), "kms:Decrypt".to_owned())]);
}
