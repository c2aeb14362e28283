//! The form of an answer in each protocol.

use base::{RequestId, SecretBytes};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use wire::{Fault, json, query};

use super::route::Protocol;
use crate::http::OutgoingResponse;

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const XML: HeaderValue = HeaderValue::from_static("text/xml");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-cache, no-store, must-revalidate, private");
/// Seconds after which it is worth trying again.
const SOON: HeaderValue = HeaderValue::from_static("1");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What is answered, before it has bytes.
pub(super) enum Reply {
    /// A finished body of a success.
    Success(Protocol, Vec<u8>),
    /// A refusal or failure, and the XML namespace of the service that it comes from.
    Fault(Protocol, &'static str, Fault),
    /// No service here speaks what the request speaks.
    NotFound,
}

impl Reply {
    /// A refusal before it is known which service the request is for.
    pub(super) fn fault(protocol: Protocol, fault: Fault) -> Self {
        Self::Fault(protocol, wire::sts::NAMESPACE, fault)
    }

    pub(super) fn into_response(self, request_id: RequestId) -> OutgoingResponse {
        let id = request_id.to_string();
        let is_throttled = matches!(&self, Self::Fault(_, _, fault) if fault.code.starts_with("Throttling"));
        let (status, content_type, body) = match self {
            Self::Success(Protocol::AwsJson, body) => (StatusCode::OK, JSON, body),
            Self::Success(Protocol::Query, body) => (StatusCode::OK, XML, body),
            Self::Fault(Protocol::AwsJson, _, fault) => (status(&fault), JSON, json::encode_fault(&fault)),
            Self::Fault(Protocol::Query, namespace, fault) => {
                (status(&fault), XML, query::encode_fault(namespace, &fault, &id))
            }
            Self::NotFound => (StatusCode::NOT_FOUND, XML, b"<UnknownOperationException/>\n".to_vec()),
        };
        let mut headers = with_id(HeaderMap::with_capacity(4), request_id);
        headers.insert(CONTENT_TYPE, content_type);
        if is_throttled {
            headers.insert(RETRY_AFTER, SOON);
        }
        OutgoingResponse { status, headers, body: Bytes::from_owner(Wiped(SecretBytes::new(body))) }
    }
}

/// What every answer says besides.
pub(super) fn with_id(mut headers: HeaderMap, request_id: RequestId) -> HeaderMap {
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers
}

/// An answer may hold plaintext, so its bytes are wiped once they are sent.
pub(super) struct Wiped(pub(super) SecretBytes);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

fn status(fault: &Fault) -> StatusCode {
    StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
