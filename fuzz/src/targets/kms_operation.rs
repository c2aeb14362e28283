//! Calls of the key service, by somebody who may do everything: a line with the operation, then the body. With it go
//! markers, key references, aliases, grant tokens, import tokens, policies and ciphertexts.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::bench::{Bench, KEY_ID, PLAINTEXT};
use crate::{Target, scene};

pub(crate) const TARGET: Target = Target { name: "kms_operation", run, seeds, words: &WORDS };

const WORDS: [&str; 30] = [
    "\"KeyId\":",
    "\"alias/a\"",
    "\"arn:aws:kms:eu-central-1:111122223333:",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "\"Limit\":1",
    "\"Marker\":",
    "\"GrantId\":",
    "\"GrantToken\":",
    "\"GrantTokens\":[",
    "\"AliasName\":",
    "\"TargetKeyId\":",
    "\"Policy\":",
    "\"PolicyName\":\"default\"",
    "\"Tags\":[",
    "\"TagKeys\":[",
    "\"CiphertextBlob\":",
    "\"Plaintext\":",
    "\"EncryptionContext\":{",
    "\"DryRun\":true",
    "\"KeySpec\":",
    "\"NumberOfBytes\":",
    "\"ReplicaRegion\":",
    "\"PrimaryRegion\":",
    "\"PendingWindowInDays\":",
    "\"RotationPeriodInDays\":",
    "\"BypassPolicyLockoutSafetyCheck\":true",
    "mrk-",
    "AQIB",
    "null",
    "\"ImportToken\":",
];

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

fn run(input: &[u8]) {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(operation), body) = (std::str::from_utf8(&input[..end]), &input[end + 1..]) else { return };
    if takes_long(operation, body) {
        return;
    }
    match BENCH.call_kms(operation, body) {
        None => {}
        Some(Ok(answer)) => {
            assert!(answer.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(&answer).is_ok());
        }
        // Nothing that somebody sends is the service's fault.
        Some(Err(fault)) => assert!(fault.status < 500, "{operation}: {fault:?}"),
    }
}

/// RSA keys take seconds to make, and nothing more is read for them.
fn takes_long(operation: &str, body: &[u8]) -> bool {
    let makes_keys =
        ["CreateKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GetParametersForImport"];
    makes_keys.contains(&operation) && body.windows(4).any(|window| window == b"RSA_")
}

fn seeds() -> Vec<Vec<u8>> {
    let grants = BENCH.kms_json("ListGrants", json!({"KeyId": KEY_ID}));
    let grant_id = &grants["Grants"][0]["GrantId"];
    let everything = json!({
        "KeyId": KEY_ID, "AliasName": "alias/b", "TargetKeyId": scene::KEY, "Plaintext": PLAINTEXT,
        "CiphertextBlob": BENCH.blob,
        "GranteePrincipal": scene::ROLE, "Operations": ["Decrypt", "CreateGrant"], "GrantId": grant_id, "Limit": 1,
        "RetiringPrincipal": scene::ROLE, "Policy": scene::statements(policy::PolicyKind::Key, "Allow"),
        "Tags": [{"TagKey": "a", "TagValue": "b"}], "TagKeys": ["a"], "NumberOfBytes": 16,
        "DestinationKeyId": "alias/a",
        "PendingWindowInDays": 7, "ReplicaRegion": "eu-west-1", "PrimaryRegion": "eu-west-1", "Description": "d",
    });
    let names = wire::kms::OPERATION_NAMES;
    let mut found: Vec<Vec<u8>> = names.iter().map(|name| seed(name, &everything)).collect();
    found.extend(markers());
    for (name, body) in [
        (
            "Decrypt",
            json!({"KeyId": "alias/a", "CiphertextBlob": BENCH.blob, "EncryptionContext": {}, "GrantTokens": ["x"]}),
        ),
        (
            "GenerateDataKey",
            json!({"KeyId": "alias/a", "KeySpec": "AES_256", "EncryptionContext": {"a": "b"}}),
        ),
        ("GenerateDataKeyPair", json!({"KeyId": KEY_ID, "KeyPairSpec": "ECC_NIST_P256"})),
        ("ListAliases", json!({"KeyId": "arn:aws:kms:eu-central-1:111122223333:alias/a"})),
        ("RetireGrant", json!({"GrantToken": "x", "DryRun": true})),
        ("CreateKey", json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT", "Policy": "{}"})),
        (
            "Encrypt",
            json!({"KeyId": KEY_ID, "Plaintext": "", "Recipient": {"AttestationDocument": "hEShATgi"}}),
        ),
    ] {
        found.push(seed(name, &body));
    }
    found
}

/// Lists that go on, with the markers that lead there.
fn markers() -> Vec<Vec<u8>> {
    let lists = [
        "ListKeys",
        "ListAliases",
        "ListGrants",
        "ListKeyRotations",
        "ListResourceTags",
        "ListRetirableGrants",
    ];
    let body = json!({
        "KeyId": KEY_ID, "RetiringPrincipal": scene::ROLE, "Limit": 1, "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
    });
    let with_marker = |name: &&str| {
        let marker = BENCH.kms_json(name, body.clone())["NextMarker"].clone();
        let mut body = body.clone();
        body["Marker"] = if marker.is_null() { "x".into() } else { marker };
        seed(name, &body)
    };
    lists.iter().map(with_marker).collect()
}

fn seed(name: &str, body: &Value) -> Vec<u8> {
    format!("{name}\n{body}").into_bytes()
}
