//! The generated types against the specification of the operations (sections 1.2 and 1.3, annex A).

use std::collections::BTreeSet;

use super::*;
use crate::json::decode;

fn accepts<R: json::Request>(body: &str) -> bool {
    match decode::<R>(body.as_bytes()) {
        Ok(_) => true,
        Err(fault) => {
            assert_eq!(fault.code, "ValidationException", "{body}: {fault:?}");
            false
        }
    }
}

#[test]
fn there_are_56_operations() {
    let names: BTreeSet<&str> = OPERATION_NAMES.into_iter().collect();
    assert_eq!(names.len(), 56);
    for name in [Encrypt::NAME, ReEncrypt::NAME, Encapsulate::NAME, Decapsulate::NAME, "GetKeyLastUsage"] {
        assert!(names.contains(name), "{name}");
    }
    assert!(!names.contains("encrypt"));
}

#[test]
fn operations_name_their_errors() {
    assert!(Decrypt::ERRORS.contains(&ErrorCode::IncorrectKeyException));
    assert!(Decrypt::ERRORS.contains(&ErrorCode::InvalidCiphertextException));
    assert!(!Encrypt::ERRORS.contains(&ErrorCode::InvalidCiphertextException));
    assert!(Encapsulate::ERRORS.contains(&ErrorCode::DryRunOperationException));
}

#[test]
fn three_errors_are_faults_of_the_service() {
    let faults: Vec<&str> =
        ErrorCode::ALL.into_iter().filter(|code| code.status() == 500).map(ErrorCode::as_str).collect();
    assert_eq!(faults, ["DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"]);
    assert!(ErrorCode::ALL.into_iter().all(|code| matches!(code.status(), 400 | 500)));
    assert_eq!(ErrorCode::ALL.len(), 48);
    let fault = ErrorCode::NotFoundException.fault("Invalid keyId 'x'");
    assert_eq!(
        (fault.code, fault.status, fault.message.as_deref()),
        ("NotFoundException", 400, Some("Invalid keyId 'x'"))
    );
    assert_eq!(ErrorCode::KMSInvalidSignatureException.fault_without_text().message, None);
}

#[test]
fn names_of_enumerations_read_back() {
    for spec in KeySpec::ALL {
        assert_eq!(spec.as_str().parse(), Ok(spec));
        assert_eq!(spec.to_string(), spec.as_str());
    }
    assert_eq!("rsa_2048".parse::<KeySpec>(), Err(UnknownValue));
    assert_eq!(KeySpec::ALL.len(), 20, "17 of the older model and three of ML-KEM");
    assert_eq!(KeySpec::EccSecgP256k1.as_str(), "ECC_SECG_P256K1");
    assert_eq!(ResourceOwnerType::SelfValue.as_str(), "SELF");
    assert_eq!(GrantOperation::ALL.len(), 19);
    let signing: Vec<&str> =
        SigningAlgorithmSpec::ALL.into_iter().map(SigningAlgorithmSpec::as_str).collect();
    assert!(signing.contains(&"RSASSA_PKCS1_V1_5_SHA_256") && signing.contains(&"ED25519_PH_SHA_512"));
}

#[test]
fn every_pattern_compiles() {
    for pattern in generated::PATTERNS {
        assert!(pattern.compiles());
    }
    assert_eq!(generated::PATTERNS.len(), 19, "those that a request can meet");
}

#[test]
fn every_pattern_tells_good_from_bad() {
    for (body, accepts, good, bad) in PATTERN_CASES {
        assert!(accepts(&body.replace('@', good)), "{body} {good}");
        assert!(!accepts(&body.replace('@', bad)), "{body} {bad}");
    }
    let policy = |text: &str| accepts::<CreateKeyRequest>(&format!(r#"{{"Policy":"{text}"}}"#));
    assert!(policy(r"\t\n\r \u00ff") && !policy(r"\u0000") && !policy(r"\u0100") && !policy(r"\u000b"));
}

const BACKING_KEY_ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const UPPER_ID: &str = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

type Accepts = fn(&str) -> bool;

/// A request with a gap, whether it is accepted, a value that matches, and one that does not: by hand, from the words
/// of each pattern in the model.
const PATTERN_CASES: [(&str, Accepts, &str, &str); 16] = [
    (r#"{"AliasName":"@","TargetKeyId":"k"}"#, accepts::<CreateAliasRequest>, "alias/a_b-c", "alias/a b"),
    (
        r#"{"KeyId":"k","KeyMaterialId":"@"}"#,
        accepts::<DeleteImportedKeyMaterialRequest>,
        BACKING_KEY_ID,
        UPPER_ID,
    ),
    (
        r#"{"CustomKeyStoreName":"n","CloudHsmClusterId":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "cluster-abcdefghij2",
        "cluster-abcdefghij1",
    ),
    (
        r#"{"CustomKeyStoreName":"n","XksProxyUriEndpoint":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "https://a.example",
        "http://ab.example",
    ),
    (
        r#"{"CustomKeyStoreName":"n","XksProxyUriPath":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "/a/b/kms/xks/v1",
        "/kms/xks/v100",
    ),
    (
        r#"{"CustomKeyStoreName":"n","XksProxyUriPath":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "/kms/xks/v12",
        "/kms/xks/v1/",
    ),
    (
        r#"{"CustomKeyStoreName":"n","XksProxyVpcEndpointServiceName":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "com.amazonaws.vpce.eu-west-1.vpce-svc-0a",
        "com.amazonaws.vpce.eu-west.vpce-svc-0a",
    ),
    (
        r#"{"CustomKeyStoreName":"n","XksProxyVpcEndpointServiceOwner":"@"}"#,
        accepts::<CreateCustomKeyStoreRequest>,
        "123456789012",
        "12345678901x",
    ),
    (
        r#"{"KeyId":"k","Operations":[],"Constraints":{"SourceArn":"@"}}"#,
        accepts::<CreateGrantRequest>,
        "arn:aws:s3::123456789012:b",
        "arn:gcp:s3:::bucket/key/long",
    ),
    (
        r#"{"KeyId":"k","Operations":[],"GranteePrincipal":"@"}"#,
        accepts::<CreateGrantRequest>,
        "arn:aws:iam::1:user/a+b=c,d.e@f",
        "arn:aws:iam::1:user/ä",
    ),
    (
        r#"{"KeyId":"k","Operations":[],"GranteeServicePrincipal":"@"}"#,
        accepts::<CreateGrantRequest>,
        "rds.amazonaws.com",
        "amazonaws.com",
    ),
    (r#"{"KeyId":"k","Operations":[],"Name":"@"}"#, accepts::<CreateGrantRequest>, "a:/_-9", "a b"),
    (
        r#"{"KeyId":"k","ImportToken":"AA==","EncryptedKeyMaterial":"AA==","KeyMaterialDescription":"@"}"#,
        accepts::<ImportKeyMaterialRequest>,
        "a b\\tc",
        "a\\u00a0b",
    ),
    (r#"{"KeyId":"k","PolicyName":"@"}"#, accepts::<GetKeyPolicyRequest>, "default_1", "défaut"),
    (r#"{"KeyId":"k","ReplicaRegion":"@"}"#, accepts::<ReplicateKeyRequest>, "us-gov-west-1", "EU-west-1"),
    (r#"{"XksKeyId":"@"}"#, accepts::<CreateKeyRequest>, "a-b_c.9", "a/b"),
];
