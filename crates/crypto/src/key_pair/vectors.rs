//! Key pairs against published vectors.

mod agreement;
mod ecc;
mod ml_dsa;
mod ml_kem;
mod rsa;

use aws_lc_rs::digest;
use base::SecretBytes;

use super::{KeyPairSpec, Message, PublicKey, SigningAlgorithm};
use crate::cms::ber::{element, tag};
use crate::vectors::Tally;

/// One signature, over the message and, where the algorithm takes it, over the digest: there is one answer for both.
fn check_signature(
    tally: &mut Tally,
    key: &PublicKey,
    algorithm: SigningAlgorithm,
    (message, signature): (&[u8], &[u8]),
    expected: bool,
    about: &str,
) {
    let about = format!("{} {algorithm}: {about}", key.spec());
    let verifies = |signature: &[u8]| key.verify(algorithm, Message::Raw(message), signature).is_ok();
    tally.check(expected, verifies(signature), &about);
    if let ([shorter @ .., _], true) = (signature, expected) {
        assert!(!verifies(shorter), "a byte less: {about}");
        assert!(!verifies(&[signature, &[0]].concat()), "a byte more: {about}");
    }
    if let Some(hash) = hash(algorithm) {
        let digest = digest::digest(hash, message);
        let of_digest = key.verify(algorithm, Message::Digest(digest.as_ref()), signature).is_ok();
        assert_eq!(of_digest, expected, "by digest: {about}");
    }
}

fn hash(algorithm: SigningAlgorithm) -> Option<&'static digest::Algorithm> {
    match algorithm.as_str() {
        "ED25519_SHA_512" | "ED25519_PH_SHA_512" | "ML_DSA_SHAKE_256" => None,
        name if name.ends_with("SHA_256") => Some(&digest::SHA256),
        name if name.ends_with("SHA_384") => Some(&digest::SHA384),
        _ => Some(&digest::SHA512),
    }
}

/// A public key in the DER of the vector, which must be one.
fn public_key(spec: KeyPairSpec, spki_der: &[u8]) -> PublicKey {
    PublicKey::from_document(spec, spki_der.to_vec()).unwrap()
}

fn about(number: usize, comment: &str) -> String {
    format!("case {number}, {comment}")
}

/// A PrivateKeyInfo (RFC 5958, version 0) around a private key in the encoding of its algorithm.
fn private_key_info(algorithm: &[&[u8]], private_key: &[u8]) -> SecretBytes {
    SecretBytes::new(element(
        tag::SEQUENCE,
        &[
            &element(tag::INTEGER, &[&[0]]),
            &element(tag::SEQUENCE, algorithm),
            &element(tag::OCTET_STRING, &[private_key]),
        ],
    ))
}
