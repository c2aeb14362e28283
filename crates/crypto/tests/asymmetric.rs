//! Key pairs against `corpus/asymmetric/`: what this project and OpenSSL wrote, every release reads.
#![expect(clippy::unwrap_used, reason = "a test")]

use base::SecretBytes;
use crypto::{KeyPairSpec, Message, PrivateKey, RsaEncryption, SigningAlgorithm, VerifyError};
use serde::{Deserialize, Serialize};
use testkit::{corpus_path, read_corpus};

const OURS: &str = "asymmetric/written-here.json";
const THEIRS: &str = "asymmetric/written-elsewhere.json";

#[derive(Serialize, Deserialize)]
struct Pair {
    spec: String,
    private: String,
    public: String,
    signatures: Vec<Signature>,
    ciphertexts: Vec<Encrypted>,
    agreements: Vec<Agreement>,
    encapsulations: Vec<Encapsulation>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    algorithm: String,
    kind: String,
    message: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct Encrypted {
    algorithm: String,
    plaintext: String,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Agreement {
    peer: String,
    secret: String,
}

#[derive(Serialize, Deserialize)]
struct Encapsulation {
    secret: String,
    ciphertext: String,
}

impl Pair {
    fn key(&self) -> PrivateKey {
        let key =
            PrivateKey::from_stored(self.spec.parse().unwrap(), &SecretBytes::new(bytes(&self.private)))
                .unwrap();
        assert_eq!(hexadecimal(key.public_key().spki_der()), self.public, "{}", self.spec);
        key
    }
}

#[test]
fn both_files_hold_every_spec_that_their_writers_have() {
    let count = |file: &str| read_corpus::<Vec<Pair>>(file).unwrap().len();
    assert_eq!((count(OURS), count(THEIRS)), (12, 11));
}

#[test]
fn every_signature_verifies_and_no_changed_one_does() {
    for pair in pairs() {
        let key = pair.key();
        for case in &pair.signatures {
            let algorithm: SigningAlgorithm = case.algorithm.parse().unwrap();
            let (text, mut signature) = (bytes(&case.message), bytes(&case.signature));
            let verify = |text: &[u8], signature: &[u8]| {
                key.public_key().verify(algorithm, message(&case.kind, text), signature)
            };
            let about = format!("{} {algorithm} {}", pair.spec, case.kind);
            assert_eq!(verify(&text, &signature), Ok(()), "{about}");
            let other: Vec<u8> = text.iter().map(|byte| byte ^ 1).collect();
            assert_eq!(verify(&other, &signature), Err(VerifyError::InvalidSignature), "{about}");
            *signature.last_mut().unwrap() ^= 1;
            assert_eq!(verify(&text, &signature), Err(VerifyError::InvalidSignature), "{about}");
        }
    }
}

#[test]
fn every_ciphertext_decrypts() {
    for pair in pairs() {
        for case in &pair.ciphertexts {
            let decrypted =
                pair.key().decrypt(case.algorithm.parse().unwrap(), &bytes(&case.ciphertext)).unwrap();
            assert_eq!(hexadecimal(decrypted.expose()), case.plaintext);
        }
    }
}

#[test]
fn every_agreement_gives_its_secret() {
    for pair in pairs() {
        for case in &pair.agreements {
            let secret = pair.key().derive_shared_secret(&bytes(&case.peer)).unwrap();
            assert_eq!(hexadecimal(secret.expose()), case.secret);
        }
    }
}

#[test]
fn every_encapsulation_gives_its_secret() {
    for pair in pairs() {
        for case in &pair.encapsulations {
            let secret = pair.key().decapsulate(&bytes(&case.ciphertext)).unwrap();
            assert_eq!(hexadecimal(secret.expose()), case.secret);
        }
    }
}

#[test]
#[ignore = "writes corpus/asymmetric/written-here.json, when a spec or algorithm is new"]
fn write_the_corpus() {
    let specs = KeyPairSpec::ALL.iter().filter(|spec| !["RSA_3072", "RSA_4096"].contains(&spec.as_str()));
    let pairs: Vec<Pair> = specs.map(|spec| write_pair(*spec)).collect();
    let text = serde_json::to_string_pretty(&pairs).unwrap();
    std::fs::write(corpus_path(OURS), text + "\n").unwrap();
}

fn write_pair(spec: KeyPairSpec) -> Pair {
    let key = PrivateKey::generate(spec).unwrap();
    let mut signatures = vec![];
    for algorithm in spec.signing_algorithms() {
        for (kind, length) in
            [("raw", 22), ("digest", 32), ("digest", 48), ("digest", 64), ("external_mu", 64)]
        {
            let text: Vec<u8> = (0..length).collect();
            if let Ok(signature) = key.sign(*algorithm, message(kind, &text)) {
                let (message, signature) = (hexadecimal(&text), hexadecimal(&signature));
                signatures.push(Signature {
                    algorithm: algorithm.to_string(),
                    kind: kind.into(),
                    message,
                    signature,
                });
            }
        }
    }
    let encrypt = |algorithm: &RsaEncryption| Encrypted {
        algorithm: algorithm.to_string(),
        plaintext: hexadecimal(b"made here"),
        ciphertext: hexadecimal(&key.public_key().encrypt(*algorithm, b"made here").unwrap()),
    };
    let agree = || {
        let peer = PrivateKey::generate(spec).unwrap();
        let peer = peer.public_key().spki_der();
        let secret = key.derive_shared_secret(peer).unwrap();
        Agreement { peer: hexadecimal(peer), secret: hexadecimal(secret.expose()) }
    };
    let encapsulation = key.public_key().encapsulate().ok();
    Pair {
        spec: spec.to_string(),
        private: hexadecimal(key.pkcs8().unwrap().expose()),
        public: hexadecimal(key.public_key().spki_der()),
        signatures,
        ciphertexts: spec.encryption_algorithms().iter().map(encrypt).collect(),
        agreements: spec.agrees().then(agree).into_iter().collect(),
        encapsulations: encapsulation
            .map(|(secret, ciphertext)| Encapsulation {
                secret: hexadecimal(secret.expose()),
                ciphertext: hexadecimal(&ciphertext),
            })
            .into_iter()
            .collect(),
    }
}

fn pairs() -> Vec<Pair> {
    [OURS, THEIRS].into_iter().flat_map(|file| read_corpus::<Vec<Pair>>(file).unwrap()).collect()
}

fn message<'a>(kind: &str, text: &'a [u8]) -> Message<'a> {
    match kind {
        "raw" => Message::Raw(text),
        "digest" => Message::Digest(text),
        kind => {
            assert_eq!(kind, "external_mu");
            Message::ExternalMu(text)
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let (pairs, rest) = hexadecimal.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
