//! What a decision is about.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base::{AccountId, Call, Region, ServiceCall, Timestamp, UnsignedCall};

use crate::action::Action;
use crate::caller::CallerFacts;
use crate::key::ServiceKey;
use crate::organization::Organization;
use crate::value::Value;

/// One check: may this caller take this action on this resource, under these circumstances?
///
/// An operation may need several (<https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>);
/// then each is decided by itself and all must pass.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What is to be done.
    pub action: Action<'a>,
    /// What it is to be done to.
    pub resource: Resource<'a>,
    /// Who wants to do it.
    pub caller: &'a CallerFacts,
    /// Where the request comes from, and when.
    pub origin: Origin<'a>,
    /// What the service knows of the request and the resource.
    pub context: &'a dyn Context,
}

/// What an action is taken on.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Its ARN; `None` if the action is on no resource in particular, which policies must write as `*`.
    pub arn: Option<&'a str>,
    /// The account that owns it; without a resource, the account that is acted in.
    pub owner: AccountId,
}

/// Where a request comes from, and when.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// When it was taken up: `aws:CurrentTime`.
    pub time: Timestamp,
    /// The Region of the endpoint: `aws:RequestedRegion`.
    pub region: Region,
    /// The peer's address: `aws:SourceIp`. None for requests through a VPC endpoint or forwarded by a service.
    pub source_address: Option<IpAddr>,
    /// Whether the request came over TLS.
    pub is_secure: bool,
    /// The header `User-Agent`; nobody vouches for it.
    pub user_agent: &'a str,
    /// The header `Referer`, if there is one; nobody vouches for it.
    pub referer: Option<&'a str>,
    /// The VPC endpoint that the request came through.
    pub endpoint: Option<Endpoint<'a>>,
    /// The service that sent the request, for its caller or for itself.
    pub service: Option<Forwarded<'a>>,
}

/// A VPC endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// `aws:SourceVpce`.
    pub id: &'a str,
    /// `aws:SourceVpc`.
    pub vpc: &'a str,
    /// `aws:VpcSourceIp`.
    pub source_address: IpAddr,
}

/// What a service says about the request that it sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forwarded<'a> {
    /// `kms:ViaService`, for example `s3.eu-central-1.amazonaws.com`.
    pub via: Option<&'a str>,
    /// `aws:CalledVia`: the services that passed the caller's own credentials on, first to last.
    pub chain: &'a [String],
    /// `aws:SourceArn`: the resource that caused the call.
    pub source_arn: Option<&'a str>,
    /// `aws:SourceAccount`: the account of that resource.
    pub source_account: Option<AccountId>,
    /// The organisation of that account.
    pub source_organization: Option<&'a Organization>,
}

/// What a service knows of a request. Only keys that some policy asks about are looked up.
pub trait Context {
    /// The value of a condition key.
    fn value(&self, key: &ServiceKey) -> Value<'_>;

    /// The encryption context of the request; of CreateGrant, the pairs of the grant's constraint. None for actions that
    /// have none, and for requests without any.
    fn encryption_context(&self) -> Option<&BTreeMap<String, String>> {
        None
    }

    /// The tags of the resource.
    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        None
    }

    /// The tags in the request, if the operation takes any and some were sent.
    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        None
    }
}

/// A request about which there is nothing to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoContext;

impl Context for NoContext {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        Value::Absent
    }
}

impl<'a> Origin<'a> {
    /// The origin of a call. Where a service makes it, the client's address says nothing.
    pub fn of(call: &'a Call) -> Self {
        let service = call.service.as_deref();
        Self {
            time: call.time,
            region: call.region,
            source_address: service.is_none().then_some(call.source_address),
            is_secure: call.is_secure(),
            user_agent: service.map_or(&*call.user_agent, |service| &service.principal),
            referer: None,
            endpoint: None,
            service: service.map(Forwarded::of),
        }
    }

    /// The origin of a call that nobody signed.
    pub fn of_unsigned(call: &'a UnsignedCall) -> Self {
        Self {
            time: call.time,
            region: call.region,
            source_address: Some(call.source_address),
            is_secure: call.tls.is_some(),
            user_agent: &call.user_agent,
            referer: None,
            endpoint: None,
            service: None,
        }
    }
}

impl<'a> Forwarded<'a> {
    /// A service that makes a call; of which organisation the source is, it does not say.
    fn of(service: &'a ServiceCall) -> Self {
        Self {
            via: Some(&service.via),
            chain: &service.chain,
            source_arn: service.source_arn.as_deref(),
            source_account: service.source_account,
            source_organization: None,
        }
    }
}

impl<'a> Resource<'a> {
    /// The resource of this ARN.
    pub fn named(arn: &'a str, owner: AccountId) -> Self {
        Self { arn: Some(arn), owner }
    }

    /// No resource in particular, in this account.
    pub fn any(account: AccountId) -> Self {
        Self { arn: None, owner: account }
    }
}
