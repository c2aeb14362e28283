//! What is shown, and what never is.

use base::{SecretBytes, SecretString, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::iam::{AccessKey, CreateAccessKeyResponse, StatusType};
use crate::kms::{
    CreateGrantRequest, CreateGrantResponse, CreateKeyResponse, EncryptRequest, EncryptionAlgorithmSpec,
    GrantConstraints, GrantOperation, ImportKeyMaterialRequest, KeyMetadata, ListKeysRequest,
    RetireGrantRequest,
};
use crate::sts::{AssumeRoleResponse, AssumeRoleWithWebIdentityRequest, Credentials};

fn read(structure: &impl Shown) -> Value {
    shown(structure).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

fn context() -> Option<BTreeMap<String, String>> {
    Some(BTreeMap::from([("Tenant".to_owned(), "a \"b\"\n".to_owned())]))
}

#[test]
fn a_request_is_shown_without_plaintext_and_tokens() {
    let request = EncryptRequest {
        key_id: "alias/app".into(),
        plaintext: SecretBytes::new(b"secret".to_vec()),
        encryption_context: context(),
        grant_tokens: Some(vec!["secret".into()]),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        dry_run: Some(true),
    };
    assert_eq!(
        read(&request),
        json!({"keyId": "alias/app", "encryptionContext": {"Tenant": "a \"b\"\n"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
               "dryRun": true})
    );
}

#[test]
fn constraints_and_lists_are_shown_as_they_are() {
    let request = CreateGrantRequest {
        key_id: "k".into(),
        operations: vec![GrantOperation::Decrypt, GrantOperation::Encrypt],
        constraints: Some(GrantConstraints {
            encryption_context_equals: context(),
            ..GrantConstraints::default()
        }),
        grant_tokens: Some(vec!["secret".into()]),
        ..CreateGrantRequest::default()
    };
    assert_eq!(
        read(&request),
        json!({"keyId": "k", "operations": ["Decrypt", "Encrypt"], "constraints": {"encryptionContextEquals": {"Tenant": "a \"b\"\n"}}})
    );
    let response = CreateGrantResponse { grant_token: Some("secret".into()), grant_id: Some("g".into()) };
    assert_eq!(read(&response), json!({"grantId": "g"}));
}

#[test]
fn where_nothing_can_be_shown_there_is_nothing() {
    assert_eq!(shown(&ListKeysRequest::default()), None);
    let request = RetireGrantRequest { grant_token: Some("secret".into()), ..RetireGrantRequest::default() };
    assert_eq!(shown(&request), None);
    let with = shown_with(&request, [("keyId", "k"), ("x", "\"")]).unwrap();
    assert_eq!(with, br#"{"keyId":"k","x":"\""}"#);
}

#[test]
fn moments_are_told_in_words_and_names_begin_in_lower_case() {
    for (time, words) in [
        ("2022-08-10T22:38:27Z", "Aug 10, 2022, 10:38:27 PM"),
        ("2024-11-09T00:05:09Z", "Nov 9, 2024, 12:05:09 AM"),
    ] {
        let metadata = KeyMetadata {
            aws_account_id: Some("123456789012".into()),
            key_id: "k".into(),
            creation_date: Some(time.parse::<Timestamp>().unwrap()),
            ..KeyMetadata::default()
        };
        let response = CreateKeyResponse { key_metadata: Some(metadata) };
        let shown =
            json!({"keyMetadata": {"aWSAccountId": "123456789012", "keyId": "k", "creationDate": words}});
        assert_eq!(read(&response), shown);
    }
}

#[test]
fn secrets_of_access_keys_and_sessions_are_not_shown() {
    let expiration: Timestamp = "2022-08-10T22:38:27Z".parse().unwrap();
    let credentials = Credentials {
        access_key_id: "ASIAEXAMPLE".into(),
        secret_access_key: SecretString::new("secret".to_owned()),
        session_token: "secret".into(),
        expiration,
    };
    let response = AssumeRoleResponse {
        credentials: Some(credentials),
        assumed_role_user: None,
        packed_policy_size: None,
        source_identity: None,
        session_token_size: None,
        session_token_utilization: None,
    };
    assert_eq!(
        read(&response),
        json!({"credentials": {"accessKeyId": "ASIAEXAMPLE", "expiration": "Aug 10, 2022, 10:38:27 PM"}})
    );
    let access_key = AccessKey {
        user_name: "alice".into(),
        access_key_id: "AKIAEXAMPLE".into(),
        status: StatusType::Active,
        secret_access_key: SecretString::new("secret".to_owned()),
        create_date: Some(expiration),
    };
    let shown = read(&CreateAccessKeyResponse { access_key });
    assert_eq!(shown["accessKey"]["accessKeyId"], "AKIAEXAMPLE");
    assert!(!shown.to_string().contains("secret"));
}

#[test]
fn what_is_imported_and_web_identity_tokens_are_not_shown() {
    let request = ImportKeyMaterialRequest {
        key_id: "k".into(),
        import_token: b"secret".to_vec(),
        encrypted_key_material: b"secret".to_vec(),
        ..ImportKeyMaterialRequest::default()
    };
    assert_eq!(read(&request), json!({"keyId": "k"}));
    let request = AssumeRoleWithWebIdentityRequest {
        role_arn: "arn:r".into(),
        role_session_name: "s".into(),
        web_identity_token: SecretString::new("secret".to_owned()),
        provider_id: None,
        policy_arns: None,
        policy: None,
        duration_seconds: Some(900),
        minimum_session_token_size: None,
    };
    assert_eq!(read(&request), json!({"roleArn": "arn:r", "roleSessionName": "s", "durationSeconds": 900}));
}
