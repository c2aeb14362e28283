//! Cross-origin calls from browsers: off unless origins are configured.
//!
//! The header list is what the AWS SDK for JavaScript sends when it signs in a browser.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::OutgoingResponse;

const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "amz-sdk-invocation-id, amz-sdk-request, authorization, content-type, x-amz-content-sha256, x-amz-date, \
     x-amz-target, x-amz-user-agent, x-amz-security-token",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static("x-amzn-requestid");
/// Seconds for which a browser may remember the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may call.
#[derive(Default)]
pub(crate) struct Cors {
    origins: Vec<HeaderValue>,
}

impl Cors {
    /// Allows these origins and no others.
    pub(crate) fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect() }
    }

    /// The request's origin, if its pages may call.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = headers.get(ORIGIN)?;
        self.origins.iter().find(|allowed| *allowed == origin).cloned()
    }

    /// The answer to a preflight from an allowed origin.
    pub(super) fn preflight(&self, parts: &Parts) -> Option<OutgoingResponse> {
        let asked =
            parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asked {
            return None;
        }
        let origin = self.allowed(&parts.headers)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        permit(&mut headers, origin);
        Some(OutgoingResponse { status: StatusCode::NO_CONTENT, headers, body: bytes::Bytes::new() })
    }
}

/// Lets a page of this origin read the answer, unless that already says who may.
pub(super) fn permit(headers: &mut HeaderMap, origin: HeaderValue) {
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    headers.append(VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(cors: &Cors, method: Method, origin: Option<&str>) -> Option<OutgoingResponse> {
        let mut request =
            http::Request::builder().method(method).header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        cors.preflight(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_preflight_is_answered_for_the_listed_origins_alone() {
        let cors = Cors::new(&["https://console.example.com".to_owned()]);
        let answer = preflight(&cors, Method::OPTIONS, Some("https://console.example.com")).unwrap();
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://console.example.com");
        assert_eq!(answer.headers[VARY], "Origin");
        let allowed = answer.headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        for name in ["authorization", "x-amz-target", "x-amz-security-token", "amz-sdk-invocation-id"] {
            assert!(allowed.split(", ").any(|listed| listed == name), "{name}");
        }
        for origin in [None, Some("https://console.example.com.evil.test"), Some("null"), Some("")] {
            assert!(preflight(&cors, Method::OPTIONS, origin).is_none(), "{origin:?}");
        }
        assert!(preflight(&cors, Method::POST, Some("https://console.example.com")).is_none());
    }

    #[test]
    fn without_origins_no_page_may_call() {
        let cors = Cors::new(&[]);
        assert!(preflight(&cors, Method::OPTIONS, Some("https://console.example.com")).is_none());
        assert!(cors.allowed(&HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static("a"))])).is_none());
    }
}
