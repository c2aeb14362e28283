//! Signatures: what the service adds to the bare primitive, and what a pair that is generated meanwhile does to others.

use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256K1_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64_simd::STANDARD;
use crypto::{KeyPairSpec, Message, PrivateKey, SigningAlgorithm};
use serde_json::json;

use super::Bench;
use crate::keywright::Record;
use crate::process;
use crate::report::Row;
use crate::rounds::{cpu, latency, micros};
use crate::sample::{Sample, Shape, take};
use crate::workload;

/// Key specs, with the algorithm that is measured.
const SPECS: [(KeyPairSpec, SigningAlgorithm); 5] = [
    (KeyPairSpec::Rsa2048, SigningAlgorithm::RsassaPssSha256),
    (KeyPairSpec::EccNistP256, SigningAlgorithm::EcdsaSha256),
    (KeyPairSpec::EccNistP384, SigningAlgorithm::EcdsaSha384),
    (KeyPairSpec::EccNistEdwards25519, SigningAlgorithm::Ed25519Sha512),
    (KeyPairSpec::MlDsa65, SigningAlgorithm::MlDsaShake256),
];
const CONNECTIONS: usize = 8;
const MESSAGE: &[u8] = b"a message that is signed again and again";
/// How long a primitive is measured.
const PRIMITIVE: Duration = Duration::from_millis(300);

/// What the service spends on a Sign above what the signature costs.
pub(super) async fn above_the_primitive(bench: &mut Bench) -> Result<()> {
    let keywright = bench.keywright("signing", Record::Interval, false)?;
    let user = keywright.user("app").await?;
    for (spec, algorithm) in SPECS {
        let own = PrivateKey::generate(spec)?;
        let key = keywright.create_key(&json!({"KeySpec": spec.as_str(), "KeyUsage": "SIGN_VERIFY"})).await?;
        let requests = workload::pool(&user, "Sign", workload::POOL, |_| {
            let message = STANDARD.encode_to_string(MESSAGE);
            json!({"KeyId": key, "Message": message, "SigningAlgorithm": algorithm.as_str()}).to_string()
        })?;
        let load = [keywright.server.under(&requests, Shape::Http1(CONNECTIONS), bench.rounds.duration)];
        let mut above = Vec::new();
        for _ in 0..bench.rounds.count {
            let bare = time_of(|| own.sign(algorithm, Message::Raw(MESSAGE)).is_ok())?;
            let outcome = bench.rounds.once(&format!("Sign {}", spec.as_str()), &load).await?;
            above.extend(outcome.of(0, cpu).iter().map(|spent| spent - bare));
        }
        bench.rows.push(Row::new(
            format!("sign_above_primitive_{}", spec.as_str().to_lowercase()),
            "us",
            format!("Sign with {}: the server's time above that of the signature itself", spec.as_str()),
            "15 (10)",
            &above,
        ));
    }
    Ok(())
}

/// secp256k1 by the library that is used for it, and by the one that is used for all else.
pub(super) fn secp256k1(bench: &mut Bench) -> Result<()> {
    let own = PrivateKey::generate(KeyPairSpec::EccSecgP256k1)?;
    let other = EcdsaKeyPair::generate(&ECDSA_P256K1_SHA256_ASN1_SIGNING).ok().context("no key pair")?;
    let random = SystemRandom::new();
    let mut ratios = Vec::new();
    for _ in 0..bench.rounds.count {
        let ours = time_of(|| own.sign(SigningAlgorithm::EcdsaSha256, Message::Raw(MESSAGE)).is_ok())?;
        let theirs = time_of(|| other.sign(&random, MESSAGE).is_ok())?;
        ratios.push(theirs / ours);
    }
    bench.rows.push(Row::new(
        "secp256k1_sign_to_aws_lc",
        "ratio",
        "a signature on secp256k1: rate to that of aws-lc-rs",
        "3 (6)",
        &ratios,
    ));
    Ok(())
}

/// What Encrypt waits for while RSA pairs are generated without a pause.
pub(super) async fn while_generating(bench: &mut Bench) -> Result<()> {
    let keywright = bench.keywright("generating", Record::Interval, false)?;
    let user = keywright.user("app").await?;
    let key = keywright.create_key(&json!({})).await?;
    let encrypt = workload::encrypt(&user, std::slice::from_ref(&key), workload::POOL)?;
    let pair = json!({"KeyId": key, "KeyPairSpec": "RSA_4096"}).to_string();
    let generate = workload::pool(&user, "GenerateDataKeyPairWithoutPlaintext", 1_000, |_| pair.clone())?;
    let duration = bench.rounds.duration;
    let foreground = keywright.server.under(&encrypt, Shape::Http1(CONNECTIONS), duration);
    let background = keywright.server.under(&generate, Shape::Http1(2), duration + Duration::from_secs(1));
    let mut ratios = Vec::new();
    for _ in 0..bench.rounds.count {
        let alone = take(&foreground).await?;
        let disturbed = std::thread::scope(|scope| -> Result<Sample> {
            let generating = scope.spawn(|| alone_in_thread(take(&background)));
            let disturbed = scope.spawn(|| alone_in_thread(take(&foreground)));
            let _ = generating.join();
            disturbed.join().ok().context("the measurement panicked")?
        })?;
        ratios.push(latency(0.99)(&disturbed) / latency(0.99)(&alone));
    }
    bench.rows.push(Row::new(
        "encrypt_p99_while_generating",
        "ratio",
        "Encrypt, 8 connections: p99 while two clients have RSA-4096 pairs generated, to p99 without",
        "3 (2)",
        &ratios,
    ));
    Ok(())
}

fn alone_in_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// This process's time for one run of `work`, in microseconds.
fn time_of(mut work: impl FnMut() -> bool) -> Result<f64> {
    let own = std::process::id();
    let (started, before, mut count) = (std::time::Instant::now(), process::cpu_of(own)?, 0_u32);
    while started.elapsed() < PRIMITIVE {
        anyhow::ensure!(work(), "the primitive failed");
        count += 1;
    }
    Ok(micros(process::cpu_of(own)?.saturating_sub(before)) / f64::from(count))
}
