//! Pages of other origins that call S3: preflights, which nobody signs, and what browsers are told with all other answers.

use std::time::Instant;

use base::RequestId;
use http::header::{HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use objects::{Answer, Headers, Target};

use super::s3::{SERVICE, read_headers, refusal_of};
use super::{OWN_PATHS, Pipeline, log_failure};
use crate::causes::with_causes;
use crate::http::StreamedAnswer;

const PREFLIGHT: &str = "Preflight";

/// A request that a page of another origin made.
pub(super) struct CrossOrigin {
    bucket: String,
    method: String,
    headers: Headers,
}

impl Pipeline {
    /// Whether a request asks about calls to a bucket. What is asked about the root is for the other services.
    pub(super) fn is_preflight(&self, parts: &Parts) -> bool {
        let path = parts.uri.path();
        let is_in_path = || path.len() > 1 && path.starts_with('/') && !OWN_PATHS.contains(&path);
        parts.method == Method::OPTIONS && (is_in_path() || self.hosted_bucket(parts).is_some())
    }

    /// Answers a preflight by the rules of the bucket.
    pub(super) async fn answer_preflight(
        &self,
        parts: &Parts,
        request_id: RequestId,
        started: Instant,
    ) -> Result<Answer, StreamedAnswer> {
        let answered = async { self.objects.preflight(&self.target(parts)?, &read_headers(parts)).await };
        let answer = answered.await;
        let fault = answer.as_ref().err().map(objects::ObjectsError::to_fault);
        if let Some(metrics) = &self.metrics {
            metrics.observe_request(SERVICE, PREFLIGHT, fault.as_ref(), started.elapsed());
        }
        answer.map_err(|error| {
            let fault = fault.unwrap_or_else(|| error.to_fault());
            log_failure(PREFLIGHT, request_id, &error, &fault);
            refusal_of(parts, &error, fault, request_id)
        })
    }

    /// What to ask the bucket about when a request of a page of another origin is answered. The answer to a preflight says it
    /// already.
    pub(super) fn cross_origin(&self, parts: &Parts) -> Option<CrossOrigin> {
        if !parts.headers.contains_key(ORIGIN) || self.is_preflight(parts) {
            return None;
        }
        match self.target(parts).ok()? {
            Target::Service => None,
            Target::Bucket(bucket) | Target::Object(bucket, _) => {
                let method = parts.method.as_str().to_owned();
                Some(CrossOrigin { bucket, method, headers: read_headers(parts) })
            }
        }
    }

    /// Lets the page see the answer, be it an error or not, if a rule of the bucket says so. If nobody knows the rules, it is
    /// not let.
    pub(super) async fn permit(&self, asked: &CrossOrigin, headers: &mut HeaderMap) {
        let CrossOrigin { bucket, method, headers: of_request } = asked;
        match self.objects.cross_origin_headers(bucket, method, of_request).await {
            Ok(told) => {
                for (name, value) in told {
                    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
                    {
                        headers.append(name, value);
                    }
                }
            }
            Err(error) => {
                tracing::error!(
                    error = with_causes(&error),
                    "the CORS configuration of a bucket cannot be read"
                );
            }
        }
    }
}
