//! Whole events, as the published ones look.

use std::net::IpAddr;
use std::sync::Arc;

use base::{
    CallIds, Caller, CallingService, EventNotes, Federation, Principal, RequestId, Session, TlsDetails,
};
use serde_json::{Value, json};

use super::*;

const ACCOUNT: &str = "123456789012";
const OTHER_ACCOUNT: &str = "210987654321";
const ARN: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const KIND: &str = "AWS::KMS::Key";
const ENCRYPT: EventName = kms_event("Encrypt", true);
const ENABLE_KEY: EventName = kms_event("EnableKey", false);
/// The fields that every event of a call has, in the order of the published examples.
const PUBLISHED_ORDER: [&str; 24] = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "managementEvent",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "eventCategory",
    "tlsDetails",
];

const fn kms_event(operation: &'static str, read_only: bool) -> EventName {
    EventName { source: "kms.amazonaws.com", operation, read_only, is_global: false, is_data: false }
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn unsigned() -> UnsignedCall {
    UnsignedCall {
        request_id: RequestId::new([7; 16]),
        region: "eu-central-1".parse().unwrap(),
        time: Timestamp::from_iso_basic("20180920T174101Z").unwrap(),
        source_address: "192.0.2.7".parse::<IpAddr>().unwrap(),
        tls: None,
        user_agent: "aws-cli/2\n\"quoted\"".into(),
        event: Arc::new(EventNotes::new(EventId::new([9; 16]))),
    }
}

/// The call of a user.
fn call() -> Call {
    let principal = Principal::User { path_and_name: "ops/alice".into(), unique_id: "AIDAEXAMPLE".into() };
    call_of(principal, None)
}

fn call_of(principal: Principal, session: Option<Session>) -> Call {
    let access_key_id = "AKIAIOSFODNN7EXAMPLE".into();
    let caller = Caller { account: account(ACCOUNT), principal, access_key_id, session };
    unsigned().signed_by(Arc::new(caller), "eu-central-1".parse().unwrap())
}

/// The call of a role's session, over TLS.
fn call_of_session() -> Call {
    let role = Principal::RoleSession {
        path_and_name: "service/app".into(),
        unique_id: "AROAEXAMPLE".into(),
        session_name: "deploy".into(),
    };
    let session = Session {
        issued_at: Timestamp::from_iso_basic("20180920T170000Z").unwrap(),
        multi_factor_at: None,
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        policies: None,
        source_identity: None,
        federation: Some(Federation { provider: "accounts.google.com".into(), claims: Vec::new() }),
    };
    let tls = TlsDetails {
        version: "TLSv1.3",
        cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
        key_exchange: Some("X25519MLKEM768"),
        host: "kms.example.com".into(),
    };
    Call { tls: Some(Arc::new(tls)), ..call_of(role, Some(session)) }
}

fn event_lines(call: &Call, name: EventName, error: Option<EventError<'_>>) -> Vec<String> {
    let mut number = 0;
    let new_id = || {
        number += 1;
        EventId::new([number; 16])
    };
    let id = call.event.id();
    let lines = call.event.so_far(|noted| events_of_call(call, id, name, noted, error, new_id));
    lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
}

fn events(call: &Call, name: EventName, error: Option<EventError<'_>>) -> Vec<Value> {
    let lines = event_lines(call, name, error);
    assert!(lines.iter().all(|line| !line.contains('\n')), "an event is one line");
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn event(call: &Call, name: EventName, error: Option<EventError<'_>>) -> Value {
    let mut all = events(call, name, error);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn error<'a>(code: &'a str, message: &'a str) -> Option<EventError<'a>> {
    Some(EventError { code, message: Some(message) })
}

/// The fields of an event in the order in which they are written: those of its own, not of what they hold.
fn order(line: &str) -> Vec<&'static str> {
    let written = |field: &str| line.find(&format!("\"{field}\":"));
    let mut found: Vec<_> =
        PUBLISHED_ORDER.iter().filter_map(|field| Some((written(field)?, *field))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, field)| field).collect()
}

#[test]
fn a_call_is_told_in_cloudtrails_form() {
    let call = call();
    call.event.add_resource(KIND, account(ACCOUNT), ARN);
    call.event.set_request_parameters(Some(br#"{"keyId":"alias/app"}"#.to_vec()));
    call.event.set_response_elements(Some(format!(r#"{{"keyId":"{ARN}"}}"#).into_bytes()));
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::123456789012:user/ops/alice",
            "accountId": "123456789012",
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": "alice"
        },
        "eventTime": "2018-09-20T17:41:01Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "EnableKey",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2\n\"quoted\"",
        "requestParameters": {"keyId": "alias/app"},
        "responseElements": {"keyId": ARN},
        "requestID": "07070707-0707-4707-8707-070707070707",
        "eventID": "09090909-0909-4909-8909-090909090909",
        "readOnly": false,
        "resources": [{"accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": ARN}],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management"
    });
    assert_eq!(event(&call, ENABLE_KEY, None), expected);
}

#[test]
fn fields_are_written_in_the_published_order() {
    let call = call_of_session();
    call.event.add_resource(KIND, account(OTHER_ACCOUNT), "arn:aws:kms:eu-central-1:210987654321:key/k");
    call.event.add("keyMaterialId", "00ff");
    let without = |absent: &[&str]| -> Vec<&str> {
        PUBLISHED_ORDER.into_iter().filter(|field| !absent.contains(field)).collect()
    };
    let line = event_lines(&call, ENCRYPT, None).remove(0);
    assert_eq!(order(&line), without(&["errorCode", "errorMessage", "serviceEventDetails"]));
    let line = event_lines(&call, ENCRYPT, error("AccessDenied", "no")).remove(0);
    assert_eq!(order(&line), without(&["serviceEventDetails", "sharedEventID"]));
}

#[test]
fn a_call_without_anything_to_show_says_null() {
    let line = event_lines(&call(), ENCRYPT, None).remove(0);
    assert!(line.contains(r#""requestParameters":null,"responseElements":null,"requestID":"#), "{line}");
    let event: Value = serde_json::from_str(&line).unwrap();
    for absent in
        ["resources", "additionalEventData", "sharedEventID", "tlsDetails", "errorCode", "errorMessage"]
    {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["readOnly"], true);
}

#[test]
fn a_call_about_nothing_in_particular_can_say_so() {
    let call = call();
    call.event.tell_no_resources();
    assert_eq!(event(&call, ENCRYPT, None)["resources"], json!([]));
}

#[test]
fn a_refused_call_tells_why_and_what_was_asked_but_no_response() {
    let call = call();
    call.event.add_resource(KIND, account(ACCOUNT), ARN);
    call.event.set_request_parameters(Some(br#"{"keyId":"k"}"#.to_vec()));
    call.event.set_response_elements(Some(b"{}".to_vec()));
    let refused = event(&call, ENABLE_KEY, error("AccessDenied", "User: alice is not authorized"));
    assert_eq!(refused["errorCode"], "AccessDenied");
    assert_eq!(refused["errorMessage"], "User: alice is not authorized");
    assert_eq!(refused["requestParameters"], json!({"keyId": "k"}));
    assert_eq!(refused["responseElements"], Value::Null);
    assert_eq!(refused["resources"][0]["ARN"], ARN);
    assert_eq!(refused["eventType"], "AwsApiCall");
    let silent = event(&call, ENABLE_KEY, Some(EventError { code: "Throttling", message: None }));
    assert_eq!((&silent["errorCode"], silent.get("errorMessage")), (&json!("Throttling"), None));
}

#[test]
fn a_session_over_tls_tells_its_role_and_its_connection() {
    let event = event(&call_of_session(), ENCRYPT, None);
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["principalId"], "AROAEXAMPLE:deploy");
    assert_eq!(identity["arn"], "arn:aws:sts::123456789012:assumed-role/app/deploy");
    let context = json!({
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLE",
            "arn": "arn:aws:iam::123456789012:role/service/app",
            "accountId": "123456789012",
            "userName": "app"
        },
        "webIdFederationData": {"federatedProvider": "accounts.google.com"},
        "attributes": {"creationDate": "2018-09-20T17:00:00Z", "mfaAuthenticated": "false"}
    });
    assert_eq!(identity["sessionContext"], context);
    let tls = json!({
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_256_GCM_SHA384",
        "clientProvidedHostHeader": "kms.example.com",
        "keyExchange": "X25519MLKEM768"
    });
    assert_eq!(event["tlsDetails"], tls);
}

#[test]
fn a_key_exchange_that_is_not_known_is_left_out() {
    let mut call = call_of_session();
    let known = call.tls.as_deref().unwrap().clone();
    call.tls = Some(Arc::new(TlsDetails { key_exchange: None, ..known }));
    assert_eq!(event(&call, ENCRYPT, None)["tlsDetails"].get("keyExchange"), None);
}

fn s3() -> (CallingService<'static>, CallIds) {
    let service = CallingService { name: "s3", source_arn: None, source_account: None };
    (service, CallIds { request: RequestId::new([8; 16]), event: EventId::new([10; 16]) })
}

#[test]
fn a_service_that_calls_for_somebody_stands_where_the_client_would() {
    let (service, ids) = s3();
    let event = event(&call_of_session().forwarded_by(service, ids), ENCRYPT, None);
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:sts::123456789012:assumed-role/app/deploy");
    assert_eq!(event["userIdentity"]["invokedBy"], "s3.amazonaws.com");
    assert_eq!(event["sourceIPAddress"], "s3.amazonaws.com");
    assert_eq!(event["userAgent"], "s3.amazonaws.com");
    assert_eq!(event.get("tlsDetails"), None);
    assert_eq!(event["requestID"], "08080808-0808-4808-8808-080808080808");
    assert_eq!(event["eventID"], "0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a");
}

#[test]
fn a_service_in_its_own_name_is_the_caller() {
    let (service, ids) = s3();
    let event = event(&call_of_session().of_service(service, account(ACCOUNT), ids), ENCRYPT, None);
    assert_eq!(event["userIdentity"], json!({"type": "AWSService", "invokedBy": "s3.amazonaws.com"}));
    assert_eq!(
        (&event["sourceIPAddress"], &event["userAgent"]),
        (&json!("s3.amazonaws.com"), &json!("s3.amazonaws.com"))
    );
    assert_eq!(event["recipientAccountId"], ACCOUNT);
}

#[test]
fn what_the_service_does_by_itself_has_no_caller_and_no_request() {
    let (account, region) = (account(ACCOUNT), "eu-central-1".parse().unwrap());
    let time = Timestamp::from_seconds(0);
    let event =
        ServiceEvent::new(EventId::new([1; 16]), time, account, region, "kms.amazonaws.com", "RotateKey")
            .with_resource(KIND, account, ARN)
            .with_detail("rotationType", "AUTOMATIC")
            .with_detail("keyId", ARN);
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {"accountId": "123456789012", "invokedBy": "AWS Internal"},
        "eventTime": "1970-01-01T00:00:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "RotateKey",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": null,
        "responseElements": null,
        "eventID": "01010101-0101-4101-8101-010101010101",
        "readOnly": false,
        "resources": [{"accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": ARN}],
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": "123456789012",
        "serviceEventDetails": {"keyId": ARN, "rotationType": "AUTOMATIC"},
        "eventCategory": "Management"
    });
    assert_eq!(serde_json::from_slice::<Value>(&event.encode()).unwrap(), expected);
}

#[test]
fn each_other_account_whose_things_were_used_gets_a_copy() {
    let call = call();
    let (second, third) = ("210987654321", "333333333333");
    for owner in [ACCOUNT, second, third, second] {
        let arn = format!(
            "arn:aws:kms:eu-central-1:{owner}:key/{}",
            call.event.so_far(|noted| noted.resources.len())
        );
        call.event.add_resource(KIND, account(owner), arn);
    }
    let all = events(&call, ENCRYPT, None);
    let recipients: Vec<_> = all.iter().map(|event| event["recipientAccountId"].as_str().unwrap()).collect();
    assert_eq!(recipients, [ACCOUNT, second, third]);
    let mut ids: Vec<_> = all.iter().map(|event| event["eventID"].as_str().unwrap()).collect();
    assert_eq!(ids[0], call.event.id().to_string(), "the caller's has the id that was promised");
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(!all[0]["sharedEventID"].is_null());
    for copy in &all[1..] {
        assert_eq!(copy["sharedEventID"], all[0]["sharedEventID"]);
        let identity = json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT});
        assert_eq!(copy["userIdentity"], identity);
        for same in
            ["requestID", "eventTime", "eventName", "resources", "sourceIPAddress", "requestParameters"]
        {
            assert_eq!(copy[same], all[0][same], "{same}");
        }
    }
}

#[test]
fn a_denied_call_is_told_to_the_callers_account_alone() {
    let call = call();
    call.event.add_resource(KIND, account(OTHER_ACCOUNT), "arn:aws:kms:eu-central-1:210987654321:key/k");
    let refused = event(&call, ENCRYPT, error("AccessDenied", "no"));
    assert_eq!((&refused["recipientAccountId"], refused.get("sharedEventID")), (&json!(ACCOUNT), None));
}

#[test]
fn another_account_is_told_which_service_called() {
    let (service, ids) = s3();
    let call = call().forwarded_by(service, ids);
    call.event.add_resource(KIND, account(OTHER_ACCOUNT), "arn:aws:kms:eu-central-1:210987654321:key/k");
    let identity = &events(&call, ENCRYPT, None)[1]["userIdentity"];
    assert_eq!(
        (&identity["type"], &identity["invokedBy"]),
        (&json!("AWSAccount"), &json!("s3.amazonaws.com"))
    );
    assert_eq!(identity.get("arn"), None);
}

#[test]
fn what_is_global_is_told_in_its_region() {
    let name = EventName {
        source: "iam.amazonaws.com",
        operation: "CreateUser",
        read_only: false,
        is_global: true,
        is_data: false,
    };
    assert_eq!(event(&call(), name, None)["awsRegion"], "us-east-1");
}

#[test]
fn parameters_that_are_too_large_are_left_out_and_said_to_be() {
    let call = call();
    let of_size = |size: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(size - 8)).into_bytes();
    call.event.set_request_parameters(Some(of_size(100 * 1_024)));
    call.event.set_response_elements(Some(of_size(100 * 1_024 + 1)));
    let event = event(&call, ENABLE_KEY, None);
    assert_eq!(event["requestParameters"]["a"].as_str().unwrap().len(), 100 * 1_024 - 8);
    let omitted = json!({"omitted": true, "originalSize": 102_401, "reason": "responseElements too large"});
    assert_eq!(event["responseElements"], omitted);
}

#[test]
fn long_error_texts_are_cut_between_characters() {
    let call = call();
    let message = |text: String| event(&call, ENCRYPT, error("AccessDenied", &text))["errorMessage"].clone();
    assert_eq!(message("x".repeat(1_024)), "x".repeat(1_024));
    assert_eq!(message("x".repeat(1_025)), "x".repeat(1_024));
    // Two bytes each: the last one would end a byte too late.
    assert_eq!(message(format!("x{}", "ü".repeat(600))), format!("x{}", "ü".repeat(511)));
    // Four bytes each, and the cut would go through their middle.
    assert_eq!(message(format!("xx{}", "🔑".repeat(300))), format!("xx{}", "🔑".repeat(255)));
    assert_eq!(message(String::new()), "");
}

#[test]
fn additional_data_with_a_dot_in_its_name_is_nested() {
    let call = call();
    call.event.add("keyMaterialId", "00ff");
    call.event.add_number("bytesTransferredOut", 7);
    call.event.add("recipient.attestationDocumentModuleId", "i-1");
    call.event.add("recipient.attestationDocumentEnclaveImageDigest", "aa");
    let expected = json!({
        "keyMaterialId": "00ff",
        "bytesTransferredOut": 7,
        "recipient": {
            "attestationDocumentModuleId": "i-1",
            "attestationDocumentEnclaveImageDigest": "aa"
        }
    });
    assert_eq!(event(&call, ENCRYPT, None)["additionalEventData"], expected);
}

#[test]
fn the_holder_of_a_web_identity_token_is_told_by_provider_and_subject() {
    let call = unsigned();
    call.event.set_request_parameters(Some(br#"{"roleSessionName":"app"}"#.to_vec()));
    let holder = EventTokenHolder {
        account: account(ACCOUNT),
        provider: "accounts.google.com".to_owned(),
        audience: "audience".to_owned(),
        subject: "subject".to_owned(),
    };
    let name = EventName {
        source: "sts.amazonaws.com",
        operation: "AssumeRoleWithWebIdentity",
        read_only: true,
        is_global: false,
        is_data: false,
    };
    let told = |error: Option<EventError<'_>>| -> Value {
        let line = call.event.so_far(|noted| event_of_unsigned_call(&call, &holder, name, noted, error));
        serde_json::from_slice(&line).unwrap()
    };
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": "accounts.google.com:audience:subject",
            "userName": "subject",
            "identityProvider": "accounts.google.com"
        },
        "eventTime": "2018-09-20T17:41:01Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2\n\"quoted\"",
        "requestParameters": {"roleSessionName": "app"},
        "responseElements": null,
        "requestID": "07070707-0707-4707-8707-070707070707",
        "eventID": "09090909-0909-4909-8909-090909090909",
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management"
    });
    assert_eq!(told(None), expected);
    let refused = told(error("AccessDenied", "Not authorized"));
    assert_eq!(
        (&refused["errorCode"], &refused["errorMessage"]),
        (&json!("AccessDenied"), &json!("Not authorized"))
    );
}
