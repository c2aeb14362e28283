//! Private keys in PKCS#8, public keys of peers in SPKI, signatures, and wrapped key material: the DER of others.
//!
//! The first byte chooses a key pair of the corpus, and with that a key spec.

use std::sync::LazyLock;

use base::SecretBytes;
use crypto::{KeyPairSpec, Message, PrivateKey, WrappingAlgorithm};
use serde_json::Value;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target {
    name: "key_encoding",
    run,
    seeds,
    words: &[
        "\x30\x0d",
        "\x06\x07\x2a",
        "\x02\x01\x00",
        "\x03\x42\x00\x04",
        "\x05\x00",
        "\x04\x20",
        "\x30\x14\x06\x07",
    ],
};

struct Pair {
    spec: KeyPairSpec,
    private: Vec<u8>,
    key: PrivateKey,
    given: Value,
}

static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let files = ["asymmetric/written-here.json", "asymmetric/written-elsewhere.json"];
    let pairs = files.iter().flat_map(|file| corpus::json(file).as_array().unwrap().clone());
    let read = |given: Value| {
        let spec: KeyPairSpec = given["spec"].as_str().unwrap().parse().unwrap();
        let private = corpus::bytes(given["private"].as_str().unwrap());
        let key = PrivateKey::from_stored(spec, &SecretBytes::new(private.clone())).unwrap();
        Pair { spec, private, key, given }
    };
    // Operations with larger RSA keys take long and read nothing else.
    pairs.map(read).filter(|pair| !["RSA_3072", "RSA_4096"].contains(&pair.spec.as_str())).collect()
});

fn run(input: &[u8]) {
    let Some((chosen, bytes)) = input.split_first() else { return };
    let pair = &PAIRS[usize::from(*chosen) % PAIRS.len()];
    reads_private_key(pair, bytes);
    believes_no_signature(pair, bytes);
    if pair.spec.agrees() {
        let _ = pair.key.derive_shared_secret(bytes);
    }
    if pair.spec.encapsulates() {
        let _ = pair.key.decapsulate(bytes);
    }
    for algorithm in pair.spec.encryption_algorithms() {
        let _ = pair.key.decrypt(*algorithm, bytes);
    }
    unwraps(pair, bytes);
}

fn reads_private_key(pair: &Pair, bytes: &[u8]) {
    let Ok(read) = PrivateKey::from_stored(pair.spec, &SecretBytes::new(bytes.to_vec())) else {
        assert_ne!(bytes, pair.private, "a key of the corpus is refused");
        return;
    };
    assert_eq!(read.spec(), pair.spec);
    let again =
        PrivateKey::from_stored(pair.spec, read.expose_for_sealing()).expect("what is kept is read again");
    assert_eq!(again.public_key().spki_der(), read.public_key().spki_der());
    let _ = read.pkcs8();
}

fn believes_no_signature(pair: &Pair, bytes: &[u8]) {
    let known = pair.given["signatures"].as_array().unwrap();
    for algorithm in pair.spec.signing_algorithms() {
        let message = Message::Raw(b"a message that was never signed");
        let verified = pair.key.public_key().verify(*algorithm, message, bytes);
        assert!(verified.is_err(), "a signature is believed that nobody made: {algorithm}");
    }
    assert!(known.len() >= pair.spec.signing_algorithms().len().min(1));
}

fn unwraps(pair: &Pair, bytes: &[u8]) {
    if pair.spec.as_str() != "RSA_2048" {
        return;
    }
    for algorithm in [WrappingAlgorithm::RsaesOaepSha256, WrappingAlgorithm::RsaAesKeyWrapSha256] {
        let _ = algorithm.unwrap_material(&pair.key, bytes);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (chosen, pair) in PAIRS.iter().enumerate() {
        let mut seed = |bytes: &[u8]| found.push([&[u8::try_from(chosen).unwrap()], bytes].concat());
        seed(&pair.private);
        seed(pair.key.public_key().spki_der());
        for (list, member) in [
            ("signatures", "signature"),
            ("ciphertexts", "ciphertext"),
            ("agreements", "peer"),
            ("encapsulations", "ciphertext"),
        ] {
            for case in pair.given[list].as_array().unwrap() {
                seed(&corpus::bytes(case[member].as_str().unwrap()));
            }
        }
    }
    found
}
