//! What is known about a request once its signature has been verified.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{Caller, Region, Timestamp};

/// The id of one request: a UUID, sent back as `x-amzn-RequestId` and kept in the audit record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A version 4 UUID made of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(uuid::Uuid::from_bytes_ref(&self.0), f)
    }
}

/// A call that nobody signed, for the few operations that need no signature: what they are told in the request must prove
/// who asks.
#[derive(Clone, Debug)]
pub struct UnsignedCall {
    /// The request's id.
    pub request_id: RequestId,
    /// The Region the call is about: that of the endpoint.
    pub region: Region,
    /// When the request was taken up, by the service's clock.
    pub time: Timestamp,
    /// The peer's address.
    pub source_address: IpAddr,
    /// Whether the request came over TLS.
    pub is_secure: bool,
    /// The `User-Agent` header, cut to what an audit record may hold; empty if none was sent.
    pub user_agent: Box<str>,
}

impl UnsignedCall {
    /// The call of whoever turned out to have signed it, for the Region in the signature's scope.
    pub fn signed_by(self, caller: Arc<Caller>, region: Region) -> Call {
        let Self { request_id, region: _, time, source_address, is_secure, user_agent } = self;
        Call { request_id, caller, region, time, source_address, is_secure, user_agent }
    }
}

/// One authenticated call. Handlers get it beside the typed request; they can neither make nor change one.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request's id.
    pub request_id: RequestId,
    /// Who signed it.
    pub caller: Arc<Caller>,
    /// The Region of the signature's scope: the Region the call is about.
    pub region: Region,
    /// When the request was taken up, by the service's clock.
    pub time: Timestamp,
    /// The peer's address.
    pub source_address: IpAddr,
    /// Whether the request came over TLS.
    pub is_secure: bool,
    /// The `User-Agent` header, cut to what an audit record may hold; empty if none was sent.
    pub user_agent: Box<str>,
}
