//! Ciphertext blobs and seals: bytes open only if they are what this key wrote, bit for bit.
//!
//! The first byte chooses between a blob and a seal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base::{KeyId, SecretArray};
use crypto::{Binding, Ciphertext, EncryptionContext, KeyMaterial, Sealed, SealingKey};
use serde_json::Value;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target {
    name: "ciphertext",
    run,
    seeds,
    words: &["\x01\x02\x01\x00", "\x01\x02\x01\x01", "\x00\x00\x00\x1c\u{3e}\u{19}\x1a\x14", "\x01"],
};

struct Known {
    materials: Vec<(KeyMaterial, Vec<EncryptionContext>)>,
    blobs: BTreeSet<Vec<u8>>,
    seals: BTreeSet<Vec<u8>>,
    sealing_keys: Vec<(SealingKey, Vec<Binding>)>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let (cases, seals) = (corpus::json("ciphertext/v1/ok.json"), corpus::json("ciphertext/v1/seal.json"));
    let (cases, seals) = (cases.as_array().unwrap(), seals.as_array().unwrap());
    Known {
        materials: cases
            .iter()
            .map(|case| (material(case), vec![context(case), EncryptionContext::empty()]))
            .collect(),
        blobs: cases.iter().map(|case| hexadecimal(case, "ciphertext")).collect(),
        seals: seals.iter().map(seal).collect(),
        sealing_keys: seals
            .iter()
            .map(|case| (SealingKey::from_secret(secret(case, "key")), vec![binding(case)]))
            .collect(),
    }
});

fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    if kind % 2 == 0 {
        opens_no_blob(bytes);
    } else {
        opens_no_seal(bytes);
    }
}

fn opens_no_blob(blob: &[u8]) {
    let Ok(ciphertext) = Ciphertext::parse(blob) else {
        assert!(!KNOWN.blobs.contains(blob), "a blob of the corpus is not taken for one");
        return;
    };
    let opened = KNOWN.materials.iter().any(|(material, contexts)| {
        contexts.iter().any(|context| material.decrypt(&ciphertext, context).is_ok())
    });
    assert_eq!(opened, KNOWN.blobs.contains(blob), "opened, or not, against the corpus");
}

fn opens_no_seal(bytes: &[u8]) {
    let Ok(sealed) = Sealed::from_bytes(bytes.to_vec()) else { return };
    assert_eq!(sealed.as_bytes(), bytes);
    let text = serde_json::to_string(&sealed).unwrap();
    assert!(
        serde_json::from_str::<Sealed>(&text).is_ok_and(|again| again == sealed),
        "read otherwise than written"
    );
    let opened = KNOWN
        .sealing_keys
        .iter()
        .any(|(key, bindings)| bindings.iter().any(|one| key.open(one, &sealed).is_ok()));
    assert_eq!(opened, KNOWN.seals.contains(bytes), "opened, or not, against the corpus");
    let _ = keyring::SealedUnderDomain::from_bytes(bytes).map(|sealed| sealed.to_bytes());
}

fn material(case: &Value) -> KeyMaterial {
    let key_id: KeyId = case["key_id"].as_str().unwrap().parse().unwrap();
    KeyMaterial::from_secret(&key_id, secret(case, "material"))
}

fn context(case: &Value) -> EncryptionContext {
    let pairs: BTreeMap<String, String> = serde_json::from_value(case["context"].clone()).unwrap();
    EncryptionContext::new(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

fn binding(case: &Value) -> Binding {
    let parts = case["parts"].as_array().unwrap();
    let purpose = Binding::new(case["purpose"].as_str().unwrap());
    parts.iter().fold(purpose, |binding, part| binding.part(&corpus::bytes(part.as_str().unwrap())))
}

fn seal(case: &Value) -> Vec<u8> {
    serde_json::from_value::<Sealed>(case["sealed"].clone()).unwrap().as_bytes().to_vec()
}

fn secret(case: &Value, member: &str) -> SecretArray<32> {
    SecretArray::copy_from(&hexadecimal(case, member)).unwrap()
}

fn hexadecimal(case: &Value, member: &str) -> Vec<u8> {
    corpus::bytes(case[member].as_str().unwrap())
}

fn seeds() -> Vec<Vec<u8>> {
    let blobs = KNOWN.blobs.iter().map(|blob| [&[0], &**blob].concat());
    blobs.chain(KNOWN.seals.iter().map(|seal| [&[1], &**seal].concat())).collect()
}
