//! The HTTP shell: everything between the socket and a complete request, and nothing about its meaning.
//!
//! A request reaches the [`Front`] only when its head and body are there in full and within the limits; where the front
//! takes a body as it comes, when its head is.

mod activity;
mod body;
mod clock;
mod connection;
mod cors;
mod gate;
mod listener;
mod peer;
mod streams;

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

pub(crate) use body::WipedBody;
pub(crate) use clock::DevelopmentClock;
pub(crate) use cors::Cors;
pub(crate) use gate::Gate;
pub(crate) use listener::{ListenError, Listener, Phase};
pub(crate) use peer::Peer;
pub(crate) use streams::{CutOff, IncomingBody, OutgoingBody, Pieces, StreamFault};

/// A request whose head and body are complete and within the limits.
pub(crate) struct IncomingRequest {
    pub(crate) parts: Parts,
    /// The body's bytes; they are wiped when this is dropped.
    pub(crate) body: WipedBody,
    /// The other end of the connection.
    pub(crate) peer: Peer,
}

/// A request whose head is complete and whose body is still to come.
pub(crate) struct StreamedRequest {
    pub(crate) parts: Parts,
    pub(crate) body: IncomingBody,
    /// The other end of the connection.
    pub(crate) peer: Peer,
}

/// An answer whose body may be made while it is sent.
pub(crate) struct StreamedAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: OutgoingBody,
}

impl From<OutgoingResponse> for StreamedAnswer {
    fn from(answer: OutgoingResponse) -> Self {
        Self { status: answer.status, headers: answer.headers, body: answer.body.into() }
    }
}

/// A complete answer.
pub(crate) struct OutgoingResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What stands behind the listener: it gives every answer its form, also to requests that never became complete.
pub(crate) trait Front: Send + Sync + 'static {
    /// Answers a complete request. The future is dropped when the deadline passes.
    fn answer(&self, request: IncomingRequest) -> impl Future<Output = StreamedAnswer> + Send;

    /// The deadline of [`Front::answer`] for this request, if it has another than most.
    fn deadline(&self, _: &Parts) -> Option<Duration> {
        None
    }

    /// Whether the body of a request is taken as it comes, by [`Front::answer_streamed`], without the limits on bodies
    /// that are held.
    fn takes_stream(&self, parts: &Parts) -> bool;

    /// Answers a request whose body comes while it is answered. Each wait for the body has its deadline.
    fn answer_streamed(&self, request: StreamedRequest) -> impl Future<Output = StreamedAnswer> + Send;

    /// The body is longer than the limit. The connection is closed after this answer.
    fn too_large(&self, parts: &Parts) -> OutgoingResponse;

    /// The body did not arrive in time. The connection is closed after this answer.
    fn timed_out(&self, parts: &Parts) -> OutgoingResponse;

    /// The body's framing is broken. The connection is closed after this answer.
    fn malformed(&self, parts: &Parts) -> OutgoingResponse;

    /// The memory for bodies is used up at this moment; trying again helps.
    fn overloaded(&self, parts: &Parts) -> OutgoingResponse;

    /// [`Front::answer`] took longer than the deadline. The request's parts are gone by then; its `Content-Type`
    /// tells the protocol.
    fn overdue(&self, content_type: Option<&HeaderValue>) -> OutgoingResponse;
}

#[cfg(test)]
mod tests;
