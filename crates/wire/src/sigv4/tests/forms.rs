//! What one request shows better than a corpus: the edges of the clock window, the payload hash, who signed.

use base::{SecretString, Timestamp};

use super::{Refusal, RequestHead, SigningKey, parse};
use crate::sigv4::{IncompleteSignature, InvalidSignature, QUERY_PARAMETERS_MAX};

const SIGNATURE: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

fn authorization(signed_headers: &str) -> Vec<u8> {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,SignedHeaders={signed_headers},Signature={SIGNATURE}"
    )
    .into_bytes()
}

fn seconds(from_signing: i64) -> Timestamp {
    Timestamp::from_iso_basic("20150830T123600Z").unwrap().plus_seconds(from_signing)
}

fn key() -> SigningKey {
    let secret = SecretString::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    SigningKey::derive(&secret, "20150830", "us-east-1", "service")
}

#[test]
fn the_window_has_both_ends_and_whole_seconds() {
    let authorization = authorization("host;x-amz-date");
    let headers = [
        ("host", b"example.amazonaws.com".as_slice()),
        ("x-amz-date", b"20150830T123600Z"),
        ("authorization", &authorization),
    ];
    let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
    let signed = parse(&head).ok().unwrap();
    assert_eq!(signed.signed_at(), seconds(0));
    for (from_signing, fits) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        assert_eq!(signed.check_time(seconds(from_signing), 300).is_ok(), fits, "{from_signing}");
    }
    assert!(signed.check_time(seconds(300).plus_millis(999), 300).is_ok());
    assert!(matches!(
        signed.check_time(seconds(901), 900),
        Err(Refusal::InvalidSignature(InvalidSignature::Expired { valid_for: 900, .. }))
    ));
    assert!(matches!(
        signed.check_time(seconds(-901), 900),
        Err(Refusal::InvalidSignature(InvalidSignature::NotYetCurrent { window: 900, .. }))
    ));
}

#[test]
fn a_presigned_request_says_how_long_it_is_valid() {
    let query = |expires: &str| {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20150830%2Fr%2Fkms%2Faws4_request&X-Amz-Date=20150830T123600Z{expires}&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token=a%2Bb%2F%3D"
        )
    };
    let headers = [("host", b"h".as_slice())];
    for (expires, longest) in [("&X-Amz-Expires=604800", 604_800), ("&X-Amz-Expires=1", 1), ("", 300)] {
        let query = query(expires);
        let head = RequestHead { method: "GET", path: "/", query: &query, headers: &headers };
        let signed = parse(&head).ok().unwrap();
        assert_eq!(signed.access_key_id(), "a");
        assert_eq!(signed.session_token(), Some("a+b/="));
        for (from_signing, fits) in [(-301, false), (-300, true), (longest, true), (longest + 1, false)] {
            assert_eq!(
                signed.check_time(seconds(from_signing), 300).is_ok(),
                fits,
                "{expires} {from_signing}"
            );
        }
    }
}

#[test]
fn the_payload_hash_that_was_sent_must_be_that_of_the_body() {
    for (declared, right) in [
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true),
        ("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", false),
        ("UNSIGNED-PAYLOAD", false),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false),
        ("", false),
    ] {
        let authorization = authorization("host;x-amz-content-sha256;x-amz-date");
        let headers = [
            ("host", b"example.amazonaws.com".as_slice()),
            ("x-amz-content-sha256", declared.as_bytes()),
            ("x-amz-date", b"20150830T123600Z"),
            ("authorization", &authorization),
        ];
        let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
        let refusal = parse(&head).ok().unwrap().verify(&head, b"", &key()).unwrap_err();
        let wanted = if right { InvalidSignature::Mismatch } else { InvalidSignature::PayloadHash };
        assert_eq!(refusal, wanted.into(), "{declared}");
    }
}

#[test]
fn authority_stands_for_the_host() {
    // The canonical request names ":authority", so only its own signature fits; here it is read, not accepted.
    let authorization = authorization(":authority;x-amz-date");
    let headers =
        [("host", b"h".as_slice()), ("x-amz-date", b"20150830T123600Z"), ("authorization", &authorization)];
    let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
    assert!(parse(&head).is_ok());
    let without_host = RequestHead { headers: &headers[1..], ..head };
    assert!(matches!(
        parse(&without_host),
        Err(Refusal::InvalidSignature(InvalidSignature::SignedHeaderAbsent { .. }))
    ));
}

#[test]
fn the_forms_of_the_date_header_mean_the_same() {
    // The published signature of get-vanilla covers x-amz-date, so these are read and compared, not verified; the corpus
    // holds signed ones.
    let authorization = authorization("date;host");
    for date in [
        "Sun, 30 Aug 2015 12:36:00 GMT",
        "Sun, 30 Aug 2015 12:36:00 -0000",
        "Sun, 30 Aug 2015 12:36:00 +0000",
        "20150830T123600Z",
    ] {
        let headers =
            [("date", date.as_bytes()), ("host", b"h".as_slice()), ("authorization", &authorization)];
        let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
        assert_eq!(parse(&head).ok().unwrap().signed_at(), seconds(0), "{date}");
    }
}

#[test]
fn separators_in_the_authorization_header_are_commas_or_spaces() {
    for separator in [",", ", ", " ", "  ,\t", ",,"] {
        let authorization = [
            "AWS4-HMAC-SHA256 Credential=a/20150830/r/kms/aws4_request",
            "SignedHeaders=host;x-amz-date",
            &format!("Signature={SIGNATURE}"),
        ]
        .join(separator);
        let headers = [
            ("host", b"h".as_slice()),
            ("x-amz-date", b"20150830T123600Z"),
            ("authorization", authorization.as_bytes()),
        ];
        let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
        let signed = parse(&head).ok().unwrap();
        assert_eq!(
            (signed.access_key_id(), signed.scope().region.as_ref(), signed.scope().service.as_ref()),
            ("a", "r", "kms")
        );
        assert_eq!(signed.session_token(), None);
    }
}

#[test]
fn bytes_where_text_belongs_are_refused() {
    let authorization = authorization("host;x-amz-date");
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        let headers: Vec<(&str, &[u8])> = [
            ("host", b"h".as_slice()),
            ("x-amz-date", b"20150830T123600Z"),
            ("authorization", &authorization),
            ("x-amz-security-token", b"t"),
        ]
        .into_iter()
        .map(|(other, value)| (other, if other == name { b"\xff".as_slice() } else { value }))
        .collect();
        let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
        let refusal = parse(&head).err().unwrap();
        assert_eq!(refusal, IncompleteSignature::NotText { name }.into());
    }
}

#[test]
fn a_query_string_has_a_bound() {
    let headers = [("host", b"h".as_slice())];
    let parse_with = |count| {
        let query = vec!["a"; count].join("&");
        parse(&RequestHead { method: "GET", path: "/", query: &query, headers: &headers }).err().unwrap()
    };
    assert_eq!(parse_with(QUERY_PARAMETERS_MAX), Refusal::MissingAuthenticationToken);
    assert_eq!(
        parse_with(QUERY_PARAMETERS_MAX + 1),
        IncompleteSignature::TooManyParameters { most: QUERY_PARAMETERS_MAX }.into()
    );
}

#[test]
fn a_signing_key_can_be_shared_between_threads() {
    fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<SigningKey>();
}
