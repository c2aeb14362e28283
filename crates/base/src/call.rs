//! What is known about a request once its signature has been verified.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use crate::{AccountId, Caller, EventId, EventNotes, Principal, Region, Timestamp, TlsDetails};

/// The id of one request: a UUID, sent back as `x-amzn-RequestId` and kept in the audit record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A version 4 UUID made of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a request's id")]
pub struct InvalidRequestId;

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        uuid::Uuid::try_parse(text).map(|id| Self(id.into_bytes())).map_err(|_| InvalidRequestId)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = uuid::Uuid::encode_buffer();
        f.write_str(uuid::Uuid::from_bytes_ref(&self.0).hyphenated().encode_lower(&mut text))
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
    /// How the connection is protected; `None` if it is not.
    pub tls: Option<Arc<TlsDetails>>,
    /// The `User-Agent` header, cut to what an audit record may hold; empty if none was sent.
    pub user_agent: Box<str>,
    /// What its audit event tells beside.
    pub event: Arc<EventNotes>,
}

impl UnsignedCall {
    /// The call that it is if nobody has to sign it: of an anonymous caller, about something of `account` in a Region.
    pub fn anonymous(self, account: AccountId, region: Region) -> Call {
        self.signed_by(Arc::new(Caller::anonymous(account)), region)
    }

    /// The call of whoever turned out to have signed it, for the Region in the signature's scope.
    pub fn signed_by(self, caller: Arc<Caller>, region: Region) -> Call {
        let Self { request_id, region: _, time, source_address, tls, user_agent, event } = self;
        Call { request_id, caller, region, time, source_address, tls, user_agent, service: None, event }
    }
}

/// One call, authenticated or of an anonymous caller. Handlers get it beside the typed request; they can neither make nor change one.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request's id.
    pub request_id: RequestId,
    /// Who signed it, or an anonymous caller.
    pub caller: Arc<Caller>,
    /// The Region of the signature's scope: the Region the call is about.
    pub region: Region,
    /// When the request was taken up, by the service's clock.
    pub time: Timestamp,
    /// The peer's address.
    pub source_address: IpAddr,
    /// How the connection is protected; `None` if it is not.
    pub tls: Option<Arc<TlsDetails>>,
    /// The `User-Agent` header, cut to what an audit record may hold; empty if none was sent.
    pub user_agent: Box<str>,
    /// What its audit event tells beside.
    pub event: Arc<EventNotes>,
    /// The service that makes the call, for its caller or in its own name; none if a client makes it. Only services within
    /// this program can say so, never a request.
    pub service: Option<Arc<ServiceCall>>,
}

/// A service that calls another one.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCall {
    /// The service's principal, for example `s3.amazonaws.com`.
    pub principal: String,
    /// `kms:ViaService`, for example `s3.eu-central-1.amazonaws.com`.
    pub via: String,
    /// `aws:CalledVia`: the services that passed the caller's own rights on, first to last; empty if the service calls in
    /// its own name.
    pub chain: Vec<String>,
    /// `aws:SourceArn`: the resource that causes the call.
    pub source_arn: Option<String>,
    /// `aws:SourceAccount`: the account of that resource.
    pub source_account: Option<AccountId>,
}

/// The ids of a call that a service makes: it is a request of its own, with an audit event of its own.
#[derive(Clone, Copy, Debug)]
pub struct CallIds {
    /// The request's id.
    pub request: RequestId,
    /// The id of its audit event.
    pub event: EventId,
}

/// What a service says of a call that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingService<'a> {
    /// Its name, for example `s3`.
    pub name: &'a str,
    /// The resource that causes the call, if it is one.
    pub source_arn: Option<String>,
    /// The account of that resource.
    pub source_account: Option<AccountId>,
}

impl Call {
    /// Whether the request came over TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The call that a service makes on behalf of whoever made this one, with the caller's own rights and no more.
    pub fn forwarded_by(&self, service: CallingService<'_>, ids: CallIds) -> Self {
        let before = self.service.as_ref().map(|before| before.chain.clone()).unwrap_or_default();
        let service = ServiceCall::new(service, self.region, before, true);
        let event = Arc::new(EventNotes::new(ids.event));
        Self { request_id: ids.request, event, service: Some(Arc::new(service)), ..self.clone() }
    }

    /// The call that a service makes in its own name, because of this one, on resources of `account`.
    pub fn of_service(&self, service: CallingService<'_>, account: AccountId, ids: CallIds) -> Self {
        let principal = Principal::Service { name: format!("{}.amazonaws.com", service.name) };
        let caller = Caller { account, principal, access_key_id: String::new(), session: None };
        let service = ServiceCall::new(service, self.region, Vec::new(), false);
        let event = Arc::new(EventNotes::new(ids.event));
        let (caller, service) = (Arc::new(caller), Some(Arc::new(service)));
        Self { request_id: ids.request, event, caller, service, ..self.clone() }
    }
}

impl ServiceCall {
    fn new(service: CallingService<'_>, region: Region, mut chain: Vec<String>, forwards: bool) -> Self {
        let CallingService { name, source_arn, source_account } = service;
        let principal = format!("{name}.amazonaws.com");
        if forwards {
            chain.push(principal.clone());
        }
        let via = format!("{name}.{region}.amazonaws.com");
        Self { principal, via, chain, source_arn, source_account }
    }
}
