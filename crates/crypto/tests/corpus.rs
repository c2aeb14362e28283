//! Format 1 against `corpus/ciphertext/v1/`: what one release wrote, every later one reads.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use base::{KeyId, SecretArray, SecretString};
use crypto::root::{RootFile, RootKey};
use crypto::{Binding, Ciphertext, EncryptionContext, KeyMaterial, Sealed, SealingKey};
use serde::Deserialize;
use testkit::{SeededRandomness, read_corpus};

#[derive(Deserialize)]
struct Case {
    name: String,
    account: String,
    key_id: String,
    material: String,
    context: BTreeMap<String, String>,
    ciphertext: String,
    expect: String,
}

#[derive(Deserialize)]
struct OkCase {
    #[serde(flatten)]
    case: Case,
    seed: u64,
    material_id: String,
    plaintext: String,
}

#[derive(Deserialize)]
struct SealCase {
    name: String,
    seed: u64,
    key: String,
    purpose: String,
    parts: Vec<String>,
    secret: String,
    sealed: Sealed,
}

#[derive(Deserialize)]
struct RootCase {
    name: String,
    file: String,
    passphrase: Option<String>,
    root_key: String,
}

impl Case {
    fn key_id(&self) -> KeyId {
        self.key_id.parse().unwrap()
    }

    fn material(&self) -> KeyMaterial {
        KeyMaterial::from_secret(&self.key_id(), secret(&self.material))
    }

    fn context(&self) -> EncryptionContext {
        EncryptionContext::new(self.context.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    /// Decrypts as a service does, which finds account and key by what the blob names.
    fn decrypt(&self, blob: &[u8]) -> Option<Vec<u8>> {
        let ciphertext = Ciphertext::parse(blob).ok()?;
        let is_ours =
            ciphertext.account().to_string() == self.account && ciphertext.key_id() == self.key_id();
        let plaintext = self.material().decrypt(&ciphertext, &self.context()).ok()?;
        is_ours.then(|| plaintext.expose().to_vec())
    }
}

fn ok_cases() -> Vec<OkCase> {
    read_corpus("ciphertext/v1/ok.json").unwrap()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let (pairs, rest) = hexadecimal.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn secret(hexadecimal: &str) -> SecretArray<32> {
    SecretArray::copy_from(&bytes(hexadecimal)).unwrap()
}

#[test]
fn every_ciphertext_decrypts() {
    let cases = ok_cases();
    assert!(cases.len() >= 15);
    for OkCase { case, plaintext, material_id, .. } in &cases {
        assert_eq!(case.expect, "ok");
        let blob = bytes(&case.ciphertext);
        assert_eq!(case.decrypt(&blob), Some(bytes(plaintext)), "{}", case.name);
        assert_eq!(Ciphertext::parse(&blob).unwrap().material_id().to_string(), *material_id);
        assert!(base64_simd::STANDARD.encode_to_string(&blob).starts_with("AQIB"));
    }
}

#[test]
fn the_same_input_is_still_written_as_the_same_bytes() {
    for OkCase { case, seed, plaintext, .. } in &ok_cases() {
        let account = case.account.parse().unwrap();
        let randomness = SeededRandomness::new(*seed);
        let encrypted =
            case.material().encrypt(account, &case.key_id(), &case.context(), &bytes(plaintext), &randomness);
        assert!(encrypted.unwrap() == bytes(&case.ciphertext), "{}", case.name);
    }
}

#[test]
fn every_invalid_case_is_refused() {
    let cases: Vec<Case> = read_corpus("ciphertext/v1/invalid.json").unwrap();
    assert!(cases.len() >= 61);
    for case in &cases {
        assert_eq!(case.expect, "invalid");
        assert_eq!(case.decrypt(&bytes(&case.ciphertext)), None, "{}", case.name);
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    for OkCase { case, .. } in &ok_cases() {
        let blob = bytes(&case.ciphertext);
        let mut changed = blob.clone();
        for at in 0..blob.len() {
            assert_eq!(case.decrypt(blob.get(..at).unwrap()), None, "{} cut to {at}", case.name);
            for bit in 0..8 {
                *changed.get_mut(at).unwrap() ^= 1 << bit;
                assert_eq!(case.decrypt(&changed), None, "{}: bit {bit} of byte {at}", case.name);
                *changed.get_mut(at).unwrap() ^= 1 << bit;
            }
        }
        assert!(case.decrypt(&changed).is_some());
    }
}

#[test]
fn every_seal_opens_and_is_still_written_as_the_same_bytes() {
    let cases: Vec<SealCase> = read_corpus("ciphertext/v1/seal.json").unwrap();
    assert!(cases.len() >= 4);
    for case in &cases {
        let key = SealingKey::from_secret(secret(&case.key));
        let binding =
            case.parts.iter().fold(Binding::new(&case.purpose), |binding, part| binding.part(&bytes(part)));
        let opened = key.open(&binding, &case.sealed).ok().unwrap();
        assert!(opened.expose() == bytes(&case.secret), "{}", case.name);
        let sealed = key.seal(&binding, &bytes(&case.secret), &SeededRandomness::new(case.seed)).unwrap();
        assert!(sealed == case.sealed, "{}", case.name);
        assert!(key.open(&binding.part(b""), &case.sealed).is_err(), "{}", case.name);
    }
}

#[test]
fn every_root_file_unlocks_to_its_root_key() {
    let cases: Vec<RootCase> = read_corpus("ciphertext/v1/root.json").unwrap();
    assert!(cases.len() >= 2);
    let (binding, randomness) = (Binding::new("test"), SeededRandomness::new(1));
    for case in cases {
        let root = unlock(&case);
        let expected = SealingKey::from_secret(secret(&case.root_key));
        let sealed = expected.seal(&binding, b"secret", &randomness).unwrap();
        assert!(root.open(&binding, &sealed).is_ok(), "{}", case.name);
    }
}

fn unlock(case: &RootCase) -> RootKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.json");
    std::fs::write(&path, &case.file).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let passphrase = case.passphrase.clone().map(SecretString::new);
    RootFile::open(&path).ok().unwrap().unlock(passphrase.as_ref()).ok().unwrap()
}
