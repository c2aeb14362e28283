//! Calls of IAM and STS, by somebody who may do everything: the form. With it go markers, names, ARNs, policies,
//! contexts of simulations, tokens of identity providers.

use std::sync::LazyLock;

use crate::bench::{Bench, ISSUER, form, trust_policy};
use crate::{Target, corpus, scene};

pub(crate) const TARGET: Target = Target { name: "identity_operation", run, seeds, words: &WORDS };

const WORDS: [&str; 26] = [
    "Action=",
    "&Version=2010-05-08",
    "&Version=2011-06-15",
    "&UserName=",
    "&RoleName=",
    "&GroupName=",
    "&PolicyName=",
    "&PolicyArn=",
    "&PolicyDocument=",
    "&Path=%2F",
    "&PathPrefix=%2F",
    "&MaxItems=1",
    "&Marker=",
    "&Tags.member.1.Key=",
    "&TagKeys.member.1=",
    "&RoleSessionName=",
    "&DurationSeconds=900",
    "&Policy=",
    "&WebIdentityToken=",
    "&EncodedMessage=",
    "&ActionNames.member.1=",
    "&PolicyInputList.member.1=",
    "&ResourceArns.member.1=",
    "&ContextEntries.member.1.ContextKeyName=",
    "alice",
    "%2A",
];

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

fn run(input: &[u8]) {
    match BENCH.call_identity(input) {
        Ok(answer) => {
            let text = String::from_utf8(answer).expect("answers are UTF-8");
            assert!(text.starts_with('<') && text.ends_with('>'), "an answer that is no XML");
        }
        // Nothing that somebody sends is the service's fault. What cannot be fetched is nobody's.
        Err(fault) => assert!(fault.status < 500, "{fault:?}"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let (policy, trust) = (scene::statements(policy::PolicyKind::Identity, "Allow"), trust_policy());
    let everything = [
        ("UserName", "alice"),
        ("RoleName", "app"),
        ("GroupName", "ops"),
        ("PolicyName", "own"),
        ("PolicyDocument", &policy),
        ("PolicyArn", "arn:aws:iam::111122223333:policy/everything"),
        ("AssumeRolePolicyDocument", &trust),
        ("MaxItems", "1"),
        ("VersionId", "v1"),
        ("Path", "/a/"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
        ("TagKeys.member.1", "k"),
        ("AccountAlias", "other"),
        ("Url", ISSUER),
        ("Status", "Inactive"),
        ("NewUserName", "bob"),
        ("Description", "d"),
        ("OpenIDConnectProviderArn", "arn:aws:iam::111122223333:oidc-provider/issuer.example"),
        ("ClientID", "client"),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("ActionNames.member.1", "kms:Decrypt"),
        ("PolicyInputList.member.1", &policy),
        ("PolicySourceArn", "arn:aws:iam::111122223333:user/ops/alice"),
        ("ResourceArns.member.1", scene::KEY),
        ("ContextEntries.member.1.ContextKeyName", "aws:SourceIp"),
        ("ContextEntries.member.1.ContextKeyType", "ip"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "10.0.0.1"),
    ];
    let iam = wire::iam::OPERATION_NAMES.iter().map(|name| form(name, wire::iam::VERSION, &everything));
    let token = corpus::json("web-identity/rfc.json")["cases"][0]["token"].as_str().unwrap().to_owned();
    let session = [
        ("RoleArn", scene::ROLE),
        ("RoleSessionName", "s"),
        ("DurationSeconds", "900"),
        ("Policy", &policy),
        ("Name", "carol"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
        ("TransitiveTagKeys.member.1", "k"),
        ("WebIdentityToken", &token),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
        ("EncodedMessage", "AQAAAA"),
        ("SourceIdentity", "alice"),
        ("ExternalId", "x"),
    ];
    let sts = wire::sts::OPERATION_NAMES.iter().map(|name| form(name, wire::sts::VERSION, &session));
    iam.chain(sts).map(String::into_bytes).collect()
}
