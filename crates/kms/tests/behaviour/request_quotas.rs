//! Request quotas, once the operator has switched them on.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html> and `throttling.html`.

use crate::bench::{Answer, Bench, OTHER_ACCOUNT, arn, code, refusal};
use kms::{RequestRates, Settings};
use serde_json::{Value, json};

fn bench_with(rates: &[(&str, u64)]) -> Bench {
    let mut set = RequestRates::default();
    for (name, rate) in rates {
        set.set(name, Some(*rate)).unwrap();
    }
    Bench::with(Settings { request_rates: Some(set), ..Settings::default() })
}

fn is_throttled(answer: Answer) -> bool {
    match answer {
        Err((code, text)) if code == "ThrottlingException" => {
            let expected =
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
            assert_eq!(text.as_deref(), Some(expected));
            true
        }
        Ok(_) | Err(_) => false,
    }
}

/// How many of ten calls at one moment are not throttled.
async fn let_through(bench: &Bench, at: i64, operation: &str, body: &Value) -> usize {
    let mut through = 0;
    for _ in 0..10 {
        if !is_throttled(bench.call(at, operation, body.clone()).await) {
            through += 1;
        }
    }
    through
}

async fn key_of(bench: &Bench, spec: &str, usage: &str) -> String {
    let answer = bench.call(-100, "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await.unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_quotas_nothing_is_throttled() {
    let bench = Bench::new();
    assert_eq!(let_through(&bench, 0, "CreateKey", &json!({})).await, 10);
}

#[tokio::test]
async fn an_operation_has_its_rate_in_each_account_and_again_after_a_second() {
    let bench = bench_with(&[]);
    assert_eq!(let_through(&bench, 0, "CreateKey", &json!({})).await, 5);
    assert!(bench.call_as(OTHER_ACCOUNT, 0, "CreateKey", json!({})).await.is_ok());
    assert_eq!(
        let_through(&bench, 0, "DescribeCustomKeyStores", &json!({})).await,
        5,
        "each quota for itself"
    );
    assert_eq!(let_through(&bench, 1, "CreateKey", &json!({})).await, 5);
    // A request counts, whatever becomes of it.
    assert_eq!(let_through(&bench, 2, "CreateKey", &json!({"KeySpec": "RSA_2048"})).await, 5);
}

#[tokio::test]
async fn cryptographic_operations_share_a_quota_by_the_kind_of_their_key() {
    let bench = bench_with(&[
        ("cryptographic_operations_symmetric", 4),
        ("cryptographic_operations_ecc_and_sm2", 3),
        ("generate_data_key_pair_ecc_nist_p256", 2),
    ]);
    let symmetric = bench.create_key().await;
    let mac = key_of(&bench, "HMAC_256", "GENERATE_VERIFY_MAC").await;
    let signer = key_of(&bench, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let kem = key_of(&bench, "ML_KEM_512", "ENCAPSULATE_DECAPSULATE").await;
    let encrypt = json!({"KeyId": symmetric, "Plaintext": "AA=="});
    let dry = json!({"KeyId": symmetric, "Plaintext": "AA==", "DryRun": true});
    let message = json!({"KeyId": mac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"});
    assert!(bench.call(0, "Encrypt", encrypt.clone()).await.is_ok());
    assert_eq!(code(bench.call(0, "Encrypt", dry.clone()).await), "DryRunOperationException");
    assert!(bench.call(0, "GenerateMac", message.clone()).await.is_ok());
    assert!(bench.call(0, "GenerateRandom", json!({"NumberOfBytes": 1})).await.is_ok());
    for (operation, body) in [
        ("Encrypt", encrypt),
        ("Encrypt", dry),
        ("GenerateMac", message),
        ("GenerateRandom", json!({"NumberOfBytes": 1})),
    ] {
        assert!(is_throttled(bench.call(0, operation, body).await), "{operation}");
    }
    let sign = json!({"KeyId": signer, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(let_through(&bench, 0, "Sign", &sign).await, 3);
    let encapsulate = json!({"KeyId": kem, "EncapsulationAlgorithm": "ML_KEM"});
    assert_eq!(let_through(&bench, 0, "Encapsulate", &encapsulate).await, 10);
    let pair = json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"});
    assert!(bench.call(0, "GenerateDataKeyPairWithoutPlaintext", pair.clone()).await.is_ok());
    assert_eq!(let_through(&bench, 0, "GenerateDataKeyPair", &pair).await, 1, "both share one quota");
    let other = json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P384"});
    assert!(bench.call(0, "GenerateDataKeyPair", other).await.is_ok(), "another spec, another quota");
}

#[tokio::test]
async fn a_ciphertext_that_names_its_key_counts_and_re_encrypt_counts_once() {
    let bench = bench_with(&[("cryptographic_operations_symmetric", 3)]);
    let key = bench.create_key().await;
    let blob = bench.encrypt(-10, &key).await;
    assert_eq!(let_through(&bench, 0, "Decrypt", &json!({"CiphertextBlob": blob})).await, 3);
    let body = json!({"CiphertextBlob": blob, "DestinationKeyId": key});
    assert_eq!(let_through(&bench, 10, "ReEncrypt", &body).await, 3);
    let last = bench.call(10, "GetKeyLastUsage", json!({"KeyId": key})).await.unwrap();
    assert_eq!(last["KeyLastUsage"]["Operation"], "ReEncrypt");
    assert!(is_throttled(bench.call(10, "Encrypt", json!({"KeyId": key, "Plaintext": "AA=="})).await));
    let after = bench.call(10, "GetKeyLastUsage", json!({"KeyId": key})).await.unwrap();
    assert_eq!(after, last, "a throttled request is no use");
}

#[tokio::test]
async fn throttling_does_not_tell_whether_a_foreign_key_exists() {
    let bench = bench_with(&[("cryptographic_operations_symmetric", 1)]);
    let key = bench.create_key().await;
    let missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for _ in 0..3 {
        let mut answers = Vec::new();
        for id in [key.as_str(), missing] {
            let body = json!({"KeyId": arn(id), "Plaintext": "AA=="});
            answers.push(refusal(bench.call_as(OTHER_ACCOUNT, 0, "Encrypt", body).await));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, "AccessDeniedException");
    }
    assert!(bench.call(0, "Encrypt", json!({"KeyId": key, "Plaintext": "AA=="})).await.is_ok());
}
