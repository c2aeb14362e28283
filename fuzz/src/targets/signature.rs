//! Signed requests, as [`Sent`] reads them. Nobody gets through without the secret, and what is
//! signed here verifies.

use base::{SecretString, Timestamp};
use serde_json::Value;
use wire::sigv4::{Protocol, RequestHead, Scope, SigningKey, authorization, parse};

use crate::sent::Sent;
use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target { name: "signature", run, seeds, words: &WORDS };

const WORDS: [&str; 22] = [
    "authorization:",
    "AWS4-HMAC-SHA256 ",
    "Credential=",
    "SignedHeaders=",
    "Signature=",
    "/aws4_request",
    "20150830T123600Z",
    "20150830/us-east-1/kms/aws4_request",
    "x-amz-date:",
    "x-amz-content-sha256:",
    "UNSIGNED-PAYLOAD",
    "x-amz-security-token:",
    "host:",
    "X-Amz-Algorithm=",
    "X-Amz-Credential=",
    "X-Amz-Date=",
    "X-Amz-Expires=",
    "X-Amz-SignedHeaders=",
    "X-Amz-Signature=",
    "X-Amz-Security-Token=",
    "%2F",
    "/../",
];

const DATE: &str = "20150830";

fn run(input: &[u8]) {
    let Some(sent) = Sent::read(input) else { return };
    let headers: Vec<(&str, &[u8])> =
        sent.headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let head = RequestHead { method: sent.method, path: sent.path, query: sent.query, headers: &headers };
    refuses(&head, sent.body);
    signs(&head, sent.body);
}

/// Without the secret nothing verifies: the keys here are drawn from a text that nobody else knows.
fn refuses(head: &RequestHead<'_>, body: &[u8]) {
    match parse(head) {
        Ok(signed) => {
            let Scope { date, region, service } = signed.scope();
            let secret = SecretString::new("the secret that made no signature".to_owned());
            let key = SigningKey::derive(&secret, date, region, service);
            assert!(signed.verify(head, body, &key).is_err(), "verified without the secret");
            let _ = signed.check_scope(true, &["kms", "iam"]);
            let _ = signed.check_scope(false, &[]);
            for (now, window) in [(signed.signed_at(), 300), (Timestamp::from_seconds(0), 0)] {
                let _ = signed.check_time(now, window);
            }
        }
        Err(refusal) => {
            for protocol in [Protocol::AwsJson, Protocol::Query] {
                assert!((400..500).contains(&refusal.to_fault(protocol).status), "{refusal:?}");
            }
        }
    }
}

/// What is signed here verifies, and with another body or method it does not.
fn signs(head: &RequestHead<'_>, body: &[u8]) {
    let key = SigningKey::derive(&SecretString::new("secret".to_owned()), DATE, "us-east-1", "kms");
    let scope = Scope { date: DATE.into(), region: "us-east-1".into(), service: "kms".into() };
    let Ok(authorization) = authorization(head, body, "AKIDEXAMPLE", &scope, &key) else { return };
    let mut headers = head.headers.to_vec();
    headers.push(("authorization", authorization.as_bytes()));
    let whole = RequestHead { headers: &headers, ..*head };
    let parsed = parse(&whole).expect("it was parsed to be signed");
    let declares_body = head.headers.iter().any(|(name, _)| *name == "x-amz-content-sha256");
    assert!(
        declares_body || parsed.verify(&whole, body, &key).is_ok(),
        "what is signed here does not verify"
    );
    let other_body = [body, b"x"].concat();
    assert!(parsed.verify(&whole, &other_body, &key).is_err(), "verified with another body");
    let other = RequestHead { method: "BREW", ..whole };
    assert!(
        head.method == "BREW" || parsed.verify(&other, body, &key).is_err(),
        "verified with another method"
    );
}

/// The requests of the signature corpus, and unsigned ones to sign.
fn seeds() -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = ["signatures/header.json", "signatures/query.json"]
        .iter()
        .flat_map(|file| corpus::json(file).as_array().unwrap().clone())
        .map(|case| written(&case))
        .collect();
    found
        .push(b"POST /a%20b/../c?x=1&y=%2F&x=\nhost:localhost\nx-amz-date:20150830T123600Z\n\nbody".to_vec());
    found.push(b"GET /\nHost:localhost:4599\nx-amz-date:20150830T123600Z\nx-amz-target: a  b \n\n".to_vec());
    found
}

fn written(case: &Value) -> Vec<u8> {
    let text = |name: &str| case[name].as_str().unwrap();
    let mut written = format!("{} {}?{}\n", text("method"), text("path"), text("query"));
    for header in case["headers"].as_array().unwrap() {
        written.push_str(&format!("{}:{}\n", header[0].as_str().unwrap(), header[1].as_str().unwrap()));
    }
    written.push('\n');
    written.push_str(text("body"));
    written.into_bytes()
}
