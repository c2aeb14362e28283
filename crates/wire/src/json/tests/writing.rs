//! What responses become (wire specification, section 2).

use std::collections::BTreeMap;

use base::{SecretBytes, Timestamp};

use super::super::{Response, encode};
use crate::kms::{
    ConnectCustomKeyStoreResponse, CreateAliasResponse, CreateKeyResponse, DecryptResponse, EncryptResponse,
    EncryptionAlgorithmSpec, GetPublicKeyResponse, GrantConstraints, GrantListEntry, KeyMetadata,
    ListGrantsResponse, ListRetirableGrantsResponse, SigningAlgorithmSpec,
};

fn json(response: &impl Response) -> String {
    let bytes = encode(response);
    assert_eq!(bytes.len(), bytes.capacity(), "the buffer was sized exactly");
    String::from_utf8(bytes).unwrap()
}

#[test]
fn operations_without_output_shape_answer_nothing_and_empty_shapes_an_empty_object() {
    assert_eq!(json(&CreateAliasResponse), "");
    assert_eq!(json(&ConnectCustomKeyStoreResponse), "{}");
    assert_eq!(json(&EncryptResponse::default()), "{}");
}

#[test]
fn blobs_are_base64_and_absent_members_are_left_out() {
    let response = EncryptResponse {
        ciphertext_blob: Some(vec![0xff, 0xef]),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::RsaesOaepSha256),
        ..EncryptResponse::default()
    };
    assert_eq!(json(&response), r#"{"CiphertextBlob":"/+8=","EncryptionAlgorithm":"RSAES_OAEP_SHA_256"}"#);
    let response =
        DecryptResponse { plaintext: Some(SecretBytes::new(b"hi".to_vec())), ..DecryptResponse::default() };
    assert_eq!(json(&response), r#"{"Plaintext":"aGk="}"#);
}

#[test]
fn moments_are_seconds_with_at_most_three_decimals() {
    for (millis, number) in [
        (1_571_767_572_317, "1571767572.317"),
        (1_568_290_320_000, "1568290320"),
        (1_568_290_320_100, "1568290320.1"),
        (1_568_290_320_010, "1568290320.01"),
        (1_568_290_320_001, "1568290320.001"),
        (0, "0"),
        (-1, "-0.001"),
        (-1_500, "-1.5"),
        (i64::MIN, "-9223372036854775.808"),
        (i64::MAX, "9223372036854775.807"),
    ] {
        let key_metadata =
            KeyMetadata { creation_date: Some(Timestamp::from_millis(millis)), ..KeyMetadata::default() };
        let response = CreateKeyResponse { key_metadata: Some(key_metadata) };
        assert_eq!(json(&response), format!(r#"{{"KeyMetadata":{{"KeyId":"","CreationDate":{number}}}}}"#));
    }
}

#[test]
fn numbers_booleans_lists_maps_and_structures() {
    let key_metadata = KeyMetadata {
        aws_account_id: Some("111122223333".to_owned()),
        key_id: "k".to_owned(),
        enabled: Some(true),
        pending_deletion_window_in_days: Some(30),
        signing_algorithms: Some(vec![
            SigningAlgorithmSpec::EcdsaSha256,
            SigningAlgorithmSpec::Ed25519PhSha512,
        ]),
        mac_algorithms: Some(Vec::new()),
        ..KeyMetadata::default()
    };
    assert_eq!(
        json(&CreateKeyResponse { key_metadata: Some(key_metadata) }),
        r#"{"KeyMetadata":{"AWSAccountId":"111122223333","KeyId":"k","Enabled":true,"SigningAlgorithms":["ECDSA_SHA_256","ED25519_PH_SHA_512"],"PendingDeletionWindowInDays":30,"MacAlgorithms":[]}}"#
    );
    let subset = BTreeMap::from([("b".to_owned(), "\"\\".to_owned()), ("a".to_owned(), String::new())]);
    let constraints =
        GrantConstraints { encryption_context_subset: Some(subset), ..GrantConstraints::default() };
    let grant = GrantListEntry { constraints: Some(constraints), ..GrantListEntry::default() };
    let response: ListRetirableGrantsResponse = ListGrantsResponse {
        grants: Some(vec![grant]),
        truncated: Some(false),
        ..ListGrantsResponse::default()
    };
    assert_eq!(
        json(&response),
        r#"{"Grants":[{"Constraints":{"EncryptionContextSubset":{"a":"","b":"\"\\"}}}],"Truncated":false}"#
    );
}

#[test]
fn control_characters_are_escaped() {
    let response =
        GetPublicKeyResponse { key_id: Some("\0\u{1f}\n\t\r\u{7f}ä".to_owned()), ..Default::default() };
    assert_eq!(json(&response), "{\"KeyId\":\"\\u0000\\u001f\\n\\t\\r\u{7f}ä\"}");
}
