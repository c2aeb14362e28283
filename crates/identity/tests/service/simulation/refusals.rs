//! What the simulator refuses, and what bounds its answers.

use serde_json::json;

use super::{ALICE, KEY, Parameters, allow, custom, document, each, of, refused, try_call, within};
use crate::iam::{ALLOW, Bench};

#[tokio::test]
async fn results_come_in_pages_that_are_bounded() {
    let bench = Bench::new().await;
    let names: Vec<(String, String)> = (1..=7)
        .map(|number| (format!("ActionNames.member.{number}"), format!("kms:Action{number}")))
        .collect();
    let mut parameters: Parameters<'_> =
        names.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    parameters.push(("PolicyInputList.member.1", ALLOW));
    let mut told = Vec::new();
    let mut marker = None;
    loop {
        let mut page = parameters.clone();
        page.push(("MaxItems", "3"));
        page.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = try_call(&bench, "SimulateCustomPolicy", &page).await.unwrap();
        told.extend(each(&answer, "EvalActionName").into_iter().map(str::to_owned));
        if within(&answer, "IsTruncated") == "false" {
            break;
        }
        marker = Some(within(&answer, "Marker").to_owned());
    }
    let asked: Vec<String> = names.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(told, asked);
    // What is much work comes in smaller pages, and what is too much for one result is refused.
    let long = document(
        json!([allow("kms:*"), {"Sid": "x".repeat(100_000), "Effect": "Allow", "Action": "x:y", "Resource": "*"}]),
    );
    let resources: Vec<(String, String)> = (1..=200)
        .map(|number| (format!("ResourceArns.member.{number}"), format!("arn:aws:s3:::b{number}")))
        .collect();
    let with = |count: usize| -> Parameters<'_> {
        let resources = resources.iter().take(count);
        let mut parameters: Parameters<'_> =
            parameters.iter().copied().filter(|(name, _)| name.starts_with("Action")).collect();
        parameters.extend(resources.map(|(name, value)| (name.as_str(), value.as_str())));
        parameters.push(("PolicyInputList.member.1", &long));
        parameters
    };
    let answer = try_call(&bench, "SimulateCustomPolicy", &with(20)).await.unwrap();
    assert_eq!((each(&answer, "EvalActionName").len(), within(&answer, "IsTruncated")), (2, "true"));
    let text = refused(&bench, "SimulateCustomPolicy", &with(42)).await;
    assert!(text.ends_with("and texts of 16, a simulation can be about 41 resources at most."), "{text}");
    let entry = |name: &str| format!("ContextEntries.member.1.ContextKey{name}");
    let (name, kind, value) = (entry("Name"), entry("Type"), entry("Values.member.1"));
    let words = "x".repeat(8_192);
    let mut wordy = with(1);
    wordy.extend([(name.as_str(), "a:key"), (kind.as_str(), "string"), (value.as_str(), words.as_str())]);
    let text = refused(&bench, "SimulateCustomPolicy", &wordy).await;
    assert!(text.ends_with("and texts of 8192, a simulation can be about 0 resources at most."), "{text}");
}

#[tokio::test]
async fn parameters_without_a_meaning_are_refused() {
    let bench = Bench::new().await;
    let key_policy = document(of("*", allow("*")));
    let (on_key, policy) = (("ResourceArns.member.1", KEY), ("ResourcePolicy", key_policy.as_str()));
    for (action, further, text) in [
        ("Encrypt", vec![], "The action Encrypt is invalid"),
        ("kms:*", vec![], "The action kms:* is invalid"),
        (
            "a:b",
            vec![("ResourceArns.member.1", "key/1")],
            "ResourceNames are not in a valid ARN format: key/1.",
        ),
        (
            "a:b",
            vec![on_key, ("ResourceArns.member.2", "*")],
            "ResourceNames are not in a valid ARN format: *.",
        ),
        ("a:b", vec![policy, on_key], "Invalid caller - Caller cannot be null or empty."),
        ("a:b", vec![policy, ("CallerArn", ALICE)], "Invalid Entity Arn: * does not clearly define"),
        (
            "a:b",
            vec![("CallerArn", "arn:aws:iam::111111111111:root")],
            "Invalid caller - Caller must be an IAM user, role or group in this context.",
        ),
        ("a:b", vec![("ResourceOwner", "somebody")], "'somebody' is not a valid as a Resource Owner."),
        ("a:b", vec![("ResourcePolicy", "{}"), on_key, ("CallerArn", ALICE)], "Syntax errors in policy."),
        (
            "a:b",
            vec![
                ("PermissionsBoundaryPolicyInputList.member.1", ALLOW),
                ("PermissionsBoundaryPolicyInputList.member.2", ALLOW),
            ],
            "The list of Permissions Boundary policies cannot exceed 1 items.",
        ),
        (
            "a:b",
            vec![("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList", "")],
            "Organization policy at index 1 must contain at least one service control policy",
        ),
    ] {
        let told = refused(&bench, "SimulateCustomPolicy", &custom(ALLOW, action, &further)).await;
        assert!(told.starts_with(text), "{further:?}: {told}");
    }
    let told = refused(&bench, "SimulateCustomPolicy", &custom("{}", "a:b", &[])).await;
    assert_eq!(told, "Syntax errors in policy.");
}

#[tokio::test]
async fn entries_that_are_not_whole_or_not_of_their_type_are_refused() {
    let bench = Bench::new().await;
    let entry = "ContextEntries.member.1";
    let (name, kind, value) = (
        format!("{entry}.ContextKeyName"),
        format!("{entry}.ContextKeyType"),
        format!("{entry}.ContextKeyValues.member.1"),
    );
    let (name, kind, value) = (name.as_str(), kind.as_str(), value.as_str());
    let second = format!("{entry}.ContextKeyValues.member.2");
    let other =
        ["Name", "Type", "Values.member.1"].map(|part| format!("ContextEntries.member.2.ContextKey{part}"));
    let long = "x".repeat(8_193);
    for (further, text) in [
        (vec![(kind, "string"), (value, "x")], "ContextKeyName cannot be null or empty."),
        (vec![(name, "a:key"), (value, "x")], "Context key a:key has invalid type null."),
        (
            vec![(name, "a:key"), (kind, "string")],
            "Context values for context key a:key cannot be null or empty.",
        ),
        (
            vec![(name, "a:key"), (kind, "string"), (value, "x"), (&second, "y")],
            "Context key string expected a single value, but received 2.",
        ),
        (
            vec![(name, "a:key"), (kind, "string"), (value, &long)],
            "Context values for context key a:key cannot be longer than 8192 bytes.",
        ),
        (
            vec![(name, "a:key"), (kind, "dateList"), (value, "x")],
            "Invalid context value for key a:key: expected DateTime format.",
        ),
        (
            vec![
                (name, "a:key"),
                (kind, "ip"),
                (value, "::1"),
                (&other[0], "A:KEY"),
                (&other[1], "ip"),
                (&other[2], "::1"),
            ],
            "Duplicate context key: A:KEY.",
        ),
    ] {
        let told = refused(&bench, "SimulateCustomPolicy", &custom(ALLOW, "a:b", &further)).await;
        assert!(told.starts_with(text), "{further:?}: {told}");
    }
}
