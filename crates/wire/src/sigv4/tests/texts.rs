//! The texts and codes of refusals, word for word.

use base::Timestamp;

use super::{Protocol, Refusal, RequestHead, parse};
use crate::sigv4::{IncompleteSignature, InvalidSignature};

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fkms%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

/// Parses a request with these headers and this query string and gives the code and text of its refusal.
fn refused(headers: &[(&str, &str)], query: &str) -> (&'static str, String) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let head = RequestHead { method: "POST", path: "/", query, headers: &headers };
    let refusal = parse(&head).err().expect("the request is well formed");
    let fault = refusal.to_fault(Protocol::AwsJson);
    assert_eq!(fault.status, 400);
    (fault.code, fault.message.unwrap())
}

/// With the three headers of an ordinary request, of which one is changed or, with `None`, left out.
fn refused_with(name: &str, value: Option<&str>) -> (&'static str, String) {
    let ordinary = [("authorization", AUTHORIZATION), ("host", "kms"), ("x-amz-date", "20150830T123600Z")];
    let mut headers: Vec<_> = ordinary.into_iter().filter(|(other, _)| *other != name).collect();
    headers.extend(value.map(|value| (name, value)));
    refused(&headers, "")
}

fn refused_authorization(from: &str, to: &str) -> (&'static str, String) {
    assert!(AUTHORIZATION.contains(from), "{from}");
    refused_with("authorization", Some(&AUTHORIZATION.replace(from, to)))
}

fn refused_query(from: &str, to: &str) -> (&'static str, String) {
    assert!(PRESIGNED.contains(from), "{from}");
    refused(&[("host", "kms")], &PRESIGNED.replace(from, to))
}

fn incomplete(text: impl Into<String>) -> (&'static str, String) {
    ("IncompleteSignatureException", text.into())
}

fn invalid(text: impl Into<String>) -> (&'static str, String) {
    ("InvalidSignatureException", text.into())
}

#[test]
fn no_signature_at_all() {
    let missing = ("MissingAuthenticationTokenException", "Missing Authentication Token".to_owned());
    assert_eq!(refused_with("authorization", None), missing);
    assert_eq!(refused_with("authorization", Some("Bearer abc")), missing);
    assert_eq!(refused(&[("host", "kms")], "Action=ListKeys&x-amz-algorithm=AWS4-HMAC-SHA256"), missing);
    let fault = Refusal::MissingAuthenticationToken.to_fault(Protocol::Query);
    assert_eq!(fault.message.as_deref(), Some("Request is missing Authentication Token"));
}

#[test]
fn both_forms_at_once() {
    let headers = [("authorization", AUTHORIZATION), ("host", "kms"), ("x-amz-date", "20150830T123600Z")];
    assert_eq!(
        refused(&headers, PRESIGNED),
        invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
    );
}

#[test]
fn missing_parameters_are_named_and_the_header_is_echoed() {
    assert_eq!(
        refused_with("authorization", Some("AWS4-HMAC-SHA256 Other=1")),
        incomplete(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Other=1"
        )
    );
    let (code, text) = refused_authorization("Signature=5f", "Seal=5f");
    assert_eq!(code, "IncompleteSignatureException");
    assert!(
        text.starts_with(
            "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Cred"
        ),
        "{text}"
    );
    assert_eq!(
        refused_with("x-amz-date", None),
        incomplete(format!(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization={AUTHORIZATION}"
        ))
    );
    assert_eq!(
        refused_with("authorization", Some("AWS4-HMAC-SHA256 Credential")),
        incomplete(
            "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential'."
        )
    );
    assert_eq!(
        refused(&[("host", "kms")], "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20150830T123600Z"),
        incomplete(
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."
        )
    );
}

#[test]
fn dates_of_another_form() {
    for got in ["2015-08-30T12:36:00Z", "20150830", "20151330T123600Z", ""] {
        let wanted = incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ));
        assert_eq!(refused_with("x-amz-date", Some(got)), wanted);
        assert_eq!(refused_query("20150830T123600Z", got), wanted);
    }
    let headers =
        [("authorization", AUTHORIZATION), ("host", "kms"), ("date", "Sun, 31 Feb 2015 12:36:00 GMT")];
    assert_eq!(refused(&headers, "").0, "IncompleteSignatureException");
}

#[test]
fn algorithm_and_credential() {
    assert_eq!(
        refused_authorization("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25"),
        incomplete("Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now).")
    );
    assert_eq!(
        refused_query("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        incomplete("Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now).")
    );
    for got in
        ["AKIDEXAMPLE/20150830/us-east-1/kms", "AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request/", "", "/"]
    {
        let wanted = incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{got}'"
        ));
        assert_eq!(refused_authorization("AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request", got), wanted);
        assert_eq!(refused_query("AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fkms%2Faws4_request", got), wanted);
    }
}

#[test]
fn scope() {
    assert_eq!(
        refused_authorization("aws4_request", "aws5_request"),
        invalid("Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.")
    );
    assert_eq!(
        refused_authorization("20150830", "20150829"),
        invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."
        )
    );
    let headers = [
        ("authorization", AUTHORIZATION.as_bytes()),
        ("host", b"kms".as_slice()),
        ("x-amz-date", b"20150830T123600Z"),
    ];
    let head = RequestHead { method: "POST", path: "/", query: "", headers: &headers };
    let signed = parse(&head).ok().unwrap();
    assert_eq!(signed.check_scope(true, &["sts", "kms"]), Ok(()));
    let text = |region, services: &[&str]| signed.check_scope(region, services).unwrap_err().to_string();
    assert_eq!(text(false, &["kms"]), "Credential should be scoped to a valid region.");
    assert_eq!(text(true, &["sts"]), "Credential should be scoped to correct service: 'sts'.");
    assert_eq!(
        text(false, &["sts"]),
        "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'sts'."
    );
}

#[test]
fn signed_headers() {
    let host = invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    assert_eq!(refused_authorization("host;x-amz-date", "x-amz-date"), host);
    assert_eq!(refused_authorization("host;x-amz-date", ""), host);
    for list in
        ["x-amz-date;host", "Host;x-amz-date", "host;host;x-amz-date", "host;x-amz-date;", ";host;x-amz-date"]
    {
        assert_eq!(
            refused_authorization("host;x-amz-date", list).0,
            "IncompleteSignatureException",
            "{list}"
        );
    }
    assert_eq!(
        refused_authorization("host;x-amz-date", "host"),
        invalid("There were headers present in the request which were not signed: 'x-amz-date'.")
    );
    assert_eq!(
        refused_with("x-amz-zone", Some("1")),
        invalid("There were headers present in the request which were not signed: 'x-amz-zone'.")
    );
    assert_eq!(
        refused_authorization("host;x-amz-date", "accept;host;x-amz-date"),
        invalid("'accept' is a 'SignedHeader' in the AWS Authorization, but the request has no such header.")
    );
    assert_eq!(
        refused_with("host", None),
        invalid("'host' is a 'SignedHeader' in the AWS Authorization, but the request has no such header.")
    );
}

#[test]
fn what_may_come_once() {
    for name in ["authorization", "date", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
        let headers = [(name, "1"), ("host", "kms"), (name, "1")];
        assert_eq!(
            refused(&headers, ""),
            incomplete(format!("The request must carry '{name}' only once.")),
            "{name}"
        );
    }
    assert_eq!(
        refused_authorization(", Signature", ", Signature=1, Signature").0,
        "IncompleteSignatureException"
    );
    assert_eq!(refused_query("&X-Amz-Date", "&X-Amz-Date=1&X-Amz-Date").0, "IncompleteSignatureException");
    let twice = [("host", "kms"), ("x-amz-security-token", "t")];
    assert_eq!(
        refused(&twice, &format!("{PRESIGNED}&X-Amz-Security-Token=t")),
        incomplete("The request must carry 'X-Amz-Security-Token' only once.")
    );
}

#[test]
fn validity_of_a_presigned_request() {
    for got in ["0", "604801", "-1", "", "60.5", "99999999999", "%2B60"] {
        let shown = got.replace("%2B", "+");
        assert_eq!(
            refused_query("Expires=60", &format!("Expires={got}")),
            incomplete(format!(
                "X-Amz-Expires must be a number of seconds from 1 to 604800 (a week). Got '{shown}'."
            ))
        );
    }
}

#[test]
fn a_signature_that_is_none() {
    let mismatch = invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let longer = format!("{signature}0");
    let no_digit = signature.replace('f', "g");
    let two_bytes = signature.replace("5fa", "\u{e9}a");
    for other in ["", signature.get(1..).unwrap(), &longer, &no_digit, &two_bytes] {
        assert_eq!(refused_authorization(signature, other), mismatch);
        assert_eq!(refused_query(signature, other), mismatch);
    }
}

#[test]
fn times_as_users_quote_them() {
    let at = |text| Timestamp::from_iso_basic(text).unwrap();
    assert_eq!(
        InvalidSignature::Expired {
            signed_at: at("20180920T174101Z"),
            now: at("20180920T175004Z"),
            valid_for: 300,
            presigned: false,
        }
        .to_string(),
        "Signature expired: 20180920T174101Z is now earlier than 20180920T174504Z (20180920T175004Z - 5 min.)"
    );
    assert_eq!(
        InvalidSignature::NotYetCurrent {
            signed_at: at("20181002T170509Z"),
            now: at("20181002T165812Z"),
            window: 300
        }
        .to_string(),
        "Signature not yet current: 20181002T170509Z is still later than 20181002T170312Z (20181002T165812Z + 5 min.)"
    );
    let odd = InvalidSignature::Expired {
        signed_at: at("20180920T174101Z"),
        now: at("20180920T175004Z"),
        valid_for: 90,
        presigned: false,
    };
    assert!(odd.to_string().ends_with("(20180920T175004Z - 90 sec.)"));
}

#[test]
fn codes_of_both_protocols() {
    let incomplete: Refusal = IncompleteSignature::Repeated { name: "host".to_owned() }.into();
    let cases = [
        (
            Refusal::MissingAuthenticationToken,
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            403,
        ),
        (incomplete, "IncompleteSignatureException", "IncompleteSignature", 400),
        (InvalidSignature::Mismatch.into(), "InvalidSignatureException", "SignatureDoesNotMatch", 403),
        (Refusal::UnknownAccessKey, "UnrecognizedClientException", "InvalidClientTokenId", 403),
        (Refusal::InvalidToken, "UnrecognizedClientException", "InvalidClientTokenId", 403),
        (Refusal::ExpiredToken, "ExpiredTokenException", "ExpiredToken", 403),
    ];
    for (refusal, json_code, query_code, query_status) in cases {
        let json = refusal.to_fault(Protocol::AwsJson);
        assert_eq!((json.code, json.status), (json_code, 400));
        let query = refusal.to_fault(Protocol::Query);
        assert_eq!((query.code, query.status), (query_code, query_status));
    }
    assert_eq!(
        Refusal::UnknownAccessKey.to_string(),
        "The security token included in the request is invalid."
    );
    assert_eq!(Refusal::UnknownAccessKey.to_string(), Refusal::InvalidToken.to_string());
    assert_eq!(Refusal::ExpiredToken.to_string(), "The security token included in the request is expired");
}
