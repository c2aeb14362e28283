//! What holds for every body and every value.

use std::collections::BTreeMap;

use base::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::number::{milliseconds, scaled};
use super::super::{Request, decode, encode, encode_fault, text};
use crate::Fault;
use crate::kms::{
    CreateCustomKeyStoreRequest, CreateGrantRequest, CreateKeyRequest, DecryptRequest, EncryptRequest,
    EncryptResponse, EncryptionAlgorithmSpec, GenerateDataKeyRequest, GrantOperation,
    ImportKeyMaterialRequest, TagResourceRequest,
};

/// Decodes as several types. Whatever is refused is refused as the sender's fault, in a bounded text.
fn try_all(body: &[u8]) {
    try_one::<EncryptRequest>(body);
    try_one::<DecryptRequest>(body);
    try_one::<CreateKeyRequest>(body);
    try_one::<CreateGrantRequest>(body);
    try_one::<TagResourceRequest>(body);
    try_one::<GenerateDataKeyRequest>(body);
    try_one::<ImportKeyMaterialRequest>(body);
    try_one::<CreateCustomKeyStoreRequest>(body);
}

fn try_one<R: Request>(body: &[u8]) {
    if let Err(fault) = decode::<R>(body) {
        assert!(matches!(fault.code, "SerializationException" | "ValidationException"), "{fault:?}");
        assert_eq!(fault.status, 400);
        assert!(fault.message.as_ref().is_none_or(|text| text.len() < 24_000));
        let back: Value = serde_json::from_slice(&encode_fault(&fault)).unwrap();
        assert_eq!(back["__type"], fault.code);
        assert_eq!(back.get("message").and_then(Value::as_str), fault.message.as_deref());
    }
}

const MEMBERS: [&str; 20] = [
    "KeyId",
    "Plaintext",
    "CiphertextBlob",
    "EncryptionContext",
    "GrantTokens",
    "EncryptionAlgorithm",
    "DryRun",
    "Tags",
    "TagKey",
    "TagValue",
    "Operations",
    "Constraints",
    "EncryptionContextSubset",
    "NumberOfBytes",
    "ValidTo",
    "Recipient",
    "AttestationDocument",
    "KeySpec",
    "XksProxyAuthenticationCredential",
    "Policy",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[A-Za-z0-9+/]{0,8}={0,2}".prop_map(Value::from),
        prop::sample::select(vec!["Decrypt", "AES_256", "SYMMETRIC_DEFAULT", ""]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let name = prop_oneof![3 => prop::sample::select(&MEMBERS[..]).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_map() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(any::<String>(), any::<String>(), 0..5)
}

proptest! {
    #[test]
    fn no_bytes_do_harm(body: Vec<u8>) {
        try_all(&body);
    }

    #[test]
    fn no_text_that_looks_like_json_does_harm(body in r#"[\[\]{}:,"\\a-z0-9.eE+ -]{0,60}"#) {
        try_all(body.as_bytes());
    }

    #[test]
    fn no_json_value_does_harm(value in any_value()) {
        try_all(value.to_string().as_bytes());
        try_all(serde_json::to_string_pretty(&value).unwrap().as_bytes());
    }

    #[test]
    fn no_damaged_body_does_harm(value in any_value(), at: prop::sample::Index, byte: u8) {
        let mut body = value.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        try_all(&body);
        body.truncate(at);
        try_all(&body);
    }

    #[test]
    fn an_encrypt_request_reads_back(
        key_id in ".{1,40}",
        plaintext in prop::collection::vec(any::<u8>(), 1..300),
        context in prop::option::of(any_map()),
        tokens in prop::option::of(prop::collection::vec(".{1,30}", 0..=10)),
        algorithm in prop::option::of(prop::sample::select(&EncryptionAlgorithmSpec::ALL[..])),
        dry_run: Option<bool>,
    ) {
        let body = json!({
            "KeyId": key_id, "Plaintext": base64_simd::STANDARD.encode_to_string(&plaintext), "EncryptionContext": context,
            "GrantTokens": tokens, "EncryptionAlgorithm": algorithm.map(EncryptionAlgorithmSpec::as_str), "DryRun": dry_run,
        });
        let request = decode::<EncryptRequest>(body.to_string().as_bytes()).unwrap_or_else(|fault| panic!("{fault:?}"));
        prop_assert_eq!(request.key_id, key_id);
        prop_assert_eq!(request.plaintext.expose(), plaintext);
        prop_assert_eq!(request.encryption_context, context);
        prop_assert_eq!(request.grant_tokens, tokens);
        prop_assert_eq!(request.encryption_algorithm, algorithm);
        prop_assert_eq!(request.dry_run, dry_run);
    }

    #[test]
    fn a_create_grant_request_reads_back(
        operations in prop::collection::vec(prop::sample::select(&GrantOperation::ALL[..]), 0..30),
        equals in any_map(),
        name in prop::option::of("[a-zA-Z0-9:/_-]{1,256}"),
    ) {
        let names: Vec<&str> = operations.iter().map(|operation| operation.as_str()).collect();
        let body = json!({
            "KeyId": "k", "Operations": names, "Constraints": {"EncryptionContextEquals": equals}, "Name": name,
        });
        let request = decode::<CreateGrantRequest>(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(request.operations, operations);
        prop_assert_eq!(request.constraints.unwrap().encryption_context_equals, Some(equals));
        prop_assert_eq!(request.name, name);
    }

    #[test]
    fn strings_read_as_serde_json_reads_them(content in r#"([^\x00-\x1f"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud8[0-9a-f]{2}\\udc[0-9a-f]{2}){0,20}"#) {
        let json = format!("\"{content}\"");
        // Without raw control characters: a body that holds them is refused before a string is read.
        let wanted = serde_json::from_str::<String>(&json).ok();
        prop_assert_eq!(text::text(&json).ok().map(|text| text.into_owned()), wanted.clone());
        prop_assert_eq!(text::secret_text(&json).ok().map(|text| text.expose().to_owned()), wanted);
    }

    #[test]
    fn escaped_strings_read_back(content: String) {
        let escaped: String = content.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let json = format!("\"{escaped}\"");
        prop_assert_eq!(text::text(&json).unwrap(), content);
    }

    #[test]
    fn written_strings_and_blobs_read_back(key_id: String, ciphertext_blob: Vec<u8>) {
        let response = EncryptResponse {
            key_id: Some(key_id.clone()), ciphertext_blob: Some(ciphertext_blob.clone()), ..EncryptResponse::default()
        };
        let bytes = encode(&response);
        prop_assert_eq!(bytes.len(), bytes.capacity());
        let back: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(back["KeyId"].as_str(), Some(key_id.as_str()));
        let blob = base64_simd::STANDARD.encode_to_string(ciphertext_blob);
        prop_assert_eq!(back["CiphertextBlob"].as_str(), Some(blob.as_str()));
    }

    #[test]
    fn written_faults_read_back(message: Option<String>) {
        let fault = Fault { code: "NotFoundException", status: 400, message };
        let back: BTreeMap<String, String> = serde_json::from_slice(&encode_fault(&fault)).unwrap();
        prop_assert_eq!(back.get("__type").map(String::as_str), Some("NotFoundException"));
        prop_assert_eq!(back.get("message"), fault.message.as_ref());
    }

    #[test]
    fn integers_read_exactly(value in -i64::MAX..i64::MAX, fraction in "([.][0-9]{1,20})?") {
        prop_assert_eq!(scaled(&format!("{value}{fraction}"), 0), value);
    }

    #[test]
    fn the_place_of_the_point_does_not_matter(value in -1_000_000_000i64..1_000_000_000, shift in 0u32..9) {
        let moved = format!("{value}{}e-{shift}", "0".repeat(usize::try_from(shift).unwrap()));
        prop_assert_eq!(scaled(&moved, 0), value);
        let divisor = 10i64.pow(shift);
        prop_assert_eq!(scaled(&format!("{value}e-{shift}"), 0), value / divisor);
    }

    #[test]
    fn no_number_does_harm(number in r"-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,30})?", decimals in 0i64..5) {
        scaled(&number, decimals);
        milliseconds(&number);
    }

    #[test]
    fn moments_read_back(millis in -900_000_000_000_000_000i64..900_000_000_000_000_000) {
        // Beyond this, a tenth of a millisecond does not fit; no clock gets there.
        let mut number = Vec::new();
        super::super::Encode::encode(&Timestamp::from_millis(millis), &mut number);
        prop_assert_eq!(milliseconds(std::str::from_utf8(&number).unwrap()), millis);
    }
}
