//! Limits that the operator may change, and that nothing else changes with them.

use crate::bench::{Bench, DAY, refusal};
use base64_simd::STANDARD;
use kms::Settings;
use serde_json::{Value, json};

fn too_long(path: &str, maximum: usize) -> (String, String) {
    let text = format!(
        "1 validation error detected: Value at '{path}' failed to satisfy constraint: \
         Member must have length less than or equal to {maximum}"
    );
    ("ValidationException".to_owned(), text)
}

async fn encrypt(bench: &Bench, key: &str, bytes: usize) -> Result<Value, (String, Option<String>)> {
    let text = STANDARD.encode_to_string(vec![7; bytes]);
    bench.call(0, "Encrypt", json!({"KeyId": key, "Plaintext": text})).await
}

#[tokio::test]
async fn by_default_encrypt_takes_what_aws_takes() {
    let bench = Bench::new();
    let key = bench.create_key().await;
    let sealed = encrypt(&bench, &key, 4_096).await.unwrap();
    assert!(bench.call(0, "Decrypt", json!({"CiphertextBlob": sealed["CiphertextBlob"]})).await.is_ok());
    assert_eq!(refusal(encrypt(&bench, &key, 4_097).await), too_long("plaintext", 4_096));
    let blob = STANDARD.encode_to_string(vec![1; 6_145]);
    let decrypt = bench.call(0, "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(refusal(decrypt), too_long("ciphertextBlob", 6_144));
}

#[tokio::test]
async fn a_raised_limit_holds_for_encrypt_decrypt_and_re_encrypt() {
    for maximum in [4_097, 1 << 20] {
        let bench = Bench::with(Settings { encrypt_plaintext_max: maximum, ..Settings::default() });
        let (key, other) = (bench.create_key().await, bench.create_key().await);
        let sealed = encrypt(&bench, &key, maximum).await.unwrap();
        let body = json!({"CiphertextBlob": sealed["CiphertextBlob"], "DestinationKeyId": other});
        let again = bench.call(0, "ReEncrypt", body).await.unwrap();
        let opened =
            bench.call(0, "Decrypt", json!({"CiphertextBlob": again["CiphertextBlob"]})).await.unwrap();
        assert_eq!(opened["Plaintext"], STANDARD.encode_to_string(vec![7; maximum]));
        assert_eq!(refusal(encrypt(&bench, &key, maximum + 1).await), too_long("plaintext", maximum));
        let longer = STANDARD.encode_to_string(vec![1; 7_000.max(maximum + 105)]);
        let refused = bench.call(0, "Decrypt", json!({"CiphertextBlob": longer})).await;
        assert_eq!(refusal(refused), too_long("ciphertextBlob", 6_144.max(maximum + 104)));
    }
}

#[tokio::test]
async fn a_raised_limit_leaves_other_operations_and_keys_as_they_are() {
    let bench = Bench::with(Settings { encrypt_plaintext_max: 1 << 20, ..Settings::default() });
    let message = STANDARD.encode_to_string(vec![0; 4_097]);
    let sign = json!({"KeyId": "x", "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(refusal(bench.call(0, "Sign", sign).await), too_long("message", 4_096));
    let rsa = json!({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"});
    let key = bench.call(0, "CreateKey", rsa).await.unwrap()["KeyMetadata"]["KeyId"].clone();
    let body = json!({"KeyId": key, "Plaintext": message, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
    let text =
        "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.";
    assert_eq!(refusal(bench.call(0, "Encrypt", body).await), ("ValidationException".into(), text.into()));
}

#[tokio::test]
async fn the_deletion_window_is_the_operators_unless_the_request_says_another() {
    for (settings, days) in
        [(Settings::default(), 30), (Settings { deletion_window_days: 9, ..Settings::default() }, 9)]
    {
        let bench = Bench::with(settings);
        let (one, two) = (bench.create_key().await, bench.create_key().await);
        let scheduled = bench.call(0, "ScheduleKeyDeletion", json!({"KeyId": one})).await.unwrap();
        assert_eq!(scheduled["PendingWindowInDays"], days);
        assert_eq!(scheduled["DeletionDate"], 1_700_000_000 + days * DAY);
        let asked = json!({"KeyId": two, "PendingWindowInDays": 21});
        assert_eq!(bench.call(0, "ScheduleKeyDeletion", asked).await.unwrap()["PendingWindowInDays"], 21);
    }
}
