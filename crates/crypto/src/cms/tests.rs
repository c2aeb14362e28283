use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey};
use base::Randomness;
use proptest::prelude::*;
use std::sync::LazyLock;
use testkit::SeededRandomness;

use super::*;
use crate::{KeyPairSpec, PrivateKey, RsaEncryption};

static SMALL: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyPairSpec::Rsa2048).unwrap());
static LARGE: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyPairSpec::Rsa4096).unwrap());

fn recipient(key: &PrivateKey) -> RecipientKey {
    RecipientKey::from_spki(key.public_key().spki_der()).unwrap()
}

fn enveloped(key: &PrivateKey, secret: &[u8], seed: u64) -> Vec<u8> {
    recipient(key).envelop(&SecretBytes::new(secret.to_vec()), &SeededRandomness::new(seed)).unwrap()
}

/// The first element, its content, and what follows; by X.690, and so without regard to the writer.
fn read(bytes: &[u8]) -> (u8, Vec<u8>, &[u8]) {
    let (tag, first, rest) = (bytes[0], usize::from(bytes[1]), &bytes[2..]);
    match first {
        0..=0x7f => (tag, rest[..first].to_vec(), &rest[first..]),
        0x80 => {
            let mut end = rest;
            while !end.starts_with(&[0, 0]) {
                end = read(end).2;
            }
            (tag, rest[..rest.len() - end.len()].to_vec(), &end[2..])
        }
        _ => {
            let (length, rest) = rest.split_at(first & 0x7f);
            let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (tag, rest[..length].to_vec(), &rest[length..])
        }
    }
}

/// The elements that an element is made of.
fn elements(content: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut rest, mut found) = (content, Vec::new());
    while !rest.is_empty() {
        let (tag, content, after) = read(rest);
        found.push((tag, content));
        rest = after;
    }
    found
}

/// The secret in an envelope, taken out by RFC 5652 sections 6.1 to 6.4.
fn open(key: &PrivateKey, envelope: &[u8]) -> Vec<u8> {
    let (tag, content_info, rest) = read(envelope);
    assert_eq!((tag, rest.len()), (0x30, 0));
    let content_info = elements(&content_info);
    assert_eq!(content_info[0].1, object::ENVELOPED_DATA);
    let enveloped_data = elements(&elements(&content_info[1].1)[0].1);
    assert_eq!(enveloped_data[0].1, [2]);
    let recipients = elements(&enveloped_data[1].1);
    assert_eq!((enveloped_data[1].0, recipients.len()), (0x31, 1));
    let recipient = elements(&recipients[0].1);
    assert_eq!((recipient[0].1.as_slice(), recipient[1].0), (&[2][..], 0x80));
    assert_eq!(recipient[1].1, sha256(key.public_key().spki_der()));
    let content_key = key.decrypt(RsaEncryption::OaepSha256, &recipient[3].1).unwrap();
    let encrypted = elements(&enveloped_data[2].1);
    assert_eq!(encrypted[0].1, object::DATA);
    let algorithm = elements(&encrypted[1].1);
    assert_eq!(algorithm[0].1, object::AES_256_CBC);
    let mut content = elements(&encrypted[2].1)[0].1.clone();
    let unbound = UnboundCipherKey::new(&AES_256, content_key.expose()).unwrap();
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(unbound).unwrap();
    let iv = DecryptionContext::Iv128(algorithm[1].1.as_slice().try_into().unwrap());
    cipher.decrypt(&mut content, iv).unwrap().to_vec()
}

/// An answer of AWS KMS, as the tests of the AWS Nitro Enclaves SDK for C show it, has these bytes around what differs
/// from one answer to the next; that SDK reads nothing else.
#[test]
fn the_form_is_that_of_aws_kms() {
    let written = content_info(&[0x11; 32], &[0x22; 256], &[0x33; 16], &[0x44; 48]);
    let head = "308006092a864886f70d010703a080308002010231\
                82016b308201670201028020";
    let algorithm = "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108\
                     300d0609608648016503040201050004820100";
    let content = "308006092a864886f70d010701301d060960864801650304012a0410";
    let expected = [
        bytes(head),
        vec![0x11; 32],
        bytes(algorithm),
        vec![0x22; 256],
        bytes(content),
        vec![0x33; 16],
        bytes("a0800430"),
        vec![0x44; 48],
        vec![0; 10],
    ];
    assert_eq!(written, expected.concat());
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let (pairs, _) = hexadecimal.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_longest_secret_fits_the_answer() {
    let secret = vec![7; 4_096];
    let envelope = enveloped(&LARGE, &secret, 1);
    assert!(envelope.len() <= secret.len() + 790, "{}", envelope.len());
    assert!(envelope.len() <= 6_144);
    assert_eq!(open(&LARGE, &envelope), secret);
}

#[test]
fn two_envelopes_of_one_secret_share_nothing() {
    let randomness = SeededRandomness::new(5);
    let secret = SecretBytes::new(vec![1; 32]);
    let (first, second) = (
        recipient(&SMALL).envelop(&secret, &randomness).unwrap(),
        recipient(&SMALL).envelop(&secret, &randomness).unwrap(),
    );
    assert_ne!(first, second);
    assert_ne!(first[first.len() - 42..first.len() - 10], second[second.len() - 42..second.len() - 10]);
    assert!(!first.windows(32).any(|window| window == secret.expose()));
}

#[test]
fn without_randomness_nothing_is_written() {
    struct Empty;
    impl Randomness for Empty {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomnessUnavailable> {
            Err(RandomnessUnavailable)
        }
    }
    let failed = recipient(&SMALL).envelop(&SecretBytes::new(vec![1]), &Empty);
    assert_eq!(failed.err(), Some(EnvelopeError::Randomness(RandomnessUnavailable)));
}

#[test]
fn only_rsa_keys_of_2048_to_4096_bits_are_recipients() {
    for key in [&*SMALL, &*LARGE] {
        assert!(RecipientKey::from_spki(key.public_key().spki_der()).is_ok());
    }
    let curve = PrivateKey::generate(KeyPairSpec::EccNistP256).unwrap();
    let good = SMALL.public_key().spki_der();
    let longer = [good, &[0]].concat();
    for other in [&[][..], b"key", curve.public_key().spki_der(), &longer, &good[..good.len() - 1]] {
        assert_eq!(RecipientKey::from_spki(other).err(), Some(NotARecipientKey));
    }
    for modulus_bytes in [128, 255, 513, 1_024] {
        assert!(RecipientKey::from_spki(&rsa_spki(modulus_bytes)).is_err(), "{modulus_bytes}");
    }
    assert!(RecipientKey::from_spki(&rsa_spki(512)).is_ok());
}

/// The SubjectPublicKeyInfo of a key with an odd modulus of this length that nobody knows the factors of.
fn rsa_spki(modulus_bytes: usize) -> Vec<u8> {
    use ber::{element, tag};
    let modulus = [vec![0, 0xc5], vec![0x5b; modulus_bytes - 1]].concat();
    let key =
        element(tag::SEQUENCE, &[&element(tag::INTEGER, &[&modulus]), &element(tag::INTEGER, &[&[1, 0, 1]])]);
    let algorithm = element(
        tag::SEQUENCE,
        &[&element(tag::OBJECT, &[&bytes("2a864886f70d010101")]), &element(tag::NULL, &[])],
    );
    element(tag::SEQUENCE, &[&algorithm, &element(0x03, &[&[0], &key])])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_goes_in_comes_out(secret in prop::collection::vec(any::<u8>(), 0..300), seed: u64) {
        prop_assert_eq!(open(&SMALL, &enveloped(&SMALL, &secret, seed)), secret);
    }

    #[test]
    fn no_key_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), at in 0_usize..294, byte: u8) {
        let _ = RecipientKey::from_spki(&bytes);
        let mut spki = SMALL.public_key().spki_der().to_vec();
        spki[at] = byte;
        let _ = RecipientKey::from_spki(&spki);
    }
}
