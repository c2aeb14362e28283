//! Tokens of the RFCs and of another program: `corpus/web-identity/`.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crypto::web_identity::{Claims, JsonWebKeySet, SignedToken, TokenError};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};
use testkit::read_corpus;

static RFC: LazyLock<Corpus> = LazyLock::new(|| read_corpus("web-identity/rfc.json").unwrap());
static TOKENS: LazyLock<Corpus> = LazyLock::new(|| read_corpus("web-identity/tokens.json").unwrap());

#[derive(Deserialize)]
struct Corpus {
    sets: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    keys: String,
    token: String,
    outcome: String,
    #[serde(default)]
    claims: Map<String, Value>,
}

impl Corpus {
    fn keys(&self, case: &Case) -> JsonWebKeySet {
        JsonWebKeySet::parse(self.sets.get(&case.keys).unwrap().to_string().as_bytes()).unwrap()
    }

    /// The cases whose signature holds, each with its keys.
    fn signed(&self) -> impl Iterator<Item = (&Case, JsonWebKeySet)> {
        let signed = |case: &&Case| ["verified", "unreadable claims"].contains(&case.outcome.as_str());
        self.cases.iter().filter(signed).map(|case| (case, self.keys(case)))
    }
}

fn verify(token: &str, keys: &JsonWebKeySet) -> Result<Claims, TokenError> {
    SignedToken::parse(token)?.verify(keys)
}

#[test]
fn tokens_get_the_outcome_that_stands_beside_them() {
    for corpus in [&*RFC, &*TOKENS] {
        for case in &corpus.cases {
            let expected = match case.outcome.as_str() {
                "verified" => None,
                "malformed" => Some(TokenError::Malformed),
                "unsupported algorithm" => Some(TokenError::UnsupportedAlgorithm),
                "no such key" => Some(TokenError::NoSuchKey),
                "bad signature" => Some(TokenError::BadSignature),
                "unreadable claims" => Some(TokenError::UnreadableClaims),
                other => panic!("{}: {other}", case.name),
            };
            let verified = verify(&case.token, &corpus.keys(case));
            assert_eq!(verified.as_ref().err(), expected.as_ref(), "{}", case.name);
            for (name, value) in &case.claims {
                assert_eq!(verified.as_ref().unwrap().claim(name), Some(value), "{}: {name}", case.name);
            }
        }
    }
    assert!(RFC.cases.len() >= 7 && TOKENS.cases.len() >= 170, "cases are added, never taken away");
}

/// The negative twins of the published examples.
#[test]
fn no_bit_of_a_published_example_can_be_turned_over() {
    for (case, keys) in RFC.signed() {
        for at in 0..case.token.len() {
            for bit in 0..8 {
                let mut bytes = case.token.clone().into_bytes();
                *bytes.get_mut(at).unwrap() ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let refusal = verify(&changed, &keys).err();
                let unproven = !matches!(refusal, None | Some(TokenError::UnreadableClaims));
                assert!(unproven, "{}: {at}, bit {bit}: {refusal:?}", case.name);
            }
        }
    }
}

#[test]
fn no_token_holds_under_the_keys_of_another_example() {
    for (case, _) in RFC.signed() {
        for (other, keys) in RFC.signed().filter(|(other, _)| other.keys != case.keys) {
            let refusal = verify(&case.token, &keys).err();
            assert_eq!(refusal, Some(TokenError::NoSuchKey), "{} under {}", case.name, other.keys);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_changed_token_is_believed(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        character in "[A-Za-z0-9_.=+/ -]",
    ) {
        static SIGNED: LazyLock<Vec<(&Case, JsonWebKeySet)>> = LazyLock::new(|| TOKENS.signed().collect());
        let (case, keys) = which.get(&SIGNED);
        let at = at.index(case.token.len());
        let mut changed = case.token.clone();
        changed.replace_range(at..=at, &character);
        let refusal = verify(&changed, keys).err();
        let unproven = !matches!(refusal, None | Some(TokenError::UnreadableClaims));
        prop_assert_eq!(unproven, changed != case.token, "{}: {}", case.name, at);
    }

    #[test]
    fn no_token_panics(text in "\\PC{0,60}", header in "[\\[\\]{}:,\"algkid1 \\\\]{0,40}", rest in any::<Vec<u8>>()) {
        let base64url = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
        let made = format!("{}.{}.{}", base64url(header.as_bytes()), base64url(&rest), base64url(&rest));
        let named = format!("eyJhbGciOiJFUzI1NiJ9.{}.{}", base64url(header.as_bytes()), base64url(&rest));
        let keys = RFC.signed().next().unwrap().1;
        for text in [&text, &made, &named] {
            if let Ok(token) = SignedToken::parse(text) {
                let _ = (token.key_id(), token.unverified_issuer());
                prop_assert!(token.verify(&keys).is_err());
            }
        }
    }

    #[test]
    fn no_key_set_panics(
        bytes in any::<Vec<u8>>(),
        member in "kty|crv|n|e|x|y|alg|use|kid|key_ops",
        value in "RSA|EC|OKP|P-256|P-521|Ed25519|AQAB|[A-Za-z0-9_-]{0,400}",
        which in any::<prop::sample::Index>(),
    ) {
        let _ = JsonWebKeySet::parse(&bytes);
        let every_type = TOKENS.sets.get("every type").and_then(|set| set.get("keys")).unwrap();
        let mut keys = every_type.as_array().unwrap().clone();
        let key = which.index(keys.len());
        keys.get_mut(key).unwrap().as_object_mut().unwrap().insert(member, Value::from(value));
        let set = serde_json::json!({"keys": keys}).to_string();
        prop_assert!(JsonWebKeySet::parse(set.as_bytes()).is_ok());
    }
}
