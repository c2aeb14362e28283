//! The way of a request to S3: its body comes and its answer goes as they are read and made.

use std::time::Instant;

use async_trait::async_trait;
use base::{Call, RequestId, SecretBytes};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use objects::{
    Answer, AnswerBody, BodyError, BodySource, Contents, Headers, ObjectsError, Operation, Query, Request,
    Target, fault_xml,
};
use wire::Fault;
use wire::sigv4::Payload;

use super::reply::Wiped;
use super::{Pipeline, anonymous, authenticate, log_failure};
use crate::causes::with_causes;
use crate::http::{CutOff, IncomingBody, OutgoingBody, Pieces, StreamFault, StreamedAnswer, StreamedRequest};

pub(super) const SERVICE: &str = "s3";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const XML: HeaderValue = HeaderValue::from_static("application/xml");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// Whether a request says that it is signed for S3. Whether it is shows later.
pub(super) fn is_asked(parts: &Parts) -> bool {
    let in_header = parts.headers.get(http::header::AUTHORIZATION).is_some_and(|value| {
        let mut parts = value.as_bytes().split(|byte| matches!(byte, b'/' | b',' | b' '));
        parts.any(|part| part == SERVICE.as_bytes())
    });
    let in_query = || {
        let query = parts.uri.query().unwrap_or_default();
        let credential = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="));
        credential.is_some_and(|credential| {
            let credential = credential.replace("%2F", "/").replace("%2f", "/");
            credential.split('/').nth(3) == Some(SERVICE)
        })
    };
    in_header || in_query()
}

impl Pipeline {
    /// Answers a request to S3.
    pub(super) async fn answer_s3(&self, request: StreamedRequest) -> StreamedAnswer {
        let ids = self.ids();
        let request_id = ids.request;
        let started = Instant::now();
        let StreamedRequest { mut parts, body, peer } = request;
        if let Some(bucket) = self.hosted_bucket(&parts) {
            parts.extensions.insert(HostedBucket(bucket));
        }
        if self.is_preflight(&parts) {
            let answer = self.answer_preflight(&parts, request_id, started).await;
            return answer.map_or_else(|refused| refused, |answer| success(answer, request_id));
        }
        let unsigned = self.unsigned(&parts, &peer, ids);
        if let Some(bucket) = self.form_bucket(&parts) {
            let answer = self.answer_form((&parts, &bucket), body, unsigned, started).await;
            return answer.map_or_else(|refused| refused, |answer| success(answer, request_id));
        }
        if self.is_anonymous(&parts) {
            let payload = anonymous::payload(&parts);
            let request = payload.and_then(|payload| read_request(&parts, body, payload));
            let answer = self.serve_anonymous(&parts, request, unsigned, started).await;
            return answer.map_or_else(|refused| refused, |answer| success(answer, request_id));
        }
        let identified = self.authenticator.identify_head(&parts, SERVICE, request_id).await;
        let answer = match identified {
            Ok((identified, payload)) => {
                let call = unsigned.signed_by(identified.caller, identified.region);
                let request = read_request(&parts, body, payload);
                self.serve_s3(&parts, request, &call, started).await
            }
            Err(fault) => Err(self.unidentified(&parts, &fault, request_id, started)),
        };
        answer.map_or_else(|refused| refused, |answer| success(answer, request_id))
    }

    /// Refuses a request of which nobody knows who made it.
    pub(super) fn unidentified(
        &self,
        parts: &Parts,
        fault: &Fault,
        request_id: RequestId,
        started: Instant,
    ) -> StreamedAnswer {
        if let Some(metrics) = &self.metrics {
            metrics.observe_request("none", "none", Some(fault), started.elapsed());
        }
        refusal(parts, fault, &[], request_id)
    }

    /// The bucket that the host of a request names.
    pub(super) fn hosted_bucket(&self, parts: &Parts) -> Option<String> {
        let host = match parts.headers.get(HOST) {
            Some(host) => host.to_str().ok()?,
            // HTTP/2 has it in the request's target.
            None => parts.uri.authority()?.as_str(),
        };
        self.host_names.bucket(host)
    }

    /// The bucket or object that a request names, by host and path.
    pub(super) fn target(&self, parts: &Parts) -> Result<Target, ObjectsError> {
        let path = parts.uri.path();
        self.hosted_bucket(parts)
            .map_or_else(|| Target::read(path), |bucket| Target::in_bucket(&bucket, path))
    }

    pub(super) async fn serve_s3(
        &self,
        parts: &Parts,
        request: Result<Request, ObjectsError>,
        call: &Call,
        started: Instant,
    ) -> Result<Answer, StreamedAnswer> {
        let refused = |error: &ObjectsError| refusal_of(parts, error, error.to_fault(), call.request_id);
        let request = request.map_err(|error| refused(&error))?;
        let operation = Operation::of(&request).map_err(|error| refused(&error))?;
        let answer = Box::pin(self.objects.call(operation, call, request)).await;
        let fault = answer.as_ref().err().map(ObjectsError::to_fault);
        if let Some(metrics) = &self.metrics {
            metrics.observe_request(SERVICE, operation.name(), fault.as_ref(), started.elapsed());
        }
        match (answer, fault) {
            (Ok(answer), _) => Ok(answer),
            (Err(error), fault) => {
                let fault = fault.unwrap_or_else(|| error.to_fault());
                log_failure(operation.name(), call.request_id, &error, &fault);
                let fault = self.explained(fault, call).await;
                Err(refusal_of(parts, &error, fault, call.request_id))
            }
        }
    }
}

fn read_request(parts: &Parts, body: IncomingBody, payload: Payload) -> Result<Request, ObjectsError> {
    let path = parts.uri.path();
    let method = match parts.method {
        Method::DELETE => objects::Method::Delete,
        Method::GET => objects::Method::Get,
        Method::HEAD => objects::Method::Head,
        Method::POST => objects::Method::Post,
        Method::PUT => objects::Method::Put,
        _ => return Err(ObjectsError::method_not_allowed()),
    };
    let bucket = HostedBucket::of(parts);
    Ok(Request {
        method,
        target: bucket.map_or_else(|| Target::read(path), |bucket| Target::in_bucket(bucket, path))?,
        bucket_is_in_host: bucket.is_some(),
        query: Query::read(parts.uri.query().unwrap_or_default())?,
        headers: read_headers(parts),
        payload,
        body: Box::new(Incoming(body)),
        form: None,
    })
}

pub(super) fn read_headers(parts: &Parts) -> Headers {
    let mut headers: Vec<_> = authenticate::signed_view(parts);
    headers.sort_unstable_by_key(|(name, _)| *name);
    Headers::new(headers)
}

/// The bucket that the host names, kept with the head of the request.
#[derive(Clone)]
struct HostedBucket(String);

impl HostedBucket {
    fn of(parts: &Parts) -> Option<&str> {
        parts.extensions.get::<Self>().map(|Self(bucket)| bucket.as_str())
    }
}

/// What an error names: the path, behind the bucket if the host has that.
fn resource(parts: &Parts) -> String {
    let path = parts.uri.path();
    HostedBucket::of(parts).map_or_else(|| path.to_owned(), |bucket| format!("/{bucket}{path}"))
}

/// The shell's body as S3 reads it.
pub(super) struct Incoming(pub(super) IncomingBody);

#[async_trait]
impl BodySource for Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.0.next().await.map_err(|fault| match fault {
            StreamFault::TimedOut => BodyError::TimedOut,
            StreamFault::Broken => BodyError::Broken,
        })
    }
}

/// The contents of an object as the shell sends them. Each piece is wiped once it is sent.
struct Outgoing {
    contents: Contents,
    request_id: RequestId,
}

#[async_trait]
impl Pieces for Outgoing {
    async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
        match self.contents.next().await {
            Ok(piece) => Ok(piece.map(wiped)),
            Err(error) => {
                let request_id = self.request_id;
                tracing::error!(%request_id, error = with_causes(&error), "an answer was cut off");
                Err(CutOff)
            }
        }
    }
}

fn wiped(piece: SecretBytes) -> Bytes {
    Bytes::from_owner(Wiped(piece))
}

fn success(answer: Answer, request_id: RequestId) -> StreamedAnswer {
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        // What came in as a header goes out as one.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.insert(name, value);
        }
    }
    let body = match answer.body {
        AnswerBody::Empty => Bytes::new().into(),
        AnswerBody::Xml(xml) => {
            headers.insert(CONTENT_TYPE, XML);
            Bytes::from(xml).into()
        }
        AnswerBody::Json(json) => {
            headers.insert(CONTENT_TYPE, JSON);
            Bytes::from(json).into()
        }
        AnswerBody::Contents(contents, length) => {
            OutgoingBody::streamed(Box::new(Outgoing { contents: *contents, request_id }), length)
        }
    };
    StreamedAnswer { status: status(answer.status), headers: with_id(headers, request_id), body }
}

pub(super) fn refusal_of(
    parts: &Parts,
    error: &ObjectsError,
    fault: Fault,
    request_id: RequestId,
) -> StreamedAnswer {
    let mut answer = refusal(parts, &fault, error.details(), request_id);
    let region = error.details().iter().find(|(name, _)| *name == "Region");
    if let Some(region) = region.and_then(|(_, region)| HeaderValue::from_str(region).ok()) {
        answer.headers.insert(BUCKET_REGION, region);
    }
    for (name, value) in error.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers.insert(*name, value);
        }
    }
    answer
}

/// An error in S3's XML; HEAD has the status alone.
fn refusal(
    parts: &Parts,
    fault: &Fault,
    details: &[(&'static str, String)],
    request_id: RequestId,
) -> StreamedAnswer {
    let xml = fault_xml(fault, details, &resource(parts), &request_id.to_string());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, XML);
    let body = if parts.method == Method::HEAD { Bytes::new() } else { Bytes::from(xml) };
    let headers = with_id(headers, request_id);
    StreamedAnswer { status: status(fault.status), headers, body: body.into() }
}

fn with_id(mut headers: HeaderMap, request_id: RequestId) -> HeaderMap {
    if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers
}

fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, authorization: Option<&str>) -> bool {
        let mut request = http::Request::builder().uri(uri);
        if let Some(authorization) = authorization {
            request = request.header(http::header::AUTHORIZATION, authorization);
        }
        is_asked(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_scope_of_the_signature_asks_for_s3() {
        let header = |service: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIAX/20261127/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
            )
        };
        assert!(asked("/", Some(&header("s3"))));
        assert!(!asked("/s3/aws4_request", Some(&header("kms"))));
        let query = |service: &str| {
            format!("/b/k?X-Amz-Credential=AKIAX%2F20261127%2Feu-west-1%2F{service}%2Faws4_request")
        };
        assert!(asked(&query("s3"), None));
        assert!(!asked(&query("sts"), None));
        assert!(!asked("/b/k", None));
    }
}
