//! What is asked: pools of distinct requests.

use anyhow::{Context as _, Result};
use base64_simd::STANDARD;
use serde_json::{Value, json};

use crate::keywright::Keywright;
use crate::prepared::{Prepared, Signer};

/// Requests of a pool: so many that none comes twice within a good part of a second.
pub(crate) const POOL: usize = 20_000;
/// Ciphertexts that Decrypt is asked for.
const CIPHERTEXTS: usize = 200;

/// So many requests; `body` tells the body of each by its number.
pub(crate) fn pool(
    signer: &Signer,
    operation: &str,
    count: usize,
    body: impl Fn(usize) -> String,
) -> Result<Vec<Prepared>> {
    (0..count).map(|number| signer.kms(operation, &body(number), number)).collect()
}

/// Encrypt of 32 bytes that are other ones each time, with one pair of context, under one key of these in turn.
pub(crate) fn encrypt(signer: &Signer, keys: &[String], count: usize) -> Result<Vec<Prepared>> {
    pool(signer, "Encrypt", count, |number| {
        let plaintext = STANDARD.encode_to_string(format!("{number:032}"));
        let key = keys.get(number % keys.len().max(1)).map_or("", String::as_str);
        json!({"EncryptionContext": {"purpose": "benchmark"}, "KeyId": key, "Plaintext": plaintext})
            .to_string()
    })
}

/// GenerateDataKey under the key.
pub(crate) fn generate_data_key(signer: &Signer, key: &str, count: usize) -> Result<Vec<Prepared>> {
    pool(signer, "GenerateDataKey", count, |_| {
        json!({"EncryptionContext": {"purpose": "benchmark"}, "KeyId": key, "KeySpec": "AES_256"}).to_string()
    })
}

/// Decrypt of what the user has encrypted before.
pub(crate) async fn decrypt(
    keywright: &Keywright,
    signer: &Signer,
    key: &str,
    count: usize,
) -> Result<Vec<Prepared>> {
    let mut ciphertexts = Vec::new();
    for number in 0..CIPHERTEXTS {
        let body = json!({
            "EncryptionContext": {"purpose": "benchmark"},
            "KeyId": key,
            "Plaintext": STANDARD.encode_to_string(format!("{number:032}")),
        });
        let answer = keywright.call(signer, "Encrypt", &body).await?;
        let blob = answer.get("CiphertextBlob").and_then(Value::as_str).context("no ciphertext")?;
        ciphertexts.push(blob.to_owned());
    }
    pool(signer, "Decrypt", count, |number| {
        let blob = ciphertexts.get(number % CIPHERTEXTS).map_or("", String::as_str);
        json!({"CiphertextBlob": blob, "EncryptionContext": {"purpose": "benchmark"}, "KeyId": key})
            .to_string()
    })
}
