//! The codec through real request and response types of IAM and STS.

use base::{SecretString, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::iam::{self, *};
use crate::sts;

const REQUEST_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn read<R: Request>(body: &str) -> Result<R, Fault> {
    decode(&Form::parse(body.as_bytes()).unwrap())
}

fn refusal<R: Request>(body: &str) -> (&'static str, u16, String) {
    match read::<R>(body) {
        Ok(_) => panic!("accepted: {body}"),
        Err(fault) => (fault.code, fault.status, fault.message.unwrap()),
    }
}

#[track_caller]
fn assert_invalid<R: Request>(body: &str, text: &str) {
    assert_eq!(refusal::<R>(body), ("ValidationError", 400, text.to_owned()), "{body}");
}

fn written<R: Response>(operation: &str, response: &R) -> String {
    String::from_utf8(encode(iam::NAMESPACE, operation, response, REQUEST_ID)).unwrap()
}

/// What an XML parser makes of character data, for the entities that we write.
fn unescape(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"', '\'', '\r']), "markup in character data: {text}");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#xD;", "\r")
        .replace("&amp;", "&")
}

#[test]
fn structures_and_lists_are_read_by_their_names() {
    let request: CreateUserRequest = read(
        "Action=CreateUser&UserName=alice&Path=%2Fops%2F&Tags.member.2.Key=b&Tags.member.2.Value=&\
         Tags.member.1.Key=a&Tags.member.1.Value=1&Unknown.member.1=x",
    )
    .unwrap();
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    assert_eq!(
        request,
        CreateUserRequest {
            user_name: "alice".to_owned(),
            path: Some("/ops/".to_owned()),
            tags: Some(vec![tag("a", "1"), tag("b", "")]),
            permissions_boundary: None,
        }
    );
    let request: UntagUserRequest =
        read("UserName=a&TagKeys.member.10=z&TagKeys.member.9=y&TagKeys.member.1=x").unwrap();
    assert_eq!(request.tag_keys, ["x", "y", "z"]);
    let request: CreateUserRequest = read("UserName=a&Tags=").unwrap();
    assert_eq!(request.tags, Some(Vec::new()));
    let request: ListPoliciesRequest = read("OnlyAttached=True&MaxItems=7&Scope=Local").unwrap();
    assert_eq!(
        (request.only_attached, request.max_items, request.scope),
        (Some(true), Some(7), Some(PolicyScopeType::Local))
    );
    assert_eq!(read::<GetUserRequest>("").unwrap(), GetUserRequest::default());
}

#[test]
fn constraints_are_told_in_awss_words() {
    const ONE: &str = "1 validation error detected: Value";
    assert_invalid::<CreateUserRequest>(
        "",
        &format!("{ONE} null at 'userName' failed to satisfy constraint: Member must not be null"),
    );
    assert_invalid::<CreateUserRequest>(
        "UserName=a+b",
        &format!(
            "{ONE} 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression \
             pattern: [\\w+=,.@-]+"
        ),
    );
    let long = "n".repeat(65);
    assert_invalid::<CreateUserRequest>(
        &format!("UserName={long}"),
        &format!(
            "{ONE} '{long}' at 'userName' failed to satisfy constraint: Member must have length less than or \
             equal to 64"
        ),
    );
    assert_invalid::<CreateUserRequest>(
        "UserName=a&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Value=v",
        &format!("{ONE} null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null"),
    );
    assert_invalid::<ListUsersRequest>(
        "MaxItems=0",
        &format!(
            "{ONE} '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ),
    );
    assert_invalid::<UpdateAccessKeyRequest>(
        "AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=active",
        &format!(
            "{ONE} 'active' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]"
        ),
    );
    let many: String = (1..=51)
        .map(|number| format!("&Tags.member.{number}.Key=k{number}&Tags.member.{number}.Value="))
        .collect();
    assert_invalid::<CreateUserRequest>(
        &format!("UserName=a{many}"),
        &format!(
            "{ONE} at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"
        ),
    );
    assert_invalid::<UntagUserRequest>(
        "UserName=a&TagKeys.member.1=%21",
        &format!(
            "{ONE} '[!]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must \
             satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]+, Member must have length \
             less than or equal to 128, Member must have length greater than or equal to 1]"
        ),
    );
    let (code, _, text) = refusal::<CreateUserRequest>("UserName=&Path=x");
    assert!(code == "ValidationError" && text.starts_with("3 validation errors detected: "), "{text}");
}

#[test]
fn values_of_another_type_are_malformed() {
    for body in ["MaxItems=many", "MaxItems=1.5", "MaxItems=", "MaxItems.member.1=5"] {
        assert_eq!(refusal::<ListUsersRequest>(body).0, "MalformedInput", "{body}");
    }
    for body in ["UserName=a&Tags=x", "UserName=a&Tags.member.1=x", "UserName.member.1=a"] {
        assert_eq!(refusal::<CreateUserRequest>(body).0, "MalformedInput", "{body}");
    }
    assert_eq!(refusal::<UntagUserRequest>("UserName=a&TagKeys.member.1.Key=k").0, "MalformedInput");
    assert_eq!(refusal::<ListPoliciesRequest>("OnlyAttached=yes").0, "MalformedInput");
}

#[test]
fn letters_of_every_language_make_a_tag() {
    assert!(
        read::<CreateUserRequest>(
            "UserName=a&Tags.member.1.Key=%C3%A9%E4%B8%AD+%E2%85%A7&Tags.member.1.Value=%40"
        )
        .is_ok()
    );
    assert!(read::<CreateUserRequest>("UserName=a&Tags.member.1.Key=%21&Tags.member.1.Value=").is_err());
}

#[test]
fn account_aliases_have_no_two_dashes_in_a_row() {
    for (alias, taken) in [
        ("abc", true),
        ("a-b-c", true),
        ("0a9", true),
        ("a--b", false),
        ("-ab", false),
        ("ab-", false),
        ("ABC", false),
        ("ab", false),
    ] {
        assert_eq!(
            read::<CreateAccountAliasRequest>(&format!("AccountAlias={alias}")).is_ok(),
            taken,
            "{alias}"
        );
    }
}

#[test]
fn an_answer_has_the_published_form() {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html, sample response, without its
    // white space; the order of members is the model's.
    let response = sts::GetCallerIdentityResponse {
        user_id: Some("AIDACKCEVSQ6C2EXAMPLE".to_owned()),
        account: Some("123456789012".to_owned()),
        arn: Some("arn:aws:iam::123456789012:user/Alice".to_owned()),
    };
    let answer = encode(sts::NAMESPACE, "GetCallerIdentity", &response, REQUEST_ID);
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account>\
         <Arn>arn:aws:iam::123456789012:user/Alice</Arn></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    );
}

#[test]
fn lists_dates_secrets_maps_and_nothing_have_their_forms() {
    let key = AccessKey {
        user_name: "a&b".to_owned(),
        access_key_id: "AKIA".to_owned(),
        status: StatusType::Active,
        secret_access_key: SecretString::new("a/b+c".to_owned()),
        create_date: Some(Timestamp::from_seconds(1_537_465_261)),
    };
    let answer = written("CreateAccessKey", &CreateAccessKeyResponse { access_key: key });
    assert!(answer.contains(
        "<CreateAccessKeyResult><AccessKey><UserName>a&amp;b</UserName><AccessKeyId>AKIA</AccessKeyId>\
         <Status>Active</Status><SecretAccessKey>a/b+c</SecretAccessKey>\
         <CreateDate>2018-09-20T17:41:01Z</CreateDate></AccessKey></CreateAccessKeyResult>"
    ));
    let names = ListUserPoliciesResponse {
        policy_names: vec!["a".to_owned(), "b".to_owned()],
        is_truncated: Some(false),
        marker: None,
    };
    assert!(written("ListUserPolicies", &names).contains(
        "<ListUserPoliciesResult><PolicyNames><member>a</member><member>b</member></PolicyNames>\
         <IsTruncated>false</IsTruncated></ListUserPoliciesResult>"
    ));
    let summary = GetAccountSummaryResponse {
        summary_map: Some([(SummaryKeyType::Users, 3), (SummaryKeyType::UsersQuota, 5_000)].into()),
    };
    assert!(written("GetAccountSummary", &summary).contains(
        "<SummaryMap><entry><key>Users</key><value>3</value></entry>\
         <entry><key>UsersQuota</key><value>5000</value></entry></SummaryMap>"
    ));
    let nothing = written("DeleteUser", &DeleteUserResponse);
    assert!(nothing.starts_with(
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>"
    ));
}

#[test]
fn secret_bytes_are_base64_as_a_whole() {
    for length in 0..10_u8 {
        let bytes: Vec<u8> = (0..length).collect();
        let mut written = Vec::new();
        base::SecretBytes::new(bytes.clone()).encode(&mut written);
        assert_eq!(String::from_utf8(written).unwrap(), base64_simd::STANDARD.encode_to_string(&bytes));
    }
}

#[test]
fn a_fault_says_who_is_to_blame() {
    let fault = Fault::bad_request("AccessDenied", "not <you> & \"me\"").with_status(403);
    assert_eq!(
        String::from_utf8(encode_fault(sts::NAMESPACE, &fault, REQUEST_ID)).unwrap(),
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>not &lt;you&gt; &amp; &quot;me&quot;</Message></Error>\
         <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ErrorResponse>"
    );
    let fault = Fault::without_text("InternalFailure").with_status(500);
    let answer = String::from_utf8(encode_fault(sts::NAMESPACE, &fault, REQUEST_ID)).unwrap();
    assert!(answer.contains("<Type>Receiver</Type><Code>InternalFailure</Code></Error>"));
}

#[test]
fn characters_that_xml_cannot_carry_are_replaced() {
    let mut xml = Vec::new();
    xml.text("a\0b\u{1f}c\u{fffe}d\r\n\te\u{7f}");
    assert_eq!(String::from_utf8(xml).unwrap(), "a\u{fffd}b\u{fffd}c\u{fffd}d&#xD;\n\te\u{7f}");
}

#[test]
fn documents_are_escaped_but_for_unreserved_characters() {
    assert_eq!(percent_encode("{\"a\": \"-._~é/*\"}"), "%7B%22a%22%3A%20%22-._~%C3%A9%2F%2A%22%7D");
}

proptest! {
    #[test]
    fn any_form_is_a_request_or_refused(
        parameters in proptest::collection::vec(
            ("(UserName|Path|Tags|MaxItems|TagKeys|Scope|OnlyAttached)?(\\.member)?(\\.[0-9]{1,12})?(\\.(Key|Value))?", ".{0,20}"),
            0..12,
        )
    ) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
        let form = Form::parse(body.as_bytes()).unwrap();
        let check = |fault: Option<Fault>| {
            fault.is_none_or(|fault| {
                ["ValidationError", "MalformedInput"].contains(&fault.code) && fault.message.unwrap().len() < 20_000
            })
        };
        prop_assert!(check(decode::<CreateUserRequest>(&form).err()));
        prop_assert!(check(decode::<UntagUserRequest>(&form).err()));
        prop_assert!(check(decode::<ListPoliciesRequest>(&form).err()));
        prop_assert!(check(decode::<CreateOpenIDConnectProviderRequest>(&form).err()));
    }

    #[test]
    fn any_bytes_are_a_request_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(form) = Form::parse(&body) {
            let _ = decode::<CreateRoleRequest>(&form);
        }
    }

    #[test]
    fn tags_read_back(tags in proptest::collection::vec(("[\\w ]{1,20}", "[\\w ]{0,20}"), 0..30)) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("UserName", "a");
        for (at, (key, value)) in tags.iter().enumerate() {
            form.append_pair(&format!("Tags.member.{}.Key", at + 1), key);
            form.append_pair(&format!("Tags.member.{}.Value", at + 1), value);
        }
        if let Ok(request) = read::<CreateUserRequest>(&form.finish()) {
            let read: Vec<_> = request.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
            prop_assert_eq!(read, tags);
        }
    }

    #[test]
    fn texts_come_through_an_xml_parser_unchanged(
        value in "[\\t\\n\\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,40}"
    ) {
        let response = sts::GetCallerIdentityResponse { arn: Some(value.clone()), ..Default::default() };
        let answer = written("Op", &response);
        let inner = answer.split("<Arn>").nth(1).unwrap().split("</Arn>").next().unwrap();
        prop_assert_eq!(unescape(inner), value);
    }

    #[test]
    fn encoded_documents_decode_to_themselves(text in ".{0,80}") {
        let encoded = percent_encode(&text);
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert_eq!(percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap(), text);
    }
}

#[test]
fn the_pinned_operations_and_their_patterns_are_there() {
    assert_eq!(iam::OPERATION_NAMES.len(), 97);
    assert!(sts::OPERATION_NAMES.contains(&"GetCallerIdentity"));
    for pattern in iam::patterns().chain(sts::patterns()) {
        assert!(pattern.compiles());
    }
    assert_eq!(ErrorCode::EntityAlreadyExistsException.as_str(), "EntityAlreadyExists");
    assert_eq!(ErrorCode::EntityAlreadyExistsException.fault("x").status, 409);
    assert_eq!(ErrorCode::NoSuchEntityException.status(), 404);
}
