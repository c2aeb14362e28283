//! The first thing behind a connection: health, the development clock, preflights, limits; the rest goes to the front.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Body;

use super::body::{BodyFault, BodyReader};
use super::clock::{self, DevelopmentClock};
use super::cors::{self, Cors};
use super::{
    Front, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, Peer, StreamedAnswer,
    StreamedRequest, WipedBody,
};
use crate::config::Limits;

/// What all connections share.
pub(crate) struct Gate<F> {
    front: F,
    limits: Limits,
    bodies: BodyReader,
    cors: Cors,
    clock: Option<DevelopmentClock>,
    healthy: Box<dyn Fn() -> bool + Send + Sync>,
    draining: AtomicBool,
}

impl<F: Front> Gate<F> {
    /// `clock` is there with `--dev` only; `healthy` tells whether the store answers a read.
    pub(crate) fn new(
        front: F,
        limits: Limits,
        cors: Cors,
        clock: Option<DevelopmentClock>,
        healthy: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let bodies = BodyReader::new(&limits);
        let draining = AtomicBool::new(false);
        Self { front, limits, bodies, cors, clock, healthy: Box::new(healthy), draining }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// From now on `/readyz` says no.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Answers one request, whatever it is.
    pub(super) async fn handle<B>(&self, request: Request<B>, peer: Peer) -> Response<OutgoingBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Send,
    {
        let (parts, body) = request.into_parts();
        let origin = self.cors.allowed(&parts.headers);
        let mut answer = match self.answer_here(&parts) {
            Some(answer) => answer.into(),
            None if self.front.takes_stream(&parts) => self.answer_streamed(parts, body, peer).await,
            None => self.answer_behind(parts, body, peer).await,
        };
        if let Some(origin) = origin {
            cors::permit(&mut answer.headers, origin);
        }
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }

    /// What needs no body and no front.
    fn answer_here(&self, parts: &Parts) -> Option<OutgoingResponse> {
        if parts.headers.len() > self.limits.header_count_max {
            return Some(plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header lines\n"));
        }
        // A bucket may have the name of such a path.
        if let Some(health) = self.health(parts).filter(|_| !self.front.takes_stream(parts)) {
            return Some(health);
        }
        self.cors.preflight(parts).filter(|_| !self.front.takes_stream(parts))
    }

    fn health(&self, parts: &Parts) -> Option<OutgoingResponse> {
        let path = parts.uri.path();
        if !matches!(path, "/livez" | "/readyz" | "/healthz") {
            return None;
        }
        if parts.method != Method::GET {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
            answer.headers.insert(ALLOW, HeaderValue::from_static("GET"));
            return Some(answer);
        }
        Some(match path {
            "/livez" => plain(StatusCode::OK, "ok"),
            "/readyz" if self.draining.load(Ordering::Acquire) => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "shutting down")
            }
            "/readyz" => plain(StatusCode::OK, "ok"),
            _ if (self.healthy)() => json(StatusCode::OK, r#"{"status":"ok"}"#),
            _ => json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unavailable"}"#),
        })
    }

    async fn answer_streamed<B>(&self, parts: Parts, body: B, peer: Peer) -> StreamedAnswer
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let waits = parts.headers.contains_key(EXPECT);
        let can_end_alone = parts.version >= Version::HTTP_2;
        let (body, rest) = IncomingBody::new(body, self.limits.body_read_timeout);
        let preflight = self.cors.preflight(&parts);
        let mut answer = self.front.answer_streamed(StreamedRequest { parts, body, peer }).await;
        // The front knows more of what is asked about; the operator's origins are let in all the same.
        if let Some(preflight) = preflight.filter(|_| answer.status == StatusCode::FORBIDDEN) {
            answer = preflight.into();
        }
        if !can_end_alone && !rest.discard(self.bodies.discarded_max(), waits).await {
            answer.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    async fn answer_behind<B>(&self, parts: Parts, body: B, peer: Peer) -> StreamedAnswer
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Send,
    {
        // A client that waits for 100 Continue has not sent the body, and HTTP/2 can end a stream by itself.
        let discard = parts.version < Version::HTTP_2 && !parts.headers.contains_key(EXPECT);
        match self.bodies.read(body, discard).await {
            Ok(body) => self.answer_complete(parts, body, peer).await,
            Err(fault) => self.refuse(&parts, fault).into(),
        }
    }

    async fn answer_complete(&self, parts: Parts, body: WipedBody, peer: Peer) -> StreamedAnswer {
        if let Some(clock) = self.clock.as_ref().filter(|_| parts.uri.path() == clock::PATH) {
            return clock.answer(&parts.method, &parts.headers, &body).await.into();
        }
        let content_type = parts.headers.get(CONTENT_TYPE).cloned();
        let deadline = self.front.deadline(&parts).unwrap_or(self.limits.request_deadline);
        let answering = pin!(self.front.answer(IncomingRequest { parts, body, peer }));
        match tokio::time::timeout(deadline, answering).await {
            Ok(answer) => answer,
            Err(_) => self.front.overdue(content_type.as_ref()).into(),
        }
    }

    fn refuse(&self, parts: &Parts, fault: BodyFault) -> OutgoingResponse {
        let mut answer = match fault {
            BodyFault::TooLarge => self.front.too_large(parts),
            BodyFault::TimedOut => self.front.timed_out(parts),
            BodyFault::Malformed => self.front.malformed(parts),
            BodyFault::Overloaded => self.front.overloaded(parts),
        };
        if parts.version < Version::HTTP_2 {
            answer.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

fn plain(status: StatusCode, text: &'static str) -> OutgoingResponse {
    fixed(status, "text/plain", text)
}

fn json(status: StatusCode, text: &'static str) -> OutgoingResponse {
    fixed(status, "application/json", text)
}

fn fixed(status: StatusCode, kind: &'static str, text: &'static str) -> OutgoingResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    OutgoingResponse { status, headers, body: Bytes::from_static(text.as_bytes()) }
}
