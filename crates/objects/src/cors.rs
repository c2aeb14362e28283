//! Pages of other origins: which rules a bucket takes, and what browsers are told by them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>

use wire::s3::CorsRule;

use crate::Objects;
use crate::bucket_name::BucketName;
use crate::error::ObjectsError;
use crate::request::{Answer, Headers, Target};

/// The most rules of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>
const RULES_MAX: usize = 100;
/// The longest name of a rule, in characters.
const ID_MAX: usize = 255;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

const ANY: &str = "*";
const ORIGIN: &str = "origin";
const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";
/// What an answer depends on that a rule says something of.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

const NO_BUCKET: &str = "CORSResponse: Bucket not found";
const NO_RULES: &str = "CORSResponse: CORS is not enabled for this bucket.";
/// The spelling is S3's.
const NOT_ALLOWED: &str = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of \
                           Origin, request method / Access-Control-Request-Method or \
                           Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/// Looks whether rules are such as a bucket may have.
///
/// # Errors
/// There are too many, or one has what rules cannot have.
pub(crate) fn check(rules: &[CorsRule]) -> Result<(), ObjectsError> {
    if rules.len() > RULES_MAX {
        return Err(invalid("The number of CORS rules should not exceed allowed limit of 100 rules."));
    }
    rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &CorsRule) -> Result<(), ObjectsError> {
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > ID_MAX) {
        return Err(invalid("ID length should not exceed allowed limit of 255"));
    }
    if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(invalid(format!(
            "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
        )));
    }
    for (name, patterns) in
        [("AllowedOrigin", &rule.allowed_origins), ("AllowedHeader", &rule.allowed_headers)]
    {
        if let Some(pattern) = patterns.iter().find(|pattern| pattern.matches(ANY).count() > 1) {
            return Err(invalid(format!("{name} \"{pattern}\" can not have more than one wildcard.")));
        }
    }
    match rule.expose_headers.iter().find(|name| name.contains(ANY)) {
        Some(name) => Err(invalid(format!(
            "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        ))),
        None => Ok(()),
    }
}

fn invalid(text: impl Into<String>) -> ObjectsError {
    ObjectsError::bad("InvalidRequest", text)
}

/// What a page asks for.
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    /// Names of headers in lower case.
    headers: Vec<String>,
}

impl<'a> Asked<'a> {
    fn new(origin: &'a str, method: &'a str, headers: &Headers) -> Self {
        let names = headers.get(REQUEST_HEADERS).unwrap_or_default().split(',').map(str::trim);
        let headers = names.filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
        Self { origin, method, headers }
    }

    /// What a browser is told by the first rule that allows this.
    fn answer(&self, rules: &[CorsRule]) -> Option<Vec<(&'static str, String)>> {
        let rule = rules.iter().find(|rule| self.is_allowed_by(rule))?;
        let is_for_all = rule.allowed_origins.iter().any(|origin| origin == ANY);
        let origin = if is_for_all { ANY } else { self.origin };
        let mut told = vec![("Access-Control-Allow-Origin", origin.to_owned())];
        let methods = rule.allowed_methods.join(", ");
        told.push(("Access-Control-Allow-Methods", methods));
        if !self.headers.is_empty() {
            told.push(("Access-Control-Allow-Headers", self.headers.join(", ")));
        }
        if !rule.expose_headers.is_empty() {
            told.push(("Access-Control-Expose-Headers", rule.expose_headers.join(", ")));
        }
        if let Some(seconds) = rule.max_age_seconds {
            told.push(("Access-Control-Max-Age", seconds.to_string()));
        }
        if !is_for_all {
            told.push(("Access-Control-Allow-Credentials", "true".to_owned()));
        }
        told.push(("Vary", VARY.to_owned()));
        Some(told)
    }

    fn is_allowed_by(&self, rule: &CorsRule) -> bool {
        rule.allowed_methods.iter().any(|method| method == self.method)
            && rule.allowed_origins.iter().any(|pattern| fits(pattern, self.origin))
            && self.has_headers_of(rule)
    }

    fn has_headers_of(&self, rule: &CorsRule) -> bool {
        if self.headers.is_empty() {
            return true;
        }
        let patterns: Vec<_> = rule.allowed_headers.iter().map(|name| name.to_ascii_lowercase()).collect();
        self.headers.iter().all(|name| patterns.iter().any(|pattern| fits(pattern, name)))
    }
}

/// Whether a text fits a pattern, whose one `*` stands for anything, also for nothing.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once(ANY) {
        Some((start, end)) => text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => pattern == text,
    }
}

impl Objects {
    /// Answers a preflight: whether a page of another origin may ask for something. It needs no permission and looks at no
    /// object. <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html>
    ///
    /// # Errors
    /// The page may not, or does not say where it comes from and what it asks for.
    pub async fn preflight(&self, target: &Target, headers: &Headers) -> Result<Answer, ObjectsError> {
        let text = "Insufficient information. Origin request header needed.";
        let origin = headers.get(ORIGIN).ok_or_else(|| ObjectsError::bad("BadRequest", text))?;
        let (bucket, kind) = match target {
            Target::Service => return Err(ObjectsError::method_not_allowed()),
            Target::Bucket(bucket) => (bucket, "BUCKET"),
            Target::Object(bucket, _) => (bucket, "OBJECT"),
        };
        let method = headers.get(REQUEST_METHOD);
        let forbidden = |text, kind| {
            let refused = ObjectsError::refused("AccessForbidden", 403, text);
            refused.with("Method", method.unwrap_or("OPTIONS")).with("ResourceType", kind)
        };
        let rules = self.cors_of(bucket).await?.ok_or_else(|| forbidden(NO_BUCKET, "BUCKET"))?;
        if rules.is_empty() {
            return Err(forbidden(NO_RULES, "BUCKET"));
        }
        let text = "Invalid Access-Control-Request-Method: null";
        let method = method.ok_or_else(|| ObjectsError::bad("BadRequest", text))?;
        let told = Asked::new(origin, method, headers).answer(&rules);
        let told = told.ok_or_else(|| forbidden(NOT_ALLOWED, kind))?;
        Ok(told.into_iter().fold(Answer::empty(200), |answer, (name, value)| answer.header(name, value)))
    }

    /// The headers by which a browser learns whether the page that made a request may see its answer; none if it may not.
    ///
    /// # Errors
    /// Nobody can tell.
    pub async fn cross_origin_headers(
        &self,
        bucket: &str,
        method: &str,
        headers: &Headers,
    ) -> Result<Vec<(&'static str, String)>, ObjectsError> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(Vec::new()) };
        let rules = self.cors_of(bucket).await?.unwrap_or_default();
        // As S3 does: what a preflight would ask for counts, if the request says so.
        let method = headers.get(REQUEST_METHOD).unwrap_or(method);
        Ok(Asked::new(origin, method, headers).answer(&rules).unwrap_or_default())
    }

    /// The rules of a bucket, if there is such a bucket.
    async fn cors_of(&self, bucket: &str) -> Result<Option<Vec<CorsRule>>, ObjectsError> {
        let Ok(name) = bucket.parse::<BucketName>() else { return Ok(None) };
        Ok(self.find_bucket(&name).await?.map(|bucket| bucket.record.cors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn rule(methods: &[&str], origins: &[&str]) -> CorsRule {
        CorsRule { allowed_methods: list(methods), allowed_origins: list(origins), ..CorsRule::default() }
    }

    fn asked(
        rules: &[CorsRule],
        origin: &str,
        method: &str,
        names: &str,
    ) -> Option<Vec<(&'static str, String)>> {
        let headers = Headers::new([(REQUEST_HEADERS, names.as_bytes())]);
        Asked::new(origin, method, &headers).answer(rules)
    }

    fn told(answer: &[(&'static str, String)], name: &str) -> Option<String> {
        answer.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_wildcard_stands_for_anything_between_two_ends() {
        for (pattern, text) in [
            ("*", "https://a"),
            ("*", ""),
            ("https://a", "https://a"),
            ("https://*.example.com", "https://a.b.example.com"),
            ("start*end", "startend"),
            ("x-amz-*", "x-amz-"),
            ("", ""),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("https://a", "https://a/"),
            ("https://a", "HTTPS://A"),
            ("https://*.example.com", "https://example.com"),
            ("https://*.example.com", "https://a.example.com.evil.test"),
            ("https://*.example.com", "http://a.example.com"),
            ("ab*ba", "aba"),
            ("", "https://a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_allows_all_answers() {
        let rules = [
            CorsRule { max_age_seconds: Some(1), ..rule(&["PUT"], &["https://a"]) },
            CorsRule {
                allowed_headers: list(&["X-Amz-*", "content-type"]),
                max_age_seconds: Some(2),
                ..rule(&["GET", "PUT"], &["https://b", "https://*"])
            },
            CorsRule { max_age_seconds: Some(3), ..rule(&["GET"], &["*"]) },
        ];
        let age = |origin, method, names| {
            asked(&rules, origin, method, names).and_then(|answer| told(&answer, "Access-Control-Max-Age"))
        };
        assert_eq!(age("https://a", "PUT", "").as_deref(), Some("1"));
        assert_eq!(age("https://a", "PUT", "x-amz-date").as_deref(), Some("2"));
        assert_eq!(age("https://a", "PUT", " Content-Type ,,X-AMZ-DATE").as_deref(), Some("2"));
        assert_eq!(age("http://a", "GET", "").as_deref(), Some("3"));
        for (origin, method, names) in [
            ("http://a", "PUT", ""),
            ("https://a", "DELETE", ""),
            ("https://a", "put", ""),
            ("https://a", "PUT", "x-amz-date, authorization"),
            ("http://a", "GET", "x-amz-date"),
        ] {
            assert_eq!(age(origin, method, names), None, "{origin} {method} {names}");
        }
    }

    #[test]
    fn only_a_rule_for_all_origins_keeps_credentials_out() {
        let open = asked(&[rule(&["GET"], &["https://a", "*"])], "https://b", "GET", "").unwrap();
        assert_eq!(told(&open, "Access-Control-Allow-Origin").as_deref(), Some("*"));
        assert_eq!(told(&open, "Access-Control-Allow-Credentials"), None);
        let known = CorsRule {
            allowed_headers: list(&["*"]),
            expose_headers: list(&["ETag", "x-amz-id-2"]),
            ..rule(&["GET", "HEAD"], &["https://*"])
        };
        let known = asked(&[known], "https://b", "GET", "X-A, b").unwrap();
        let all = [
            ("Access-Control-Allow-Origin", "https://b"),
            ("Access-Control-Allow-Methods", "GET, HEAD"),
            ("Access-Control-Allow-Headers", "x-a, b"),
            ("Access-Control-Expose-Headers", "ETag, x-amz-id-2"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", VARY),
        ];
        assert_eq!(known, all.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn rules_have_their_limits() {
        let good = rule(&["GET", "PUT", "POST", "DELETE", "HEAD"], &["https://*.a", ""]);
        let good = CorsRule { allowed_headers: list(&["*"]), id: Some("\u{e4}".repeat(255)), ..good };
        assert!(check(&vec![good.clone(); 100]).is_ok());
        assert!(check(&vec![good.clone(); 101]).is_err());
        for bad in [
            CorsRule { allowed_methods: list(&["GET", "PATCH"]), ..good.clone() },
            CorsRule { allowed_methods: list(&["get"]), ..good.clone() },
            CorsRule { allowed_methods: list(&["*"]), ..good.clone() },
            CorsRule { allowed_origins: list(&["http*://*"]), ..good.clone() },
            CorsRule { allowed_headers: list(&["**"]), ..good.clone() },
            CorsRule { expose_headers: list(&["x-*"]), ..good.clone() },
            CorsRule { id: Some("a".repeat(256)), ..good },
        ] {
            assert_eq!(
                check(std::slice::from_ref(&bad)).unwrap_err().to_fault().code,
                "InvalidRequest",
                "{bad:?}"
            );
        }
    }
}
