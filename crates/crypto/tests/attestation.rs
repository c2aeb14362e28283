//! Attestation documents that another program made: `corpus/attestation/`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use base::SecretBytes;
use crypto::{AttestationRoots, InvalidAttestation, KeyPairSpec, PrivateKey, RsaEncryption};
use serde::Deserialize;
use testkit::{SeededRandomness, read_corpus};

#[derive(Deserialize)]
struct Documents {
    root: String,
    verified_at: String,
    private_key: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    document: String,
    outcome: String,
}

fn bytes(base64: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(base64).unwrap()
}

#[test]
fn documents_get_the_outcome_that_stands_beside_them() {
    let corpus: Documents = read_corpus("attestation/documents.json").unwrap();
    let mut roots = AttestationRoots::default();
    roots.add_pem(corpus.root.as_bytes()).unwrap();
    let key = SecretBytes::new(bytes(&corpus.private_key));
    let key = PrivateKey::from_stored(KeyPairSpec::Rsa2048, &key).unwrap();
    let now = corpus.verified_at.parse().unwrap();
    for Case { name, document, outcome } in &corpus.cases {
        let expected = match outcome.as_str() {
            "verified" => None,
            "malformed" => Some(InvalidAttestation::Malformed),
            "untrusted" => Some(InvalidAttestation::Untrusted),
            "not valid now" => Some(InvalidAttestation::NotValidNow),
            "public key" => Some(InvalidAttestation::PublicKey),
            other => panic!("{name}: {other}"),
        };
        let verified = roots.verify(&bytes(document), now);
        assert_eq!(verified.as_ref().err(), expected.as_ref(), "{name}");
        let Ok(recipient) = verified else { continue };
        let secret = SecretBytes::new(vec![1; 32]);
        let envelope = recipient.key.envelop(&secret, &SeededRandomness::new(1)).unwrap();
        assert_eq!(key.decrypt(RsaEncryption::OaepSha256, encrypted_key(&envelope)).unwrap().len(), 32);
    }
}

/// The 256 bytes of the first OCTET STRING that is as long.
fn encrypted_key(envelope: &[u8]) -> &[u8] {
    let head = [0x04, 0x82, 0x01, 0x00];
    let at = envelope.windows(4).position(|window| window == head).unwrap() + head.len();
    &envelope[at..at + 256]
}
