//! The way of a request behind the HTTP shell: route, signature, caller, operation, reply.
//!
//! There is one way. Every call of every service goes through [`Pipeline::answer`]; a handler returns its outcome and
//! can neither write to the socket nor skip a step.

mod anonymous;
mod authenticate;
mod backup;
mod cors;
mod form;
mod reply;
mod route;
mod s3;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Call, Clock, EventId, EventNotes, Randomness, Region, RequestId, UnsignedCall};
use cloudtrail::CloudTrail;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use identity::{Identity, iam, sts};
use kms::{Kms, Refused};
use management::Management;
use objects::{HostNames, Objects};
use wire::Fault;
use wire::query::Form;

use crate::causes::with_causes;
use crate::http::{Front, IncomingRequest, OutgoingResponse, Peer, StreamedAnswer, StreamedRequest};
use crate::metrics::Metrics;
use authenticate::Authenticator;
use reply::Reply;
use route::{Protocol, Service};

/// Paths that are the shell's own, whatever host is named.
const OWN_PATHS: [&str; 4] = ["/livez", "/readyz", "/healthz", "/_dev/clock"];
/// What CloudTrail keeps of a user agent, in bytes.
const USER_AGENT_MAX: usize = 1_024;

/// Everything a request passes on its way.
pub(crate) struct Pipeline {
    authenticator: Authenticator,
    identity: Arc<Identity>,
    kms: Arc<Kms>,
    management: Arc<Management>,
    cloudtrail: Arc<CloudTrail>,
    objects: Arc<Objects>,
    host_names: HostNames,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    default_region: Region,
    explains_denials: bool,
    metrics: Option<Arc<Metrics>>,
}

/// What a request and its event are told apart by.
#[derive(Clone, Copy)]
struct Ids {
    request: RequestId,
    event: EventId,
}

/// What the pipeline is made of.
pub(crate) struct Parties {
    pub(crate) identity: Arc<Identity>,
    pub(crate) kms: Arc<Kms>,
    pub(crate) management: Arc<Management>,
    pub(crate) cloudtrail: Arc<CloudTrail>,
    pub(crate) objects: Arc<Objects>,
    /// The names of S3 below which names are buckets'.
    pub(crate) host_names: HostNames,
    /// The service's clock, which `--dev` may move. Signatures are always held against the machine's.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Seconds that a signature may be old or early.
    pub(crate) signature_window_seconds: u32,
    /// The Regions that are served; none: all.
    pub(crate) regions: Vec<Region>,
    /// The Region of requests that are not signed for one.
    pub(crate) default_region: Region,
    /// Whether a denial's text carries an encoded message with its reasons.
    pub(crate) explains_denials: bool,
    /// Counts requests.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl Pipeline {
    pub(crate) fn new(parties: Parties) -> Self {
        Self {
            default_region: parties.default_region,
            explains_denials: parties.explains_denials,
            metrics: parties.metrics,
            authenticator: Authenticator::new(
                Arc::clone(&parties.identity),
                parties.signature_window_seconds,
                parties.regions,
            ),
            identity: parties.identity,
            kms: parties.kms,
            management: parties.management,
            cloudtrail: parties.cloudtrail,
            objects: parties.objects,
            host_names: parties.host_names,
            clock: parties.clock,
            randomness: parties.randomness,
        }
    }

    async fn reply(&self, request: &IncomingRequest, ids: Ids) -> Reply {
        let Some(protocol) = Protocol::of(&request.parts) else { return Reply::NotFound };
        let unsigned = self.unsigned(&request.parts, &request.peer, ids);
        if let Some(form) = unsigned_form(request, protocol) {
            return match self.call_unsigned(&form, &unsigned).await {
                Ok(body) => Reply::Success(protocol, body),
                Err(fault) => Reply::Fault(protocol, Service::Sts.namespace(), fault),
            };
        }
        let (service, call) = match self.signed_call(request, protocol, unsigned, ids).await {
            Ok(signed) => signed,
            Err(reply) => return reply,
        };
        match self.outcome(request, protocol, service, &call).await {
            Ok(body) => Reply::Success(protocol, body),
            Err(fault) => Reply::Fault(protocol, service.namespace(), self.explained(fault, &call).await),
        }
    }

    /// Who makes a call, and of which service.
    async fn signed_call(
        &self,
        request: &IncomingRequest,
        protocol: Protocol,
        unsigned: UnsignedCall,
        ids: Ids,
    ) -> Result<(Service, Call), Reply> {
        let started = Instant::now();
        let identified = self.authenticator.identify(request, protocol, ids.request).await;
        let identified = identified.map_err(|fault| {
            if let Some(metrics) = &self.metrics {
                metrics.observe_request("none", "none", Some(&fault), started.elapsed());
            }
            Reply::fault(protocol, fault)
        })?;
        Ok((identified.service, unsigned.signed_by(identified.caller, identified.region)))
    }

    /// A denial with its encoded message, if the operator wants such.
    async fn explained(&self, fault: Fault, call: &Call) -> Fault {
        // Whom nobody knows is told nothing of policies.
        let explains = self.explains_denials && !call.caller.is_anonymous();
        if !explains || !fault.code.starts_with("AccessDenied") {
            return fault;
        }
        let message = self.management.failure_message(call.request_id, call.caller.account);
        let Some(message) = message else { return fault };
        match self.identity.encode_authorization_message(&message).await {
            Ok(encoded) => {
                let text = fault.message.as_deref().unwrap_or_default();
                let text = format!("{text} Encoded authorization failure message: {encoded}");
                Fault { message: Some(text), ..fault }
            }
            Err(error) => {
                tracing::error!(request_id = %call.request_id, %error, "a denial cannot be explained in its answer");
                fault
            }
        }
    }

    async fn outcome(
        &self,
        request: &IncomingRequest,
        protocol: Protocol,
        service: Service,
        call: &Call,
    ) -> Result<Vec<u8>, Fault> {
        match (service, protocol) {
            (Service::CloudTrail, _) => self.call_cloudtrail(request, call).await,
            (Service::Iam, _) => self.call_iam(&route::form(request)?, call).await,
            (Service::Keywright, _) => self.call_management(request, call).await,
            (Service::Kms, _) => self.call_kms(request, call).await,
            (Service::Sts, _) => self.call_sts(&route::form(request)?, call).await,
            (Service::Other, Protocol::AwsJson) => Err(Fault::without_text("UnknownOperationException")),
            (Service::Other, Protocol::Query) => Err(sts::unknown_operation(&route::form(request)?)),
        }
    }

    /// What is known of a request before anybody has signed it.
    fn unsigned(&self, parts: &Parts, peer: &Peer, ids: Ids) -> UnsignedCall {
        UnsignedCall {
            request_id: ids.request,
            region: self.default_region,
            time: self.clock.now(),
            source_address: peer.address.ip(),
            tls: peer.tls(parts),
            user_agent: user_agent(&parts.headers),
            event: Arc::new(EventNotes::new(ids.event)),
        }
    }

    async fn call_unsigned(&self, form: &Form, call: &UnsignedCall) -> Result<Vec<u8>, Fault> {
        let started = Instant::now();
        let answer = self.identity.call_sts_unsigned(call, form).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let sts::Refused::Operation(error) | sts::Refused::Unrecorded(error) = &refused {
                log_failure("AssumeRoleWithWebIdentity", call.request_id, error, &fault);
            }
            fault
        });
        self.counted("sts", "AssumeRoleWithWebIdentity", started, answer)
    }

    async fn call_cloudtrail(&self, request: &IncomingRequest, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = route::cloudtrail_operation(&request.parts.headers)
            .and_then(CloudTrail::operation)
            .ok_or(Fault::without_text("UnknownOperationException"))?;
        let started = Instant::now();
        let answer = self.cloudtrail.call(operation, call, &request.body).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let cloudtrail::Refused::Operation(error) | cloudtrail::Refused::Unrecorded(error) = &refused {
                log_failure(operation.name, call.request_id, error, &fault);
            }
            fault
        });
        self.counted("cloudtrail", operation.name, started, answer)
    }

    async fn call_kms(&self, request: &IncomingRequest, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = route::kms_operation(&request.parts.headers)
            .and_then(Kms::operation)
            .ok_or(Fault::without_text("UnknownOperationException"))?;
        let started = Instant::now();
        let answer = self.kms.call(operation, call, &request.body).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let Refused::Operation { error, .. } | Refused::Unrecorded(error) = &refused {
                log_failure(operation.name, call.request_id, error, &fault);
            }
            fault
        });
        self.counted("kms", operation.name, started, answer)
    }

    async fn call_management(&self, request: &IncomingRequest, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = route::keywright_operation(&request.parts.headers)
            .and_then(Management::operation)
            .ok_or(Fault::without_text("UnknownOperationException"))?;
        let started = Instant::now();
        let answer = self.management.call(operation, call, &request.body).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let management::Refused::Operation(error) | management::Refused::Unrecorded(error) = &refused {
                log_failure(operation.name, call.request_id, error, &fault);
            }
            fault
        });
        self.counted("keywright", operation.name, started, answer)
    }

    async fn call_iam(&self, form: &Form, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = Identity::iam_operation(form)?;
        let started = Instant::now();
        let answer = self.identity.call_iam(operation, call, form).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let iam::Refused::Operation(error) | iam::Refused::Unrecorded(error) = &refused {
                log_failure(operation.name, call.request_id, error, &fault);
            }
            fault
        });
        self.counted("iam", operation.name, started, answer)
    }

    async fn call_sts(&self, form: &Form, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = Identity::sts_operation(form)?;
        let started = Instant::now();
        let answer = self.identity.call_sts(operation, call, form).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let sts::Refused::Operation(error) | sts::Refused::Unrecorded(error) = &refused {
                log_failure(operation.name, call.request_id, error, &fault);
            }
            fault
        });
        self.counted("sts", operation.name, started, answer)
    }

    /// Counts a call that has ended.
    fn counted<T>(
        &self,
        service: &'static str,
        operation: &'static str,
        started: Instant,
        answer: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Some(metrics) = &self.metrics {
            metrics.observe_request(service, operation, answer.as_ref().err(), started.elapsed());
        }
        answer
    }

    /// The ids of a request and of its event, in one draw, which costs as much for both as for one. What is not random is still
    /// an id, and whatever needs secrecy fails on its own when randomness does.
    fn ids(&self) -> Ids {
        let mut random = [[0; 16]; 2];
        let _ = self.randomness.fill(random.as_flattened_mut());
        let [request, event] = random;
        Ids { request: RequestId::new(request), event: EventId::new(event) }
    }

    fn refuse(&self, content_type: Option<&HeaderValue>, fault: Fault) -> OutgoingResponse {
        let reply = match Protocol::of_content_type(content_type) {
            Some(protocol) => Reply::fault(protocol, fault),
            None => Reply::NotFound,
        };
        reply.into_response(self.ids().request)
    }
}

impl Front for Pipeline {
    async fn answer(&self, request: IncomingRequest) -> StreamedAnswer {
        let ids = self.ids();
        if backup::is_asked(&request.parts) {
            return Box::pin(self.answer_backup(&request, ids)).await;
        }
        self.reply(&request, ids).await.into_response(ids.request).into()
    }

    fn deadline(&self, parts: &Parts) -> Option<Duration> {
        backup::is_asked(parts).then_some(backup::DEADLINE)
    }

    fn takes_stream(&self, parts: &Parts) -> bool {
        s3::is_asked(parts)
            || self.form_bucket(parts).is_some()
            || self.is_preflight(parts)
            || self.is_anonymous(parts)
    }

    async fn answer_streamed(&self, request: StreamedRequest) -> StreamedAnswer {
        let cross_origin = self.cross_origin(&request.parts);
        let mut answer = Box::pin(self.answer_s3(request)).await;
        if let Some(asked) = cross_origin {
            self.permit(&asked, &mut answer.headers).await;
        }
        answer
    }

    fn too_large(&self, parts: &Parts) -> OutgoingResponse {
        let fault = Fault::without_text("RequestEntityTooLargeException").with_status(413);
        self.refuse(parts.headers.get(CONTENT_TYPE), fault)
    }

    fn timed_out(&self, parts: &Parts) -> OutgoingResponse {
        let fault =
            Fault::bad_request("RequestTimeoutException", "The request's body did not arrive in time.");
        self.refuse(parts.headers.get(CONTENT_TYPE), fault.with_status(408))
    }

    fn malformed(&self, parts: &Parts) -> OutgoingResponse {
        let fault = Fault::bad_request("MalformedHttpRequestException", "The request's body cannot be read.");
        self.refuse(parts.headers.get(CONTENT_TYPE), fault)
    }

    fn overloaded(&self, parts: &Parts) -> OutgoingResponse {
        let fault = Fault::bad_request(
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        );
        self.refuse(parts.headers.get(CONTENT_TYPE), fault)
    }

    fn overdue(&self, content_type: Option<&HeaderValue>) -> OutgoingResponse {
        let fault = Fault::bad_request("DependencyTimeoutException", "The request took too long. Try again.");
        self.refuse(content_type, fault.with_status(500))
    }
}

/// What only the operator may know goes to the log, under the id that the client has.
fn log_failure(operation: &'static str, request_id: RequestId, error: &dyn std::error::Error, fault: &Fault) {
    if fault.status >= 500 {
        tracing::error!(%request_id, operation, error = with_causes(error), "the call failed");
    } else {
        tracing::debug!(%request_id, operation, error = with_causes(error), "the call was refused");
    }
}

/// The parameters of an operation that needs no signature.
fn unsigned_form(request: &IncomingRequest, protocol: Protocol) -> Option<Form> {
    match protocol {
        Protocol::AwsJson => None,
        Protocol::Query => route::form(request).ok().filter(Identity::is_unsigned),
    }
}

fn user_agent(headers: &HeaderMap) -> Box<str> {
    let value = headers.get(USER_AGENT).map_or(&[][..], HeaderValue::as_bytes);
    let kept = value.get(..USER_AGENT_MAX).unwrap_or(value);
    String::from_utf8_lossy(kept).into()
}
