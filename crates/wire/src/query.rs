//! The Query protocol of IAM and STS: form-encoded requests, XML answers.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode;

use crate::{Fault, FaultKind};

/// Most parameters in one request: far above what any IAM or STS call needs.
const PARAMETERS_MAX: usize = 1_000;

/// The parameters of a request, from its body or (presigned requests) from its query string.
///
/// It cannot be printed: parameters may be tokens.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `Action=…&Version=…&…`. `+` is a space; a parameter without `=` has the empty value; of a name that comes
    /// more than once the first value counts. An empty body is a form without parameters.
    ///
    /// # Errors
    /// MalformedQueryString for more than 1,000 parameters, and for bytes that are not UTF-8 when decoded.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let mut parameters = BTreeMap::new();
        for (at, pair) in pairs.enumerate() {
            if at == PARAMETERS_MAX {
                return Err(malformed("The request has too many parameters."));
            }
            let (name, value) = split_at_equals(pair);
            parameters.entry(decode(name)?).or_insert(decode(value)?);
        }
        Ok(Self(parameters))
    }

    /// The operation's name.
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    /// The API's version, for example `2011-06-15`.
    pub fn version(&self) -> Option<&str> {
        self.get("Version")
    }

    /// The value of a parameter, for example `RoleArn` or `Tags.member.1.Key`. Names are case sensitive.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The answer to a call that went well. `result` are the members of the operation's output in order; an operation without
/// output has none, and its answer has no result element.
pub fn encode_response(
    namespace: &str,
    operation: &str,
    result: &[(&str, &str)],
    request_id: &str,
) -> Vec<u8> {
    let mut xml = Xml::default();
    xml.raw(&["<", operation, "Response xmlns=\""]).text(namespace).raw(&["\">"]);
    if !result.is_empty() {
        xml.raw(&["<", operation, "Result>"]);
        for (name, value) in result {
            xml.element(name, value);
        }
        xml.raw(&["</", operation, "Result>"]);
    }
    xml.raw(&["<ResponseMetadata>"]).element("RequestId", request_id).raw(&["</ResponseMetadata>"]);
    xml.raw(&["</", operation, "Response>"]);
    xml.into_bytes()
}

/// The answer to a call that was refused or failed. Without a text there is no Message element.
pub fn encode_fault(namespace: &str, fault: &Fault, request_id: &str) -> Vec<u8> {
    let kind = match fault.kind() {
        FaultKind::Sender => "Sender",
        FaultKind::Receiver => "Receiver",
    };
    let mut xml = Xml::default();
    xml.raw(&["<ErrorResponse xmlns=\""]).text(namespace).raw(&["\"><Error>"]);
    xml.element("Type", kind).element("Code", fault.code);
    if let Some(message) = &fault.message {
        xml.element("Message", message);
    }
    xml.raw(&["</Error>"]).element("RequestId", request_id).raw(&["</ErrorResponse>"]);
    xml.into_bytes()
}

fn split_at_equals(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

fn decode(component: &[u8]) -> Result<String, Fault> {
    let with_spaces: Vec<u8> =
        component.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Cow<'_, [u8]> = percent_decode(&with_spaces).into();
    String::from_utf8(decoded.into_owned()).map_err(|_| malformed("The request is not valid UTF-8."))
}

/// IAM's and STS's error for a syntax error in the request; their list of common errors gives it status 404.
fn malformed(message: &str) -> Fault {
    Fault::bad_request("MalformedQueryString", message).with_status(404)
}

/// XML text in the making.
#[derive(Default)]
struct Xml(String);

impl Xml {
    /// Markup, as it is.
    fn raw(&mut self, pieces: &[&str]) -> &mut Self {
        for piece in pieces {
            self.0.push_str(piece);
        }
        self
    }

    fn element(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(&["<", name, ">"]).text(value).raw(&["</", name, ">"])
    }

    /// Character data. A carriage return would not survive a parser as it is; characters that XML 1.0 cannot carry in any
    /// form become U+FFFD.
    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                '\r' => self.0.push_str("&#xD;"),
                '\t' | '\n' => self.0.push(character),
                '\0'..' ' | '\u{fffe}' | '\u{ffff}' => self.0.push(char::REPLACEMENT_CHARACTER),
                _ => self.0.push(character),
            }
        }
        self
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
    const REQUEST_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
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
    fn a_call_is_read() {
        let body = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fa&Tags.member.1.Key=two+words%2B%26&Flag&Empty=&=nameless";
        let form = Form::parse(body).unwrap();
        assert_eq!(form.action(), Some("AssumeRole"));
        assert_eq!(form.version(), Some("2011-06-15"));
        assert_eq!(form.get("RoleArn"), Some("arn:aws:iam::111122223333:role/a"));
        assert_eq!(form.get("Tags.member.1.Key"), Some("two words+&"));
        assert_eq!(form.get("Flag"), Some(""));
        assert_eq!(form.get("Empty"), Some(""));
        assert_eq!(form.get(""), Some("nameless"));
        assert_eq!(form.get("action"), None);
        assert_eq!(form.get("Tags.member.2.Key"), None);
    }

    #[test]
    fn the_empty_body_is_a_form_without_parameters() {
        let form = Form::parse(b"").unwrap();
        assert_eq!((form.action(), form.version(), form.get("")), (None, None, None));
    }

    #[test]
    fn the_first_of_two_values_counts() {
        let form = Form::parse(b"Action=One&Action=Two&A%63tion=Three").unwrap();
        assert_eq!(form.action(), Some("One"));
    }

    #[test]
    fn broken_escapes_stand_for_themselves() {
        let form = Form::parse(b"a=%&b=%4&c=%zz&d=100%25").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c"), form.get("d")),
            (Some("%"), Some("%4"), Some("%zz"), Some("100%"))
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_too_many_parameters_are_refused() {
        let most = vec!["a=b"; PARAMETERS_MAX].join("&");
        assert!(Form::parse(most.as_bytes()).is_ok());
        let more = format!("{most}&a=b");
        for body in [&b"Action=\xff"[..], b"%ff=a", b"a=%C3", more.as_bytes()] {
            let fault = Form::parse(body).err().unwrap();
            assert_eq!((fault.code, fault.status), ("MalformedQueryString", 404));
        }
    }

    #[test]
    fn an_answer_has_the_published_form() {
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html, sample response, without its
        // white space.
        let result = [
            ("Arn", "arn:aws:iam::123456789012:user/Alice"),
            ("UserId", "AIDACKCEVSQ6C2EXAMPLE"),
            ("Account", "123456789012"),
        ];
        assert_eq!(
            text(encode_response(STS, "GetCallerIdentity", &result, REQUEST_ID)),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn>\
             <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
    }

    #[test]
    fn an_operation_without_output_has_no_result() {
        let answer = text(encode_response(STS, "Nothing", &[], REQUEST_ID));
        assert!(answer.starts_with(
            "<NothingResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><ResponseMetadata>"
        ));
        assert!(!answer.contains("Result"));
    }

    #[test]
    fn a_fault_says_who_is_to_blame() {
        let fault = Fault::bad_request("AccessDenied", "not <you> & \"me\"").with_status(403);
        assert_eq!(
            text(encode_fault(STS, &fault, REQUEST_ID)),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>not &lt;you&gt; &amp; &quot;me&quot;</Message></Error>\
             <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ErrorResponse>"
        );
        let fault = Fault::without_text("InternalFailure").with_status(500);
        let answer = text(encode_fault(STS, &fault, REQUEST_ID));
        assert!(answer.contains("<Type>Receiver</Type><Code>InternalFailure</Code></Error>"));
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_replaced() {
        let mut xml = Xml::default();
        xml.text("a\0b\u{1f}c\u{fffe}d\r\n\te\u{7f}");
        assert_eq!(xml.0, "a\u{fffd}b\u{fffd}c\u{fffd}d&#xD;\n\te\u{7f}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(fault) = Form::parse(&body) {
                prop_assert_eq!(fault.code, "MalformedQueryString");
            }
        }

        #[test]
        fn what_a_client_encodes_is_read_back(pairs in proptest::collection::vec((".{0,8}", ".{0,12}"), 0..12)) {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let form = Form::parse(body.as_bytes()).unwrap();
            let mut first = HashMap::new();
            for (name, value) in &pairs {
                first.entry(name).or_insert(value);
            }
            for (name, value) in first {
                prop_assert_eq!(form.get(name), Some(value.as_str()));
            }
        }

        #[test]
        fn texts_come_through_an_xml_parser_unchanged(value in "[\\t\\n\\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,40}") {
            let answer = text(encode_response(STS, "Op", &[("Value", &value)], REQUEST_ID));
            let inner = answer.split("<Value>").nth(1).unwrap().split("</Value>").next().unwrap();
            prop_assert_eq!(unescape(inner), value);
        }
    }
}
