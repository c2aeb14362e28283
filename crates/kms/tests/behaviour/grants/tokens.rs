//! Grant tokens, and where they are looked at.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{create, create_key, encryption, passes, terms};
use crate::bench::{Bench, OTHER_ACCOUNT, arn, code, refusal};

#[tokio::test]
async fn a_token_is_good_for_grants_of_its_own_key_as_long_as_they_are_there() {
    let bench = Bench::new();
    let (key, other) = (bench.create_key().await, bench.create_key().await);
    let (id, token) = create(&bench, &key, json!({})).await;
    let (_, second) = create(&bench, &key, json!({})).await;
    let (_, others) = create(&bench, &other, json!({})).await;
    bench.call(0, "Encrypt", encryption(&key, &[&token, &second, &token])).await.unwrap();
    assert_eq!(
        refusal(bench.call(0, "Encrypt", encryption(&key, &[&token, &others])).await),
        (
            "InvalidGrantTokenException".into(),
            "A grant token in the request does not belong to any grant on the key.".into()
        )
    );
    bench.call(0, "RevokeGrant", json!({"KeyId": key, "GrantId": id})).await.unwrap();
    assert!(!passes(&bench, &key, &token).await);
    assert!(passes(&bench, &key, &second).await);
    // A token is no credential: it opens nobody else's key.
    let body = encryption(&arn(&key), &[&second]);
    assert_eq!(code(bench.call_as(OTHER_ACCOUNT, 0, "Encrypt", body).await), "AccessDeniedException");
}

#[tokio::test]
async fn every_operation_that_takes_tokens_looks_at_them() {
    let bench = Bench::new();
    let symmetric = bench.create_key().await;
    let signer = create_key(&bench, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let agreer = create_key(&bench, "ECC_NIST_P256", "KEY_AGREEMENT").await;
    let authenticator = create_key(&bench, "HMAC_256", "GENERATE_VERIFY_MAC").await;
    let encapsulator = create_key(&bench, "ML_KEM_512", "ENCAPSULATE_DECAPSULATE").await;
    let blob = bench.encrypt(0, &symmetric).await;
    let public = bench.call(0, "GetPublicKey", json!({"KeyId": agreer})).await.unwrap()["PublicKey"].clone();
    let signed = json!({"KeyId": signer, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"});
    let signature = bench.call(0, "Sign", signed.clone()).await.unwrap()["Signature"].clone();
    let maced = json!({"KeyId": authenticator, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"});
    let mac = bench.call(0, "GenerateMac", maced.clone()).await.unwrap()["Mac"].clone();
    let encapsulated = json!({"KeyId": encapsulator, "EncapsulationAlgorithm": "ML_KEM"});
    let shared = bench.call(0, "Encapsulate", encapsulated.clone()).await.unwrap();
    let with = |body: &Value, member: &str, value: &Value| {
        let mut body = body.clone();
        body[member] = value.clone();
        body
    };
    let calls = [
        ("CreateGrant", terms(&symmetric, json!({}))),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        (
            "Decapsulate",
            with(&encapsulated, "SharedSecretCiphertextBlob", &shared["SharedSecretCiphertextBlob"]),
        ),
        (
            "DeriveSharedSecret",
            json!({"KeyId": agreer, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public}),
        ),
        ("Encapsulate", encapsulated),
        ("Encrypt", json!({"KeyId": symmetric, "Plaintext": "AA=="})),
        ("GenerateDataKey", json!({"KeyId": symmetric, "KeySpec": "AES_256"})),
        ("GenerateDataKeyPair", json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"})),
        ("GenerateDataKeyPairWithoutPlaintext", json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"})),
        ("GenerateDataKeyWithoutPlaintext", json!({"KeyId": symmetric, "KeySpec": "AES_256"})),
        ("GenerateMac", maced.clone()),
        ("GetPublicKey", json!({"KeyId": signer})),
        ("ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": symmetric})),
        ("Sign", signed.clone()),
        ("Verify", with(&signed, "Signature", &signature)),
        ("VerifyMac", with(&maced, "Mac", &mac)),
    ];
    for (operation, body) in calls {
        let key = body.get("KeyId").map_or(symmetric.as_str(), |key| key.as_str().unwrap());
        let only_describe = json!({"Operations": ["DescribeKey"]});
        let (_, token) = create(&bench, key, only_describe).await;
        let answer = bench.call(0, operation, with(&body, "GrantTokens", &json!([token]))).await;
        assert!(answer.is_ok(), "{operation}: {answer:?}");
        let answer = bench.call(0, operation, with(&body, "GrantTokens", &json!([token, "no token"]))).await;
        assert_eq!(code(answer), "InvalidGrantTokenException", "{operation}");
        bench.call(0, operation, with(&body, "GrantTokens", &json!([]))).await.unwrap();
    }
    // Its model has no error for them.
    bench.call(0, "DescribeKey", json!({"KeyId": symmetric, "GrantTokens": ["no token"]})).await.unwrap();
    for body in [
        json!({"KeyId": symmetric, "CiphertextBlob": blob}),
        json!({"KeyId": symmetric, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
    ] {
        let body = with(&with(&body, "GrantTokens", &json!(["no token"])), "DryRun", &json!(true));
        assert_eq!(code(bench.call(0, "Decrypt", body).await), "InvalidGrantTokenException");
    }
}

#[tokio::test]
async fn a_token_of_either_key_serves_a_reencryption() {
    let bench = Bench::new();
    let (from, to, third) = (bench.create_key().await, bench.create_key().await, bench.create_key().await);
    let blob = bench.encrypt(0, &from).await;
    for (key, good) in [(&from, true), (&to, true), (&third, false)] {
        let (_, token) = create(&bench, key, json!({})).await;
        let body = json!({"CiphertextBlob": blob, "DestinationKeyId": to, "GrantTokens": [token]});
        let answer = bench.call(0, "ReEncrypt", body).await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
        let modifier = json!({
            "SourceKeyId": from, "DestinationKeyId": to, "GrantTokens": [token],
            "DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"],
        });
        let expected = if good { "DryRunOperationException" } else { "InvalidGrantTokenException" };
        assert_eq!(code(bench.call(0, "ReEncrypt", modifier).await), expected);
    }
}

#[tokio::test]
async fn a_changed_token_is_refused_wherever_it_was_changed() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let (_, token) = create(&bench, &key, json!({})).await;
    for at in 0..token.len() {
        let mut characters: Vec<char> = token.chars().collect();
        characters[at] = if characters[at] == 'A' { 'Q' } else { 'A' };
        let changed: String = characters.iter().collect();
        assert!(!passes(&bench, &key, &changed).await, "character {at}");
        let cut: String = token.chars().take(at.max(1)).collect();
        assert!(!passes(&bench, &key, &cut).await, "cut to {at}");
    }
    assert!(!passes(&bench, &key, &format!("{token}A")).await);
    assert!(!passes(&bench, &key, &format!("{token}=")).await);
    assert!(passes(&bench, &key, &token).await);
}

#[test]
fn no_invented_token_is_taken() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (bench, key) = runtime.block_on(async {
        let bench = Bench::new();
        let key = bench.create_key().await;
        create(&bench, &key, json!({})).await;
        (bench, key)
    });
    let config = ProptestConfig::with_cases(64);
    proptest!(config, |(token in "(AQAAAAEB)?([A-Za-z0-9_-]{0,300}|\\PC{1,40})")| {
        prop_assume!(!token.is_empty());
        prop_assert!(!runtime.block_on(passes(&bench, &key, &token)));
        let retire = bench.call(0, "RetireGrant", json!({"GrantToken": token}));
        prop_assert_eq!(code(runtime.block_on(retire)), "InvalidGrantTokenException");
    });
}
