//! The awsJson protocol: the requests of operations out of bodies.

use wire::json::{Limits, Request, decode, decode_within};
use wire::{keywright, kms};

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "aws_json", run, seeds, words: &WORDS };

const WORDS: [&str; 26] = [
    "\"KeyId\":",
    "\"Plaintext\":",
    "\"CiphertextBlob\":",
    "\"EncryptionContext\":",
    "\"GrantTokens\":",
    "\"Tags\":",
    "\"TagKey\":",
    "\"TagValue\":",
    "\"Limit\":",
    "\"Marker\":",
    "\"Policy\":",
    "\"Description\":",
    "\"KeySpec\":",
    "\"NumberOfBytes\":",
    "\"DryRun\":",
    "\"ValidTo\":",
    "\"Recipient\":",
    "\"Operations\":",
    "\"Constraints\":",
    "null",
    "true",
    "1e999",
    "-0.0",
    "\"\\ud800\"",
    "\"AA==\"",
    "1700000000.5",
];

fn run(input: &[u8]) {
    one::<kms::CreateAliasRequest>(input);
    one::<kms::CreateGrantRequest>(input);
    one::<kms::CreateKeyRequest>(input);
    one::<kms::DecryptRequest>(input);
    one::<kms::EncryptRequest>(input);
    one::<kms::GenerateDataKeyRequest>(input);
    one::<kms::GenerateRandomRequest>(input);
    one::<kms::ImportKeyMaterialRequest>(input);
    one::<kms::ListGrantsRequest>(input);
    one::<kms::PutKeyPolicyRequest>(input);
    one::<kms::ReEncryptRequest>(input);
    one::<kms::ScheduleKeyDeletionRequest>(input);
    one::<kms::SignRequest>(input);
    one::<kms::TagResourceRequest>(input);
    one::<kms::VerifyMacRequest>(input);
    one::<keywright::CreateBackupRequest>(input);
    one::<keywright::ExplainRequestRequest>(input);
    one::<keywright::ListKeyAccessRequest>(input);
    one::<keywright::ListKeyUsageRequest>(input);
}

fn one<R: Request>(input: &[u8]) {
    let widest = Limits { plaintext: 1 << 20, ciphertext: 1 << 20 };
    let (strict, wide) = (decode::<R>(input), decode_within::<R>(widest, input));
    assert!(strict.is_err() || wide.is_ok(), "wider limits refuse more");
    if let Err(fault) = strict {
        assert_eq!(fault.status, 400, "{fault:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&wire::json::encode_fault(&fault)).is_ok());
    }
    // What is no JSON for another reader is no request here.
    if wide.is_ok() {
        assert!(
            serde_json::from_slice::<serde::de::IgnoredAny>(input).is_ok(),
            "a body that is no JSON is read"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r"{}",
        r#"{"KeyId":"alias/a","Plaintext":"aGVsbG8=","EncryptionContext":{"a":"b"},"GrantTokens":["x"],
        "DryRun":false,"EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        r#"{"CiphertextBlob":"AQIB",
        "EncryptionContext":null,"Recipient":{"KeyEncryptionAlgorithm":"RSAES_OAEP_SHA_256",
        "AttestationDocument":"AA=="}}"#,
        r#"{"KeyId":"1234abcd-12ab-34cd-56ef-1234567890ab","GranteePrincipal":"arn:aws:iam::111122223333:root",
        "Operations":["Decrypt"],"Constraints":{"EncryptionContextSubset":{"a":"b"}},"Name":"n"}"#,
        r#"{"Policy":"{}","Description":"d","KeyUsage":"SIGN_VERIFY","KeySpec":"ECC_NIST_P256",
        "Origin":"AWS_KMS","Tags":[{"TagKey":"a","TagValue":"b"}],"MultiRegion":true}"#,
        r#"{"KeyId":"a","ImportToken":"AA==","EncryptedKeyMaterial":"AA==",
        "ValidTo":1.7e9,"ExpirationModel":"KEY_MATERIAL_EXPIRES"}"#,
        r#"{"KeyId":"a","Limit":10,"Marker":"x","GrantId":"g",
        "NumberOfBytes":1024,"PendingWindowInDays":7,"KeySpec":"AES_256"}"#,
        r#"{"KeyId":"a","Message":"AA==","MessageType":"DIGEST","SigningAlgorithm":"ECDSA_SHA_256","Mac":"AA==",
        "MacAlgorithm":"HMAC_SHA_256"}"#,
        r#"{"SourceKeyId":"a","DestinationKeyId":"b","SourceEncryptionContext":{},"CiphertextBlob":"AA=="}"#,
        r#"{"AliasName":"alias/a","TargetKeyId":"b","Unknown":{"a":[1,2,{"b":null}]},"AliasName":"alias/b"}"#,
        r#"{"RequestId":"12345678-1234-4234-8234-123456789012","KeyId":"a",
        "PrincipalArn":"arn:aws:iam::111122223333:user/a"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
