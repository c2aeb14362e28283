//! Attestation documents (COSE over CBOR, with certificates) and the PEM files of their roots.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base::Timestamp;
use crypto::AttestationRoots;
use serde_json::Value;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target {
    name: "attestation",
    run,
    seeds,
    words: &[
        "module_id",
        "digest",
        "SHA384",
        "timestamp",
        "pcrs",
        "nitrotpm_pcrs",
        "certificate",
        "cabundle",
        "public_key",
        "user_data",
        "nonce",
        "-----BEGIN CERTIFICATE-----\n",
        "\n-----END CERTIFICATE-----\n",
        "\u{84}D",
        "\u{a1}\x01",
    ],
};

struct Known {
    roots: AttestationRoots,
    now: Timestamp,
    root: String,
    documents: Vec<Vec<u8>>,
    believed: BTreeSet<Vec<u8>>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let corpus = corpus::json("attestation/documents.json");
    let root = corpus["root"].as_str().unwrap().to_owned();
    let mut roots = AttestationRoots::default();
    roots.add_pem(root.as_bytes()).unwrap();
    let cases = corpus["cases"].as_array().unwrap();
    let document =
        |case: &Value| base64_simd::STANDARD.decode_to_vec(case["document"].as_str().unwrap()).unwrap();
    let is_believed = |case: &&Value| case["outcome"] == "verified";
    Known {
        roots,
        now: corpus["verified_at"].as_str().unwrap().parse().unwrap(),
        root,
        documents: cases.iter().map(document).collect(),
        believed: cases.iter().filter(is_believed).map(|case| signed_part(&document(case))).collect(),
    }
});

fn run(input: &[u8]) {
    if KNOWN.roots.verify(input, KNOWN.now).is_ok() {
        assert!(KNOWN.believed.contains(&signed_part(input)), "a document is believed that nobody signed");
    }
    let _ = AttestationRoots::default().add_pem(input);
    assert!(AttestationRoots::default().verify(input, KNOWN.now).is_err(), "believed without any root");
}

/// All but what stands outside the signature: the first bytes (a tag) and unprotected headers may differ.
fn signed_part(document: &[u8]) -> Vec<u8> {
    document.get(16..).unwrap_or_default().to_vec()
}

fn seeds() -> Vec<Vec<u8>> {
    KNOWN.documents.iter().cloned().chain([KNOWN.root.clone().into_bytes()]).collect()
}
