//! Key sets and tokens of identity providers: a set, and a line with a token.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crypto::web_identity::{JsonWebKeySet, SignedToken, TokenError};
use serde_json::Value;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target { name: "web_identity", run, seeds, words: &WORDS };

const WORDS: [&str; 34] = [
    "\"keys\":",
    "\"kty\":",
    "\"RSA\"",
    "\"EC\"",
    "\"OKP\"",
    "\"oct\"",
    "\"n\":",
    "\"e\":",
    "\"AQAB\"",
    "\"crv\":",
    "\"P-256\"",
    "\"P-384\"",
    "\"P-521\"",
    "\"Ed25519\"",
    "\"x\":",
    "\"y\":",
    "\"k\":",
    "\"kid\":",
    "\"alg\":",
    "\"RS256\"",
    "\"PS256\"",
    "\"ES256\"",
    "\"EdDSA\"",
    "\"use\":\"sig\"",
    "\"key_ops\":",
    "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJIUzI1NiJ9",
    "eyJhbGciOiJSUzI1NiJ9",
    "eyJhbGciOiJFUzI1NiJ9",
    "eyJhbGciOiJOT05FIn0",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJpc3MiOiJhIn0",
    "\n",
    ".",
];

/// Key sets that are trusted whatever the input says, and the tokens that were signed with them.
static TRUSTED: LazyLock<(Vec<JsonWebKeySet>, BTreeSet<String>)> = LazyLock::new(|| {
    let files = ["web-identity/rfc.json", "web-identity/tokens.json"].map(corpus::json);
    let sets = files.iter().flat_map(|file| file["sets"].as_object().unwrap().values());
    let sets = sets.map(|set| JsonWebKeySet::parse(set.to_string().as_bytes()).unwrap()).collect();
    let tokens = files.iter().flat_map(|file| file["cases"].as_array().unwrap());
    (sets, tokens.map(|case| case["token"].as_str().unwrap().to_owned()).collect())
});

fn run(input: &[u8]) {
    let at = input.iter().rposition(|byte| *byte == b'\n');
    let (set, token) = at.map_or((&b""[..], input), |at| (&input[..at], &input[at + 1..]));
    let own = JsonWebKeySet::parse(set);
    let Ok(token) = std::str::from_utf8(token) else { return };
    let signed = match SignedToken::parse(token) {
        Ok(signed) => signed,
        Err(TokenError::Malformed | TokenError::UnsupportedAlgorithm) => return,
        Err(other) => panic!("{other:?} before any key was looked at"),
    };
    let _ = signed.unverified_issuer();
    if let Ok(own) = &own {
        let _ = signed.verify(own).map(|claims| claims.texts().count());
        let _ = signed.key_id().is_some_and(|id| own.knows(id));
    }
    let (sets, tokens) = &*TRUSTED;
    for set in sets {
        let is_verified =
            !matches!(signed.verify(set), Err(TokenError::NoSuchKey | TokenError::BadSignature));
        assert!(!is_verified || tokens.contains(token), "a token is believed that nobody signed");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for file in ["web-identity/rfc.json", "web-identity/tokens.json"].map(corpus::json) {
        for case in file["cases"].as_array().unwrap() {
            let set: &Value = &file["sets"][case["keys"].as_str().unwrap()];
            // Of large sets the first key is enough to begin with.
            let keys: Vec<&Value> = set["keys"].as_array().unwrap().iter().take(2).collect();
            let token = case["token"].as_str().unwrap();
            if token.len() < 4_000 {
                found.push(format!("{}\n{token}", serde_json::json!({"keys": keys})).into_bytes());
            }
        }
    }
    found
}
