//! Who signed a request. Nothing behind this step runs for a request whose signature does not hold.

use std::sync::Arc;

use base::{Caller, Clock, Region, RequestId, SystemClock};
use http::HeaderValue;
use http::request::Parts;
use identity::{Credential, Credentials, Identity, IdentityError};
use wire::Fault;
use wire::sigv4::{self, Payload, PolicyClaim, Refusal, RequestHead, SignedRequest};

use super::route::{Protocol, Service};
use crate::http::IncomingRequest;

/// The Region of what has none, as AWS records it.
const GLOBAL_REGION: &str = "us-east-1";

/// Verifies signatures.
pub(super) struct Authenticator {
    identity: Arc<Identity>,
    window_seconds: u32,
    regions: Vec<Region>,
}

/// A request whose signature holds.
pub(super) struct Identified {
    pub(super) caller: Arc<Caller>,
    pub(super) region: Region,
    pub(super) service: Service,
}

impl Authenticator {
    pub(super) fn new(identity: Arc<Identity>, window_seconds: u32, regions: Vec<Region>) -> Self {
        Self { identity, window_seconds, regions }
    }

    /// Whether a service is served in a Region. IAM is global: AWS's clients sign for us-east-1, or for the Region that
    /// they are set to when they are given an endpoint.
    pub(super) fn serves(&self, service: Service, region: Region) -> bool {
        let global = service == Service::Iam && region.as_str() == GLOBAL_REGION;
        self.regions.is_empty() || self.regions.contains(&region) || global
    }

    /// Finds out who signed the request and for which Region, or why that cannot be believed.
    pub(super) async fn identify(
        &self,
        request: &IncomingRequest,
        protocol: Protocol,
        request_id: RequestId,
    ) -> Result<Identified, Fault> {
        let headers = signed_view(&request.parts);
        let head = head_of(&request.parts, &headers);
        let form = match protocol {
            Protocol::AwsJson => sigv4::Protocol::AwsJson,
            Protocol::Query => sigv4::Protocol::Query,
        };
        let refuse = |refusal: Refusal| refusal.to_fault(form);
        let signed = sigv4::parse(&head).map_err(refuse)?;
        let region = self.check(&signed, protocol).map_err(refuse)?;
        let who = (signed.access_key_id(), signed.session_token());
        let credential = self.credential(who, form, request_id).await?;
        let scope = signed.scope();
        let key = credential.signing_key(&scope.date, &scope.region, &scope.service);
        signed.verify(&head, &request.body, &key).map_err(refuse)?;
        let service = Service::of_scope(&scope.service);
        let region = match service {
            Service::Iam => GLOBAL_REGION.parse().unwrap_or(region),
            Service::CloudTrail | Service::Keywright | Service::Kms | Service::Sts | Service::Other => region,
        };
        Ok(Identified { caller: Arc::clone(&credential.caller), region, service })
    }

    /// Finds out who signed the head of a request to a service that takes bodies as they come, and what the signature
    /// says of the body.
    pub(super) async fn identify_head(
        &self,
        parts: &Parts,
        service: &'static str,
        request_id: RequestId,
    ) -> Result<(Identified, Payload), Fault> {
        let headers = signed_view(parts);
        let head = head_of(parts, &headers);
        let form = sigv4::Protocol::S3;
        let refuse = |refusal: Refusal| refusal.to_fault(form);
        let signed = sigv4::parse(&head).map_err(refuse)?;
        let region: Option<Region> = signed.scope().region.parse().ok();
        let region = region.filter(|region| self.serves(Service::Other, *region));
        signed.check_scope(region.is_some(), &[service]).map_err(refuse)?;
        signed.check_time(SystemClock.now(), self.window_seconds).map_err(refuse)?;
        let region = region.ok_or(Refusal::UnknownAccessKey).map_err(refuse)?;
        let who = (signed.access_key_id(), signed.session_token());
        let credential = self.credential(who, form, request_id).await?;
        let scope = signed.scope();
        let key = credential.signing_key(&scope.date, &scope.region, &scope.service);
        let payload = signed.verify_head(&head, &key).map_err(refuse)?;
        let caller = Arc::clone(&credential.caller);
        Ok((Identified { caller, region, service: Service::Other }, payload))
    }

    /// Finds out who signed the policy of a form for S3. Its time is for the policy to say.
    pub(super) async fn identify_form(
        &self,
        claim: PolicyClaim<'_>,
        session_token: Option<&str>,
        service: &'static str,
        request_id: RequestId,
    ) -> Result<Identified, Fault> {
        let form = sigv4::Protocol::S3;
        let refuse = |refusal: Refusal| refusal.to_fault(form);
        let signed = claim.parse().map_err(refuse)?;
        let scope = signed.scope();
        let region: Option<Region> = scope.region.parse().ok();
        let region = region.filter(|region| self.serves(Service::Other, *region));
        scope.check(region.is_some(), &[service]).map_err(refuse)?;
        let region = region.ok_or(Refusal::UnknownAccessKey).map_err(refuse)?;
        let credential = self.credential((signed.access_key_id(), session_token), form, request_id).await?;
        let key = credential.signing_key(&scope.date, &scope.region, &scope.service);
        signed.verify(&key).map_err(refuse)?;
        Ok(Identified { caller: Arc::clone(&credential.caller), region, service: Service::Other })
    }

    async fn credential(
        &self,
        (access_key_id, session_token): (&str, Option<&str>),
        form: sigv4::Protocol,
        request_id: RequestId,
    ) -> Result<Arc<Credential>, Fault> {
        match self.identity.credentials(access_key_id, session_token).await {
            Ok(Credentials::Known(credential)) => Ok(credential),
            Ok(Credentials::Expired) => Err(Refusal::ExpiredToken.to_fault(form)),
            Ok(Credentials::Unknown) => Err(Refusal::UnknownAccessKey.to_fault(form)),
            Err(error) => Err(unreadable(request_id, &error)),
        }
    }

    /// What can be judged before the secret is known: scope and time.
    fn check(&self, signed: &SignedRequest<'_>, protocol: Protocol) -> Result<Region, Refusal> {
        let name = signed.scope().service.as_ref();
        let service = Service::of_scope(name);
        let region: Option<Region> = signed.scope().region.parse().ok();
        let region = region.filter(|region| self.serves(service, *region));
        let wanted = service.speaks(protocol).err().unwrap_or(name);
        signed.check_scope(region.is_some(), &[wanted])?;
        signed.check_time(SystemClock.now(), self.window_seconds)?;
        region.ok_or(Refusal::UnknownAccessKey)
    }
}

/// The service's own failure; the operator finds the cause under the request id.
fn unreadable(request_id: RequestId, error: &IdentityError) -> Fault {
    tracing::error!(%request_id, %error, "credentials cannot be read");
    Fault::bad_request("InternalFailure", "The request could not be authenticated.").with_status(500)
}

fn head_of<'a>(parts: &'a Parts, headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
    RequestHead {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers,
    }
}

/// The headers as the client signed them. HTTP/2 carries the host in the request's target instead of a header.
pub(super) fn signed_view(parts: &Parts) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<_> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), HeaderValue::as_bytes(value))).collect();
    if !parts.headers.contains_key(http::header::HOST)
        && let Some(authority) = parts.uri.authority()
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    headers
}
