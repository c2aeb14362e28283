//! What the corpus does not hold: sets as a whole, what a token tells before it is verified, and the library's limits.
//! The tokens are in `crates/crypto/tests/web_identity.rs`.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::*;

/// RFC 8037 appendix A.2.
const PUBLISHED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// RFC 8037 appendix A.4.
const EXAMPLE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                       hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn parse(set: &Value) -> Result<JsonWebKeySet, KeySetError> {
    JsonWebKeySet::parse(set.to_string().as_bytes())
}

fn token(header: &Value, payload: &str) -> String {
    let encode = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    format!("{}.{}.AAAA", encode(&header.to_string()), encode(payload))
}

#[test]
fn a_key_set_is_an_object_with_an_array_of_keys() {
    for set in
        [json!({"keys": []}), json!({"keys": [{}], "more": {"keys": 1}}), json!({"keys": [null, 1, []]})]
    {
        assert_eq!(parse(&set).err(), None, "{set}");
    }
    for set in
        [json!([]), json!({}), json!({"keys": {}}), json!({"keys": null}), json!({"Keys": []}), json!(1)]
    {
        assert_eq!(parse(&set).err(), Some(KeySetError::Malformed), "{set}");
    }
    for text in ["", "{", r#"{"keys":[]} {}"#, r#"{"keys":[],"keys":[]}"#, r#"{"keys":[{"a":1,"a":1}]}"#] {
        assert_eq!(JsonWebKeySet::parse(text.as_bytes()).err(), Some(KeySetError::Malformed), "{text}");
    }
}

#[test]
fn a_key_set_has_a_longest_length() {
    let mut set = br#"{"keys":[]}"#.to_vec();
    set.resize(KEY_SET_MAX, b' ');
    assert_eq!(JsonWebKeySet::parse(&set).err(), None);
    set.push(b' ');
    assert_eq!(JsonWebKeySet::parse(&set).err(), Some(KeySetError::TooLong));
}

#[test]
fn a_key_set_has_at_most_a_hundred_keys_of_a_type() {
    let set = |rsa: usize, other: usize| {
        let kinds = [("RSA", rsa), ("EC", other), ("OKP", other), ("oct", 500)];
        let keys = kinds.into_iter().flat_map(|(kind, count)| vec![json!({"kty": kind}); count]);
        parse(&json!({"keys": keys.collect::<Vec<_>>()})).err()
    };
    assert_eq!(set(100, 100), None);
    assert_eq!(set(101, 0), Some(KeySetError::TooManyKeys));
    assert_eq!(set(0, 101), Some(KeySetError::TooManyKeys));
}

#[test]
fn a_set_knows_the_keys_that_can_be_used() {
    let good = json!({"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": PUBLISHED});
    let other = json!({"kty": "OKP", "crv": "X25519", "kid": "other", "x": PUBLISHED});
    let nameless = json!({"kty": "OKP", "crv": "Ed25519", "x": PUBLISHED});
    let set = parse(&json!({"keys": [good, other, nameless]})).unwrap();
    assert!(set.knows("good"));
    for unknown in ["other", "Good", "goo", ""] {
        assert!(!set.knows(unknown), "{unknown}");
    }
}

#[test]
fn a_token_says_its_key_and_issuer_before_it_is_verified() {
    let known = |header: Value, payload: &str| {
        let text = token(&header, payload);
        let token = SignedToken::parse(&text).unwrap();
        (token.key_id().map(str::to_owned), token.unverified_issuer().map(str::to_owned))
    };
    let named = json!({"alg": "RS256", "kid": "one"});
    let (key_id, issuer) = known(named, r#"{"iss":"https://issuer.example","sub":"alice"}"#);
    assert_eq!((key_id.as_deref(), issuer.as_deref()), (Some("one"), Some("https://issuer.example")));
    for payload in ["{}", "claims", r#"{"iss":1}"#, r#"{"iss":"a","iss":"a"}"#, ""] {
        assert_eq!(known(json!({"alg": "RS256"}), payload), (None, None), "{payload}");
    }
}

#[test]
fn a_token_has_a_longest_length() {
    let of = |length: usize| {
        let text = token(&json!({"alg": "RS256"}), &"a".repeat(length));
        (text.len(), SignedToken::parse(&text).err())
    };
    assert_eq!(of(14_980), (TOKEN_MAX, None));
    assert_eq!(of(14_981), (TOKEN_MAX + 1, Some(TokenError::Malformed)));
}

#[test]
fn what_was_signed_and_is_no_set_of_claims_is_told_apart_from_a_bad_signature() {
    let set = parse(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": PUBLISHED}]})).unwrap();
    let verify = |text: &str| SignedToken::parse(text).unwrap().verify(&set).err();
    assert_eq!(verify(EXAMPLE), Some(TokenError::UnreadableClaims));
    assert_eq!(verify(&EXAMPLE.replace("RXhh", "RXhi")), Some(TokenError::BadSignature));
}

/// Why keys of small order are sorted out here. Should the library come to refuse them, the check can go.
#[test]
fn the_library_takes_an_ed25519_key_under_which_anybody_signs() {
    let neutral: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let signature = [neutral, [0; 32]].concat();
    let key = UnparsedPublicKey::new(&ED25519, neutral);
    assert!(key.verify(b"anything", &signature).is_ok());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "weak",
        "x": base64_simd::URL_SAFE_NO_PAD.encode_to_string(neutral)});
    assert!(!parse(&json!({"keys": [jwk]})).unwrap().knows("weak"));
}

#[test]
fn base64url_has_one_text_for_the_same_bytes() {
    assert_eq!(base64url("-_8"), Some(vec![0xfb, 0xff]));
    assert_eq!(base64url(""), Some(vec![]));
    for text in ["-_9", "-_", "-_8=", "+/8", "-", "-_ 8", "-_8\n", "-_8-A"] {
        assert_eq!(base64url(text), None, "{text}");
    }
}
