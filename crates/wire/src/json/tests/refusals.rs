//! Every text of the wire specification's sections 5 (constraints) and 9 (bodies).

use super::super::{Limits, decode, decode_within, encode_fault};
use super::{assert_invalid, assert_unreadable, refusal};
use crate::kms::{
    CreateAliasRequest, CreateCustomKeyStoreRequest, CreateGrantRequest, CreateKeyRequest, DecryptRequest,
    DescribeKeyRequest, EncryptRequest, GenerateDataKeyRequest, GenerateMacRequest, GenerateRandomRequest,
    ImportKeyMaterialRequest, ListKeysRequest, TagResourceRequest, UntagResourceRequest,
};

fn zeros(bytes: usize) -> String {
    base64_simd::STANDARD.encode_to_string(vec![0; bytes])
}

#[test]
fn a_required_member_that_is_missing_or_null() {
    let text = "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null";
    for body in ["{}", r#"{"KeyId":null}"#, r#"{"keyId":"case matters"}"#, r#"{"KeyId":"a","KeyId":null}"#] {
        assert_invalid::<DescribeKeyRequest>(body, text);
    }
    assert!(decode::<DescribeKeyRequest>(br#"{"KeyId":"a"}"#).is_ok());
}

#[test]
fn a_string_that_is_too_long_or_too_short() {
    let value = "v".repeat(257);
    let body = |value: &str| format!(r#"{{"KeyId":"k","Tags":[{{"TagKey":"a","TagValue":"{value}"}}]}}"#);
    assert_invalid::<TagResourceRequest>(
        &body(&value),
        &format!(
            "1 validation error detected: Value '{value}' at 'tags.1.member.tagValue' failed to satisfy constraint: \
             Member must have length less than or equal to 256"
        ),
    );
    assert!(decode::<TagResourceRequest>(body(&"v".repeat(256)).as_bytes()).is_ok());
    assert!(decode::<TagResourceRequest>(body("").as_bytes()).is_ok(), "a tag value may be empty");
    assert_invalid::<TagResourceRequest>(
        r#"{"KeyId":"k","Tags":[{"TagKey":"a","TagValue":""},{"TagKey":"","TagValue":""}]}"#,
        "1 validation error detected: Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: \
         Member must have length greater than or equal to 1",
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    let body = |count: usize| {
        format!(r#"{{"KeyId":"k","Tags":[{{"TagKey":"{}","TagValue":""}}]}}"#, "\u{1F511}".repeat(count))
    };
    assert!(decode::<TagResourceRequest>(body(128).as_bytes()).is_ok());
    assert_eq!(refusal::<TagResourceRequest>(&body(129)).0, "ValidationException");
}

#[test]
fn sensitive_values_and_bytes_are_not_echoed() {
    let at = |member: &str, rest: &str| {
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length {rest}"
        )
    };
    let plaintext = |bytes| format!(r#"{{"KeyId":"k","Plaintext":"{}"}}"#, zeros(bytes));
    assert_invalid::<EncryptRequest>(&plaintext(4097), &at("plaintext", "less than or equal to 4096"));
    assert_invalid::<EncryptRequest>(&plaintext(0), &at("plaintext", "greater than or equal to 1"));
    assert!(decode::<EncryptRequest>(plaintext(4096).as_bytes()).is_ok());
    let blob = format!(r#"{{"CiphertextBlob":"{}"}}"#, zeros(6145));
    assert_invalid::<DecryptRequest>(&blob, &at("ciphertextBlob", "less than or equal to 6144"));
    let password = r#"{"CustomKeyStoreName":"n","KeyStorePassword":"hunter"}"#;
    assert_invalid::<CreateCustomKeyStoreRequest>(
        password,
        &at("keyStorePassword", "greater than or equal to 7"),
    );
    let nested = r#"{"CustomKeyStoreName":"n","XksProxyAuthenticationCredential":{"AccessKeyId":"ABCDEFGHIJKLMNOPQRST","RawSecretAccessKey":"short"}}"#;
    let member = "xksProxyAuthenticationCredential.rawSecretAccessKey";
    assert_invalid::<CreateCustomKeyStoreRequest>(nested, &at(member, "greater than or equal to 43"));
}

#[test]
fn a_number_that_is_too_small_or_too_big() {
    let cases = [
        ("0", "0", "greater than or equal to 1"),
        ("-1", "-1", "greater than or equal to 1"),
        ("0.9", "0", "greater than or equal to 1"),
        ("1025", "1025", "less than or equal to 1024"),
        ("99999999999", "99999999999", "less than or equal to 1024"),
        ("2147483648", "2147483648", "less than or equal to 1024"),
        ("123456789012345678901234567890", "9223372036854775807", "less than or equal to 1024"),
        ("1e999", "9223372036854775807", "less than or equal to 1024"),
        ("-1e999", "-9223372036854775807", "greater than or equal to 1"),
        ("1e-999", "0", "greater than or equal to 1"),
        ("1e99999999999999999999", "9223372036854775807", "less than or equal to 1024"),
        ("1e-99999999999999999999", "0", "greater than or equal to 1"),
        ("0e99999999999999999999", "0", "greater than or equal to 1"),
    ];
    for (number, shown, rest) in cases {
        assert_invalid::<GenerateRandomRequest>(
            &format!(r#"{{"NumberOfBytes":{number}}}"#),
            &format!(
                "1 validation error detected: Value '{shown}' at 'numberOfBytes' failed to satisfy constraint: Member must have value {rest}"
            ),
        );
    }
}

#[test]
fn a_name_outside_the_enumeration() {
    assert_invalid::<GenerateMacRequest>(
        r#"{"KeyId":"k","Message":"AA==","MacAlgorithm":"INVALID"}"#,
        "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy \
         enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]",
    );
    assert!(
        decode::<GenerateMacRequest>(br#"{"KeyId":"k","Message":"AA==","MacAlgorithm":"HMAC_SHA_224"}"#)
            .is_ok()
    );
}

#[test]
fn a_string_that_does_not_match() {
    assert_invalid::<CreateAliasRequest>(
        r#"{"AliasName":"alias/ä","TargetKeyId":"k"}"#,
        "1 validation error detected: Value 'alias/ä' at 'aliasName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
    );
    assert_eq!(
        refusal::<CreateAliasRequest>(r#"{"AliasName":"alias/a\n","TargetKeyId":"k"}"#).0,
        "ValidationException"
    );
    assert!(decode::<CreateAliasRequest>(br#"{"AliasName":"alias/A-z_0:9","TargetKeyId":"k"}"#).is_ok());
}

#[test]
fn all_violations_are_told_at_once() {
    assert_invalid::<CreateAliasRequest>(
        r#"{"AliasName":""}"#,
        "3 validation errors detected: Value '' at 'aliasName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: ^[a-zA-Z0-9:/_-]+$; Value '' at 'aliasName' failed to satisfy constraint: Member must have \
         length greater than or equal to 1; Value null at 'targetKeyId' failed to satisfy constraint: Member must not be null",
    );
}

#[test]
fn what_is_wrong_with_strings_in_a_list_is_told_of_the_list() {
    assert_invalid::<CreateGrantRequest>(
        r#"{"KeyId":"k","Operations":["Decrypt"],"GrantTokens":["ok",""]}"#,
        "1 validation error detected: Value '[ok, ]' at 'grantTokens' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must have length less than or equal to 8192, Member must have length greater than or equal to 1]",
    );
    let (code, text) = refusal::<CreateGrantRequest>(r#"{"KeyId":"k","Operations":["Decrypt","Fly"]}"#);
    assert_eq!(code, "ValidationException");
    let text = text.unwrap();
    let start = "1 validation error detected: Value '[Decrypt, Fly]' at 'operations' failed to satisfy constraint: \
                 Member must satisfy constraint: [Member must satisfy enum value set: [Decrypt, Encrypt, ";
    assert!(text.starts_with(start) && text.ends_with("]]"), "{text}");
    assert_invalid::<UntagResourceRequest>(
        r#"{"KeyId":"k","TagKeys":["a",null]}"#,
        "1 validation error detected: Value '[a, null]' at 'tagKeys' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must not be null]",
    );
}

#[test]
fn a_list_that_is_too_long_or_too_short() {
    let body = |tokens: &[&str]| {
        format!(r#"{{"KeyId":"k","GrantTokens":{}}}"#, serde_json::to_string(tokens).unwrap())
    };
    assert!(decode::<DescribeKeyRequest>(body(&["t"; 10]).as_bytes()).is_ok());
    assert_invalid::<DescribeKeyRequest>(
        &body(&["t"; 11]),
        "1 validation error detected: Value '[t, t, t, t, t, t, t, t, t, t, t]' at 'grantTokens' failed to satisfy \
         constraint: Member must have length less than or equal to 10",
    );
    assert_invalid::<ListKeysRequest>(
        r#"{"ResourceOwners":[]}"#,
        "1 validation error detected: Value '[]' at 'resourceOwners' failed to satisfy constraint: Member must have length \
         greater than or equal to 1",
    );
}

#[test]
fn nulls_inside_collections() {
    assert_invalid::<TagResourceRequest>(
        r#"{"KeyId":"k","Tags":[null]}"#,
        "1 validation error detected: Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null",
    );
    assert_invalid::<DecryptRequest>(
        r#"{"EncryptionContext":{"purpose":null}}"#,
        "1 validation error detected: Value null at 'encryptionContext.purpose.member' failed to satisfy constraint: \
         Member must not be null",
    );
}

#[test]
fn bodies_that_are_not_one_object() {
    let malformed = [
        "",
        " ",
        "{",
        "}",
        "null",
        "true",
        "7",
        "\"text\"",
        r#"{"KeyId":"k",}"#,
        r#"{"KeyId":"k"} x"#,
        r#"{"KeyId":"k"}{}"#,
        "{KeyId:1}",
        r#"{"KeyId" "k"}"#,
        "{'KeyId':'k'}",
        "[",
        "[1,]",
        "[] []",
        r#"{"KeyId":"k" "#,
        "\u{feff}{}",
        r#"{"KeyId":"\x"}"#,
        r#"{"KeyId":"\ud800"}"#,
        r#"{"KeyId":"\udc00"}"#,
        r#"{"KeyId":"\ud800\u0041"}"#,
        r#"{"KeyId":"\u12"}"#,
        "{\"KeyId\":\"\n\"}",
        r#"{"KeyId":01}"#,
        r#"{"KeyId":tru}"#,
        "{\"unknown\":[}",
    ];
    for body in malformed {
        assert_unreadable::<DescribeKeyRequest>(body, None);
    }
    assert_eq!(
        decode::<DescribeKeyRequest>(b"{\"KeyId\":\"\xff\"}").unwrap_err().code,
        "SerializationException"
    );
    assert_eq!(
        decode::<DescribeKeyRequest>(b"{\"KeyId\":\"k\"}\xff").unwrap_err().code,
        "SerializationException"
    );
    assert_unreadable::<DescribeKeyRequest>("[]", Some("Start of list found where not expected"));
    assert_unreadable::<DescribeKeyRequest>(
        r#" [{"KeyId":"k"}] "#,
        Some("Start of list found where not expected"),
    );
}

#[test]
fn values_of_the_wrong_type() {
    let list = "Start of list found where not expected";
    let object = "Start of structure or map found where not expected.";
    let cases = [
        (r#"{"KeyId":[]}"#, list),
        (r#"{"KeyId":{}}"#, object),
        (r#"{"KeyId":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"KeyId":1.5}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"KeyId":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"KeyId":false}"#, "FALSE_VALUE can not be converted to a String"),
        (r#"{"NumberOfBytes":"32"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"NumberOfBytes":true}"#, "TRUE_VALUE can not be converted to an Integer"),
        (r#"{"NumberOfBytes":false}"#, "FALSE_VALUE can not be converted to an Integer"),
        (r#"{"NumberOfBytes":[32]}"#, list),
        (r#"{"NumberOfBytes":{}}"#, object),
        (r#"{"DryRun":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"DryRun":1}"#, "NUMBER_VALUE can not be converted to a Boolean"),
        (r#"{"DryRun":[]}"#, list),
        (r#"{"GrantTokens":"token"}"#, "Expected list or null"),
        (r#"{"GrantTokens":7}"#, "Expected list or null"),
        (r#"{"GrantTokens":{}}"#, object),
        (r#"{"GrantTokens":[7]}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"Recipient":"document"}"#, "Expected null"),
        (r#"{"Recipient":[]}"#, list),
        (r#"{"Recipient":{"AttestationDocument":7}}"#, "NUMBER_VALUE can not be converted to a Blob"),
        (r#"{"EncryptionContext":"a=b"}"#, "Expected map or null"),
        (r#"{"EncryptionContext":[]}"#, list),
        (r#"{"EncryptionContext":{"a":1}}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"EncryptionContext":{"a":["b"]}}"#, list),
        (r#"{"KeySpec":256}"#, "NUMBER_VALUE can not be converted to a String"),
    ];
    for (body, text) in cases {
        assert_unreadable::<GenerateDataKeyRequest>(body, Some(text));
    }
    let valid_to = r#"{"ValidTo":"2030-01-01T00:00:00Z"}"#;
    let text = "STRING_VALUE can not be converted to milliseconds since epoch";
    assert_unreadable::<ImportKeyMaterialRequest>(valid_to, Some(text));
    assert_unreadable::<CreateKeyRequest>(r#"{"Tags":["a"]}"#, Some("Expected null"));
    assert_unreadable::<CreateKeyRequest>(r#"{"Tags":"a"}"#, Some("Expected list or null"));
}

#[test]
fn a_type_fault_wins_over_constraint_violations() {
    let text = "NUMBER_VALUE can not be converted to a Boolean";
    assert_unreadable::<GenerateDataKeyRequest>(r#"{"KeyId":"","NumberOfBytes":0,"DryRun":1}"#, Some(text));
    assert_unreadable::<GenerateDataKeyRequest>(r#"{"KeyId":1} x"#, None);
}

#[test]
fn bytes_that_are_not_standard_base64_with_padding() {
    for text in [
        "A",
        "AA",
        "AAA",
        "AA=",
        "AA===",
        "=",
        "AA==AA==",
        "A A=",
        "AA==\\n",
        "_w==",
        "-w==",
        "\u{e9}A==",
        "AB==",
        "AAB=",
    ] {
        assert_unreadable::<DecryptRequest>(&format!(r#"{{"CiphertextBlob":"{text}"}}"#), None);
        assert_unreadable::<EncryptRequest>(&format!(r#"{{"KeyId":"k","Plaintext":"{text}"}}"#), None);
    }
    assert!(decode::<DecryptRequest>(br#"{"CiphertextBlob":"/+8="}"#).is_ok());
}

#[test]
fn an_answer_is_never_much_longer_than_the_request() {
    let value = "v".repeat(5_000);
    let (_, text) = refusal::<TagResourceRequest>(&format!(
        r#"{{"KeyId":"k","Tags":[{{"TagKey":"{value}","TagValue":""}}]}}"#
    ));
    let shown = format!("Value '{}...' at", "v".repeat(1_024));
    assert!(text.unwrap().contains(&shown));

    let many = vec![r#"{"TagKey":""}"#; 50_000].join(",");
    let (_, text) = refusal::<TagResourceRequest>(&format!(r#"{{"KeyId":"k","Tags":[{many}]}}"#));
    let text = text.unwrap();
    assert!(text.starts_with("100000 validation errors detected: "), "{}", text.len());
    assert!(text.len() < 10_000, "{}", text.len());

    let tokens = vec![r#""""#; 50_000].join(",");
    let (_, text) = refusal::<DescribeKeyRequest>(&format!(r#"{{"KeyId":"k","GrantTokens":[{tokens}]}}"#));
    assert!(text.unwrap().len() < 10_000);
    let key = "k".repeat(100_000);
    let (_, text) = refusal::<DecryptRequest>(&format!(r#"{{"EncryptionContext":{{"{key}":null}}}}"#));
    assert!(text.unwrap().len() < 10_000);
}

#[test]
fn depth_is_no_danger() {
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    assert!(decode::<DescribeKeyRequest>(format!(r#"{{"KeyId":"k","Unknown":{deep}}}"#).as_bytes()).is_ok());
    let text = Some("Start of list found where not expected");
    assert_unreadable::<DescribeKeyRequest>(&format!(r#"{{"KeyId":{deep}}}"#), text);
    assert_unreadable::<DescribeKeyRequest>(&format!(r#"{{"GrantTokens":{deep}}}"#), text);
    assert_unreadable::<DescribeKeyRequest>(&deep, text);
    assert_unreadable::<DescribeKeyRequest>(&"[".repeat(500_000), None);
}

#[test]
fn an_error_body_leaves_the_message_out_when_there_is_none() {
    let fault = decode::<DescribeKeyRequest>(b"{}").unwrap_err();
    assert_eq!(
        String::from_utf8(encode_fault(&fault)).unwrap(),
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"}"#
    );
    let fault = decode::<DescribeKeyRequest>(b"").unwrap_err();
    assert_eq!(encode_fault(&fault), br#"{"__type":"SerializationException"}"#);
}

#[test]
fn what_an_operator_raises_is_longer_and_refused_in_the_same_words() {
    let raised = Limits { plaintext: 5_000, ciphertext: 7_000 };
    let text = |path: &str, maximum: usize| {
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: \
             Member must have length less than or equal to {maximum}"
        )
    };
    let encrypt = |limits: Limits, bytes: usize| {
        let body = format!(r#"{{"KeyId":"k","Plaintext":"{}"}}"#, zeros(bytes));
        decode_within::<EncryptRequest>(limits, body.as_bytes()).map(|_| ()).map_err(|fault| fault.message)
    };
    let decrypt = |limits: Limits, bytes: usize| {
        let body = format!(r#"{{"CiphertextBlob":"{}"}}"#, zeros(bytes));
        decode_within::<DecryptRequest>(limits, body.as_bytes()).map(|_| ()).map_err(|fault| fault.message)
    };
    assert_eq!(encrypt(raised, 5_000), Ok(()));
    assert_eq!(encrypt(raised, 5_001), Err(Some(text("plaintext", 5_000))));
    assert_eq!(decrypt(raised, 7_000), Ok(()));
    assert_eq!(decrypt(raised, 7_001), Err(Some(text("ciphertextBlob", 7_000))));
    // What is below the model's maximum leaves it.
    for limits in [Limits::default(), Limits { plaintext: 10, ciphertext: 10 }] {
        assert_eq!(encrypt(limits, 4_096), Ok(()));
        assert_eq!(encrypt(limits, 4_097), Err(Some(text("plaintext", 4_096))));
        assert_eq!(decrypt(limits, 6_144), Ok(()));
        assert_eq!(decrypt(limits, 6_145), Err(Some(text("ciphertextBlob", 6_144))));
    }
    // Members of the same shape in other requests keep their maximum.
    let message = format!(r#"{{"KeyId":"k","Message":"{}","MacAlgorithm":"HMAC_SHA_256"}}"#, zeros(4_097));
    let refused = decode_within::<GenerateMacRequest>(raised, message.as_bytes()).err().unwrap();
    assert_eq!(refused.message, Some(text("message", 4_096)));
}

#[test]
fn a_raised_length_is_told_among_other_violations() {
    let limits = Limits { plaintext: 5_000, ciphertext: 0 };
    let body = format!(r#"{{"KeyId":"","Plaintext":"{}"}}"#, zeros(5_001));
    let refused = decode_within::<EncryptRequest>(limits, body.as_bytes()).err().unwrap();
    let text = "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: \
                Member must have length greater than or equal to 1; \
                Value at 'plaintext' failed to satisfy constraint: \
                Member must have length less than or equal to 5000";
    assert_eq!(refused.message.as_deref(), Some(text));
    let empty = decode_within::<EncryptRequest>(limits, br#"{"KeyId":"k","Plaintext":""}"#).err().unwrap();
    assert!(empty.message.unwrap().ends_with("greater than or equal to 1"), "the minimum stays");
}
