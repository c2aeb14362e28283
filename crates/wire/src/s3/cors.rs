//! Reading and writing the CORS configuration of a bucket.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html>

use serde::{Deserialize, Serialize};

use super::Document;
use super::requests::{MalformedXml, read};

/// Which pages may do what, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    /// Its name.
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Headers that requests may have.
    #[serde(rename = "AllowedHeader", default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<String>,
    /// Methods of requests: at least one.
    #[serde(rename = "AllowedMethod")]
    pub allowed_methods: Vec<String>,
    /// Where pages come from: at least one.
    #[serde(rename = "AllowedOrigin")]
    pub allowed_origins: Vec<String>,
    /// Headers of answers that pages may read.
    #[serde(rename = "ExposeHeader", default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// For how long a browser may remember the answer to a preflight.
    #[serde(rename = "MaxAgeSeconds", default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "CORSRule", default)]
    rules: Vec<WrittenRule>,
}

/// The elements of a rule in their order: those of one name need not stand together.
#[derive(Deserialize)]
struct WrittenRule {
    #[serde(rename = "$value", default)]
    elements: Vec<Element>,
}

#[derive(Deserialize)]
enum Element {
    #[serde(rename = "ID")]
    Id(String),
    AllowedHeader(String),
    AllowedMethod(String),
    AllowedOrigin(String),
    ExposeHeader(String),
    MaxAgeSeconds(u32),
}

impl TryFrom<WrittenRule> for CorsRule {
    type Error = MalformedXml;

    fn try_from(written: WrittenRule) -> Result<Self, MalformedXml> {
        let mut rule = Self::default();
        for element in written.elements {
            let is_second = match element {
                Element::Id(id) => rule.id.replace(id).is_some(),
                Element::MaxAgeSeconds(seconds) => rule.max_age_seconds.replace(seconds).is_some(),
                Element::AllowedHeader(name) => push(&mut rule.allowed_headers, name),
                Element::AllowedMethod(method) => push(&mut rule.allowed_methods, method),
                Element::AllowedOrigin(origin) => push(&mut rule.allowed_origins, origin),
                Element::ExposeHeader(name) => push(&mut rule.expose_headers, name),
            };
            if is_second {
                return Err(MalformedXml);
            }
        }
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(MalformedXml);
        }
        Ok(rule)
    }
}

/// Of these there may be any number.
fn push(list: &mut Vec<String>, value: String) -> bool {
    list.push(value);
    false
}

/// Reads the body of PutBucketCors: at least one rule.
///
/// # Errors
/// It is not such a body.
pub fn read_cors(body: &[u8]) -> Result<Vec<CorsRule>, MalformedXml> {
    let rules: Vec<_> =
        read::<Configuration>(body)?.rules.into_iter().map(CorsRule::try_from).collect::<Result<_, _>>()?;
    if rules.is_empty() { Err(MalformedXml) } else { Ok(rules) }
}

/// A `CORSConfiguration` of these rules.
pub fn write_cors(rules: &[CorsRule]) -> Vec<u8> {
    let mut document = Document::new("CORSConfiguration");
    for rule in rules {
        document.element("CORSRule", |element| write_rule(element, rule));
    }
    document.finish()
}

fn write_rule(element: &mut Document, rule: &CorsRule) {
    element.optional("ID", rule.id.as_deref());
    for (name, values) in [
        ("AllowedMethod", &rule.allowed_methods),
        ("AllowedOrigin", &rule.allowed_origins),
        ("AllowedHeader", &rule.allowed_headers),
    ] {
        for value in values {
            element.text(name, value);
        }
    }
    element.optional("MaxAgeSeconds", rule.max_age_seconds.map(|seconds| seconds.to_string()).as_deref());
    for name in &rule.expose_headers {
        element.text("ExposeHeader", name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn one_rule(elements: &str) -> Result<Vec<CorsRule>, MalformedXml> {
        let xml = format!("<CORSConfiguration><CORSRule>{elements}</CORSRule></CORSConfiguration>");
        read_cors(xml.as_bytes())
    }

    #[test]
    fn rules_read_back_as_they_were_written() {
        let least = CorsRule {
            allowed_methods: list(&["GET"]),
            allowed_origins: list(&["*"]),
            ..CorsRule::default()
        };
        let most = CorsRule {
            id: Some("a & b".to_owned()),
            allowed_headers: list(&["x-amz-*", "ETag"]),
            allowed_methods: list(&["PUT", "POST"]),
            allowed_origins: list(&["http://*.example.com", "https://a"]),
            expose_headers: list(&["ETag", "x-amz-id-2"]),
            max_age_seconds: Some(3_000),
        };
        let rules = vec![least, most];
        assert_eq!(read_cors(&write_cors(&rules)), Ok(rules));
    }

    #[test]
    fn elements_come_in_any_order() {
        let xml = br#"<?xml version="1.0" encoding="UTF-8"?>
            <CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <CORSRule>
                <AllowedOrigin>https://a</AllowedOrigin>
                <AllowedMethod>PUT</AllowedMethod>
                <AllowedOrigin/>
                <MaxAgeSeconds>5</MaxAgeSeconds>
                <AllowedMethod>GET</AllowedMethod>
              </CORSRule>
              <CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>
            </CORSConfiguration>"#;
        let rules = read_cors(xml).unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0].allowed_origins, ["https://a", ""]);
        assert_eq!(rules[0].allowed_methods, ["PUT", "GET"]);
        assert_eq!((rules[0].max_age_seconds, rules[1].max_age_seconds), (Some(5), None));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let (method, origin) = ("<AllowedMethod>GET</AllowedMethod>", "<AllowedOrigin>*</AllowedOrigin>");
        assert!(one_rule(&format!("{method}{origin}<ID/>")).is_ok());
        for bad in [
            String::new(),
            method.to_owned(),
            origin.to_owned(),
            format!("{method}{origin}<MaxAgeSeconds>-1</MaxAgeSeconds>"),
            format!("{method}{origin}<MaxAgeSeconds>soon</MaxAgeSeconds>"),
            format!("{method}{origin}<ID>a</ID><ID>b</ID>"),
            format!("{method}{origin}<AllowedMethods>GET</AllowedMethods>"),
            format!("{method}{origin}text"),
        ] {
            assert_eq!(one_rule(&bad), Err(MalformedXml), "{bad}");
        }
        for bad in [&b""[..], b"<CORSConfiguration/>", b"<CORSConfiguration><CORSRule>", b"\xff"] {
            assert_eq!(read_cors(bad), Err(MalformedXml));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes: Vec<u8>,
            text in "(<|>|/|CORSConfiguration|CORSRule|AllowedOrigin|ID|MaxAgeSeconds|&|;|1| |!){0,40}",
        ) {
            let _ = read_cors(&bytes);
            let _ = read_cors(text.as_bytes());
        }
    }
}
