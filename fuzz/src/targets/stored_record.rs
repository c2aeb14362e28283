//! Records of the store that are not what the service wrote: refused by name, and never more. Two bytes choose a
//! record, the rest is its value.

use std::sync::LazyLock;

use identity::Credentials;
use serde_json::{Value, json};
use store::Key;

use crate::bench::{Bench, KEY_ID, PLAINTEXT, form};
use crate::{Target, scene};

pub(crate) const TARGET: Target = Target { name: "stored_record", run, seeds, words: &WORDS };

const WORDS: [&str; 20] = [
    "\x01{",
    "\x02{",
    "\"policy\":",
    "\"statement\"",
    "\"state\":",
    "\"enabled\"",
    "\"sealed\":",
    "\"materials\":",
    "\"tags\":",
    "\"unique_id\":",
    "\"name\":",
    "\"path\":",
    "null",
    "18446744073709551615",
    "-1",
    "\"operations\":",
    "\"grantee\":",
    "\"created\":",
    "[]",
    "{}",
];

struct Furnished {
    bench: Bench,
    records: Vec<(Key, Vec<u8>)>,
    access_keys: Vec<String>,
}

static FURNISHED: LazyLock<Furnished> = LazyLock::new(|| {
    let bench = Bench::new();
    let records = bench.entries();
    let ids = records.iter().filter_map(|(path, _)| path.as_str().rsplit('/').next());
    let access_keys = ids.filter(|id| id.starts_with("AKIA")).map(str::to_owned).collect();
    Furnished { bench, records, access_keys }
});

fn run(input: &[u8]) {
    let Some(([high, low], value)) = input.split_first_chunk::<2>() else { return };
    let Furnished { bench, records, access_keys } = &*FURNISHED;
    let (path, _) = &records[usize::from(u16::from_be_bytes([*high, *low])) % records.len()];
    bench.store.pretend(path, Some(value.to_vec()));
    read_keys(bench);
    read_identities(bench, access_keys);
    bench.store.pretend(path, None);
}

fn read_keys(bench: &Bench) {
    let key = json!({"KeyId": KEY_ID, "RetiringPrincipal": scene::ROLE, "PolicyName": "default"});
    for operation in [
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetKeyLastUsage",
        "ListAliases",
        "ListGrants",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ListRetirableGrants",
        "EnableKeyRotation",
        "RotateKeyOnDemand",
        "ScheduleKeyDeletion",
        "CreateKey",
    ] {
        drop(bench.call_kms(operation, key.to_string().as_bytes()));
    }
    let _ =
        bench.call_kms("Encrypt", json!({"KeyId": "alias/a", "Plaintext": PLAINTEXT}).to_string().as_bytes());
    let decrypted =
        bench.call_kms("Decrypt", json!({"CiphertextBlob": bench.blob}).to_string().as_bytes()).unwrap();
    if let Ok(answer) = decrypted {
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["Plaintext"], PLAINTEXT, "a damaged record decrypts to something else");
    }
}

fn read_identities(bench: &Bench, access_keys: &[String]) {
    let names = [
        ("UserName", "alice"),
        ("RoleName", "app"),
        ("GroupName", "ops"),
        ("PolicyName", "own"),
        ("PolicyArn", "arn:aws:iam::111122223333:policy/everything"),
        ("VersionId", "v1"),
        ("OpenIDConnectProviderArn", "arn:aws:iam::111122223333:oidc-provider/issuer.example"),
    ];
    for action in [
        "GetUser",
        "GetRole",
        "GetGroup",
        "GetPolicy",
        "GetPolicyVersion",
        "GetUserPolicy",
        "GetGroupPolicy",
        "GetRolePolicy",
        "ListUsers",
        "ListRoles",
        "ListGroups",
        "ListPolicies",
        "ListAccessKeys",
        "ListGroupsForUser",
        "ListEntitiesForPolicy",
        "ListAttachedUserPolicies",
        "ListAccountAliases",
        "GetAccountSummary",
        "GetOpenIDConnectProvider",
    ] {
        drop(bench.call_identity(form(action, wire::iam::VERSION, &names).as_bytes()));
    }
    let assumed = [("RoleArn", scene::ROLE), ("RoleSessionName", "s")];
    drop(bench.call_identity(form("AssumeRole", wire::sts::VERSION, &assumed).as_bytes()));
    for id in access_keys {
        if let Ok(Credentials::Known(credential)) = bench.wait(bench.identity.credentials(id, None)) {
            drop(bench.wait(bench.identity.policies_of(&credential.caller)));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let numbered = FURNISHED.records.iter().enumerate();
    numbered.map(|(at, (_, value))| [&u16::try_from(at).unwrap().to_be_bytes(), &**value].concat()).collect()
}
