//! Requests to S3 that nobody signed. What has anything of a signature is signed or refused, and never taken for one of these.

use std::time::Instant;

use base::UnsignedCall;
use http::Method;
use http::header::AUTHORIZATION;
use http::request::Parts;
use objects::{Answer, ObjectsError, Operation, Query, Request};
use wire::Fault;
use wire::sigv4::{self, Payload, Refusal};

use super::route::{Protocol, Service};
use super::s3::refusal_of;
use super::{OWN_PATHS, Pipeline, log_failure};
use crate::http::StreamedAnswer;

/// Parameters of signatures, in lower case; further ones begin with `x-amz-`.
const SIGNATURE_PARAMETERS: [&str; 2] = ["awsaccesskeyid", "signature"];
const PAYLOAD: &str = "x-amz-content-sha256";

/// Whether a request has anything of a signature, be it good or not.
pub(super) fn has_signature(parts: &Parts) -> bool {
    let is_of_signature = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("x-amz-") || SIGNATURE_PARAMETERS.contains(&name.as_str())
    };
    let in_query = || match Query::read(parts.uri.query().unwrap_or_default()) {
        Ok(query) => query.names().any(is_of_signature),
        // Nobody knows what it has.
        Err(_) => true,
    };
    parts.headers.contains_key(AUTHORIZATION) || in_query()
}

/// The refusal of what has to be signed and is not.
pub(super) fn not_signed() -> Fault {
    Refusal::MissingAuthenticationToken.to_fault(sigv4::Protocol::S3)
}

/// What the head of a request says of its body that nobody signed.
pub(super) fn payload(parts: &Parts) -> Result<Payload, ObjectsError> {
    let declared = parts.headers.get(PAYLOAD).map(http::HeaderValue::as_bytes);
    Ok(Payload::unsigned(declared)?)
}

impl Pipeline {
    /// Whether a request is one to S3 that nobody signed. The other services take POST to the root alone; what is sent there
    /// is theirs, unless the host names a bucket.
    pub(super) fn is_anonymous(&self, parts: &Parts) -> bool {
        let path = parts.uri.path();
        let is_others = || Protocol::of(parts).is_some() || parts.headers.contains_key("x-amz-target");
        let is_method_of_s3 = match parts.method {
            Method::GET => true,
            Method::DELETE | Method::HEAD | Method::POST | Method::PUT => {
                path != "/" || self.hosted_bucket(parts).is_some()
            }
            _ => false,
        };
        is_method_of_s3 && !OWN_PATHS.contains(&path) && !is_others() && !has_signature(parts)
    }

    /// Answers a request that nobody signed.
    pub(super) async fn serve_anonymous(
        &self,
        parts: &Parts,
        request: Result<Request, ObjectsError>,
        unsigned: UnsignedCall,
        started: Instant,
    ) -> Result<Answer, StreamedAnswer> {
        let request_id = unsigned.request_id;
        let made = async {
            let request = request?;
            let (operation, target) = (Operation::of(&request)?, request.target.clone());
            let call = self.objects.anonymous_call(operation, &target, unsigned).await?;
            Ok::<_, ObjectsError>((request, call))
        };
        match Box::pin(made).await {
            Ok((request, call)) if self.authenticator.serves(Service::Other, call.region) => {
                self.serve_s3(parts, Ok(request), &call, started).await
            }
            Ok(_) => Err(self.unidentified(parts, &not_signed(), request_id, started)),
            Err(error) => {
                let fault = error.to_fault();
                log_failure("anonymous", request_id, &error, &fault);
                if let Some(metrics) = &self.metrics {
                    metrics.observe_request("none", "none", Some(&fault), started.elapsed());
                }
                Err(refusal_of(parts, &error, fault, request_id))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(http::Request::builder().uri(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn whatever_looks_like_a_signature_is_one() {
        for query in [
            "X-Amz-Signature=0",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "a=b&X-Amz-Credential=",
            "x-amz-security-token",
            "X%2DAmz%2DSignature=0",
            "AWSAccessKeyId=AKIA",
            "awsaccesskeyid=AKIA",
            "Signature=0&Expires=1",
            "a=%ff",
        ] {
            assert!(has_signature(&head(&format!("/b/k?{query}"), &[])), "{query}");
        }
        for value in ["", "AWS AKIA:0", "Basic eA==", "AWS4-HMAC-SHA256", "x"] {
            assert!(has_signature(&head("/b/k", &[("authorization", value)])), "{value}");
        }
    }

    #[test]
    fn what_has_nothing_of_a_signature_has_none() {
        for uri in ["/b/k", "/b?list-type=2&prefix=X-Amz-Signature", "/b/k?versionId=3&x-id=GetObject"] {
            assert!(!has_signature(&head(uri, &[("x-amz-date", "20261128T000000Z")])), "{uri}");
        }
    }
}
