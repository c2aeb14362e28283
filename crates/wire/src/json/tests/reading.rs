//! What good bodies become.

use std::collections::BTreeMap;

use base::Timestamp;

use super::super::decode;
use super::refusal;
use crate::kms::{
    CreateCustomKeyStoreRequest, CreateGrantRequest, CreateKeyRequest, DecryptRequest, DescribeKeyRequest,
    EncryptRequest, EncryptionAlgorithmSpec, GenerateRandomRequest, GetPublicKeyRequest, GrantOperation,
    ImportKeyMaterialRequest, KeySpec, ListGrantsRequest, OriginType, Tag,
};

#[test]
fn every_kind_of_member() {
    let body = br#" {
        "KeyId" : "alias/a", "Plaintext" : "aGk=", "EncryptionContext" : { "b" : "2", "a" : "\u00e4\ud83d\udd11" },
        "GrantTokens" : [ "t1", "t2" ], "EncryptionAlgorithm" : "SYMMETRIC_DEFAULT", "DryRun" : false } "#;
    let request = decode::<EncryptRequest>(body).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(request.key_id, "alias/a");
    assert_eq!(request.plaintext.expose(), b"hi");
    let context =
        BTreeMap::from([("a", "ä\u{1F511}"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(request.encryption_context, Some(context));
    assert_eq!(request.grant_tokens, Some(vec!["t1".to_owned(), "t2".to_owned()]));
    assert_eq!(request.encryption_algorithm, Some(EncryptionAlgorithmSpec::SymmetricDefault));
    assert_eq!(request.dry_run, Some(false));
}

#[test]
fn structures_and_lists_of_structures() {
    let body =
        br#"{"KeySpec":"ECC_NIST_P256","Origin":"AWS_KMS","Tags":[{"TagKey":"a","TagValue":"1","Extra":0}],
        "MultiRegion":true,"Policy":"{\"Version\":\"2012-10-17\"}"}"#;
    let request = decode::<CreateKeyRequest>(body).unwrap();
    assert_eq!(request.key_spec, Some(KeySpec::EccNistP256));
    assert_eq!(request.origin, Some(OriginType::AwsKms));
    assert_eq!(request.tags, Some(vec![Tag { tag_key: "a".to_owned(), tag_value: "1".to_owned() }]));
    assert_eq!(request.multi_region, Some(true));
    assert_eq!(request.policy.as_deref(), Some(r#"{"Version":"2012-10-17"}"#));

    let body = br#"{"KeyId":"k","Operations":["Decrypt","ReEncryptFrom"],"Constraints":{"EncryptionContextSubset":{"a":"b"}}}"#;
    let request = decode::<CreateGrantRequest>(body).unwrap();
    assert_eq!(request.operations, [GrantOperation::Decrypt, GrantOperation::ReEncryptFrom]);
    assert_eq!(request.constraints.unwrap().encryption_context_subset.unwrap()["a"], "b");
}

#[test]
fn sensitive_strings() {
    let body = br#"{"CustomKeyStoreName":"n","KeyStorePassword":"correct\u0020horse","XksProxyAuthenticationCredential":
        {"AccessKeyId":"ABCDEFGHIJKLMNOPQRST","RawSecretAccessKey":"0123456789012345678901234567890123456789\/+="}}"#;
    let request = decode::<CreateCustomKeyStoreRequest>(body).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(request.key_store_password.unwrap().expose(), "correct horse");
    let credential = request.xks_proxy_authentication_credential.unwrap();
    assert_eq!(credential.access_key_id.expose(), "ABCDEFGHIJKLMNOPQRST");
    assert_eq!(credential.raw_secret_access_key.expose(), "0123456789012345678901234567890123456789/+=");
}

/// PHP's encoder writes `/` as `\/`, so base64 arrives with escapes.
#[test]
fn bytes_with_escapes() {
    let request = decode::<EncryptRequest>(br#"{"KeyId":"k","Plaintext":"\/+8\u003d"}"#)
        .unwrap_or_else(|f| panic!("{f:?}"));
    assert_eq!(request.plaintext.expose(), [0xff, 0xef]);
    let request = decode::<DecryptRequest>(br#"{"CiphertextBlob":"\/+8="}"#).unwrap();
    assert_eq!(request.ciphertext_blob, Some(vec![0xff, 0xef]));
}

#[test]
fn null_and_unknown_members_count_as_absent() {
    let request =
        decode::<DecryptRequest>(br#"{"KeyId":null,"Nonsense":{"a":[1,{}]},"EncryptionContext":null}"#)
            .unwrap();
    assert_eq!((request.key_id, request.encryption_context, request.ciphertext_blob), (None, None, None));
}

#[test]
fn the_last_of_repeated_members_counts() {
    let request = decode::<DescribeKeyRequest>(br#"{"KeyId":"a","KeyId":"b"}"#).unwrap();
    assert_eq!(request.key_id, "b");
    let request = decode::<DescribeKeyRequest>(br#"{"\u004beyId":"escaped"}"#).unwrap();
    assert_eq!(request.key_id, "escaped");
    let request = decode::<DecryptRequest>(br#"{"EncryptionContext":{"a":"1","a":"2"}}"#).unwrap();
    assert_eq!(request.encryption_context.unwrap()["a"], "2");
}

#[test]
fn fractions_of_integers_are_cut_off() {
    let bytes = |number: &str| {
        let body = format!(r#"{{"NumberOfBytes":{number}}}"#);
        decode::<GenerateRandomRequest>(body.as_bytes()).unwrap().number_of_bytes
    };
    for (number, value) in [
        ("32", 32),
        ("32.0", 32),
        ("32.999", 32),
        ("3.2e1", 32),
        ("3200E-2", 32),
        ("1.0239e3", 1023),
        ("0.001e6", 1000),
    ] {
        assert_eq!(bytes(number), Some(value), "{number}");
    }
}

#[test]
fn moments_are_seconds_with_a_fraction() {
    let millis = |number: &str| {
        let body = format!(
            r#"{{"KeyId":"k","ImportToken":"AA==","EncryptedKeyMaterial":"AA==","ValidTo":{number}}}"#
        );
        decode::<ImportKeyMaterialRequest>(body.as_bytes()).unwrap().valid_to.unwrap().millis()
    };
    for (number, value) in [
        ("1571767572.317", 1_571_767_572_317),
        ("1568290320.0", 1_568_290_320_000),
        ("1568290320", 1_568_290_320_000),
        ("1.568290320E9", 1_568_290_320_000),
        ("1571767572.3169999", 1_571_767_572_317),
        ("1571767572.3164", 1_571_767_572_316),
        ("0.0005", 1),
        ("-0.0005", -1),
        ("-1.5", -1_500),
        ("0", 0),
    ] {
        assert_eq!(millis(number), value, "{number}");
    }
    assert!(
        millis("1e999") > Timestamp::from_seconds(1_000_000_000_000).millis(),
        "stops at the end of the range"
    );
    assert!(millis("-1e999") < Timestamp::from_seconds(-1_000_000_000_000).millis());
}

/// Lengths as in the model's member `Marker`; its pattern goes to U+00FF.
#[test]
fn patterns_reach_beyond_ascii_where_the_model_does() {
    assert!(decode::<ListGrantsRequest>("{\"KeyId\":\"k\",\"Marker\":\"\u{ff}\"}".as_bytes()).is_ok());
    assert_eq!(
        refusal::<ListGrantsRequest>("{\"KeyId\":\"k\",\"Marker\":\"\u{100}\"}").0,
        "ValidationException"
    );
}

#[test]
fn an_empty_object_suits_an_operation_without_required_members() {
    assert_eq!(decode::<CreateKeyRequest>(b"{}"), Ok(CreateKeyRequest::default()));
    assert!(decode::<GetPublicKeyRequest>(b"{}").is_err());
}
