//! Recipient: which members an answer has, and which documents are believed. The documents are those of
//! `corpus/attestation/`; their time of verification is the beginning of the bench.

use crypto::AttestationRoots;
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::read_corpus;

use crate::bench::{Bench, DAY, refusal};

#[derive(Deserialize)]
struct Documents {
    root: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    document: String,
    outcome: String,
}

fn documents() -> Documents {
    read_corpus("attestation/documents.json").unwrap()
}

fn trusting(documents: &Documents) -> Bench {
    let mut roots = AttestationRoots::default();
    roots.add_pem(documents.root.as_bytes()).unwrap();
    Bench::trusting(roots)
}

fn recipient(document: &str) -> Value {
    json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document})
}

/// The five operations with a body that each accepts, the member that is the secret, and the one that goes with it.
async fn operations(bench: &Bench) -> [(&'static str, Value, &'static str, Option<&'static str>); 5] {
    let key = bench.create_key().await;
    let blob = bench.encrypt(0, &key).await;
    let agreement = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"});
    let agreement = bench.call(0, "CreateKey", agreement).await.unwrap()["KeyMetadata"]["KeyId"].clone();
    let peer = bench.call(0, "GetPublicKey", json!({"KeyId": agreement})).await.unwrap()["PublicKey"].clone();
    let derive = json!({"KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer});
    let pair = json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"});
    [
        ("Decrypt", json!({"CiphertextBlob": blob}), "Plaintext", Some("KeyMaterialId")),
        ("DeriveSharedSecret", derive, "SharedSecret", None),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"}), "Plaintext", Some("KeyMaterialId")),
        ("GenerateDataKeyPair", pair, "PrivateKeyPlaintext", None),
        ("GenerateRandom", json!({"NumberOfBytes": 32}), "Plaintext", None),
    ]
}

fn with(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}

fn members(answer: &Value) -> Vec<&String> {
    answer.as_object().unwrap().keys().collect()
}

/// API reference: with Recipient the secret is absent, CiphertextForRecipient is there, KeyMaterialId of Decrypt and
/// GenerateDataKey is absent, and everything else is as without.
#[tokio::test]
async fn a_recipient_gets_the_secret_and_nobody_else_does() {
    let documents = documents();
    let bench = trusting(&documents);
    for (operation, body, secret, companion) in operations(&bench).await {
        let plain = bench.call(0, operation, body.clone()).await.unwrap();
        assert!(plain.get(secret).is_some() && plain.get("CiphertextForRecipient").is_none(), "{operation}");
        let body = with(&body, "Recipient", recipient(&documents.cases[0].document));
        let sealed = bench.call(0, operation, body).await.unwrap();
        assert!(sealed["CiphertextForRecipient"].is_string(), "{operation}");
        let mut expected = members(&plain);
        expected.retain(|member| *member != secret && Some(member.as_str()) != companion);
        let mut found = members(&sealed);
        found.retain(|member| *member != "CiphertextForRecipient");
        assert_eq!(found, expected, "{operation}");
    }
}

#[tokio::test]
async fn only_documents_that_prove_something_are_believed() {
    let documents = documents();
    let bench = trusting(&documents);
    for case in &documents.cases {
        let body = json!({"NumberOfBytes": 8, "Recipient": recipient(&case.document)});
        let answer = bench.call(0, "GenerateRandom", body).await;
        let text = match case.outcome.as_str() {
            "verified" => {
                assert!(answer.is_ok(), "{}", case.name);
                continue;
            }
            "malformed" => "the attestation document is malformed",
            "untrusted" => "the attestation document is not signed under a root that is trusted",
            "not valid now" => "a certificate of the attestation document is not valid at this time",
            _ => "the attestation document has no RSA public key of 2048 to 4096 bits",
        };
        let expected = ("ValidationException".to_owned(), format!("Recipient is not accepted: {text}."));
        assert_eq!(refusal(answer), expected, "{}", case.name);
    }
}

#[tokio::test]
async fn every_operation_verifies_the_document_first() {
    let documents = documents();
    let (bench, nobody) = (trusting(&documents), Bench::new());
    let good = recipient(&documents.cases[0].document);
    let foreign = documents.cases.iter().find(|case| case.outcome == "untrusted").unwrap();
    for (operation, body, ..) in operations(&bench).await {
        let with_good = with(&body, "Recipient", good.clone());
        let with_foreign = with(&body, "Recipient", recipient(&foreign.document));
        assert!(refusal(bench.call(0, operation, with_foreign.clone()).await).1.contains("not signed"));
        // A day later the certificate of the enclave has expired.
        let late = refusal(bench.call(DAY, operation, with_good.clone()).await);
        assert!(late.1.contains("not valid at this time"), "{operation}: {}", late.1);
        // Without roots nobody is believed, and no key was looked for.
        let (code, text) = refusal(nobody.call(0, operation, with_good.clone()).await);
        assert_eq!(code, "ValidationException");
        assert!(text.contains("attestation_roots"), "{operation}: {text}");
        if operation != "GenerateRandom" {
            let dry_run = bench.call(0, operation, with(&with_good, "DryRun", json!(true))).await;
            assert_eq!(refusal(dry_run).0, "DryRunOperationException", "{operation}");
            let dry_run = bench.call(0, operation, with(&with_foreign, "DryRun", json!(true))).await;
            assert_eq!(refusal(dry_run).0, "ValidationException", "{operation}");
        }
        for member in ["KeyEncryptionAlgorithm", "AttestationDocument"] {
            let half = with(&with_good, "Recipient", with(&good, member, Value::Null));
            let (code, text) = refusal(bench.call(0, operation, half).await);
            assert_eq!(code, "ValidationException", "{operation}");
            assert!(text.contains("Value null at 'recipient."), "{operation}: {text}");
        }
    }
}
