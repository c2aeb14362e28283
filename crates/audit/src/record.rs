//! One event in CloudTrail's form.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use base::{
    AccountId, Call, EventDetails, EventId, EventResource, EventTokenHolder, EventValue, Region, RequestId,
    Timestamp, TlsDetails, UnsignedCall,
};

use crate::json::Object;
use crate::user_identity::{INTERNAL, UserIdentity};

/// The Region of global services.
const GLOBAL_REGION: &str = "us-east-1";
/// Bytes that `errorCode` and `errorMessage` may have.
const ERROR_BYTES_MAX: usize = 1_024;
/// Bytes that `requestParameters`, `responseElements` and `serviceEventDetails` may have.
const ELEMENTS_BYTES_MAX: usize = 100 * 1_024;
/// Bytes that most events have room in.
const USUAL_BYTES: usize = 1_536;

/// An operation as events name it.
#[derive(Clone, Copy, Debug)]
pub struct EventName {
    /// The service's DNS name, for example `kms.amazonaws.com`.
    pub source: &'static str,
    /// The operation's name.
    pub operation: &'static str,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Whether the service is the same in all Regions: CloudTrail has its events in us-east-1.
    pub is_global: bool,
    /// Whether it is about what lies in a resource, and not about the resource: then it is a data event.
    pub is_data: bool,
}

/// The error that a call was answered with.
#[derive(Clone, Copy, Debug)]
pub struct EventError<'a> {
    /// Its code.
    pub code: &'a str,
    /// Its text for the client.
    pub message: Option<&'a str>,
}

/// The event of something that the service does by itself, because it is due or at start: an `AwsServiceEvent`.
#[derive(Debug)]
pub struct ServiceEvent {
    id: EventId,
    time: Timestamp,
    account: AccountId,
    region: Region,
    source: &'static str,
    name: &'static str,
    about: EventDetails,
    details: BTreeMap<&'static str, String>,
}

impl ServiceEvent {
    /// An event about an account's things in a Region.
    pub fn new(
        id: EventId,
        time: Timestamp,
        account: AccountId,
        region: Region,
        source: &'static str,
        name: &'static str,
    ) -> Self {
        let (about, details) = (EventDetails::default(), BTreeMap::new());
        Self { id, time, account, region, source, name, about, details }
    }

    /// Names something that it is about; `kind` is its type, such as `AWS::KMS::Key`.
    #[must_use]
    pub fn with_resource(mut self, kind: &'static str, account: AccountId, arn: impl Display) -> Self {
        self.about.resources.push(EventResource { account, kind, arn: arn.to_string() });
        self
    }

    /// Says something in `serviceEventDetails`.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Display) -> Self {
        self.details.insert(name, value.to_string());
        self
    }

    /// The event as the bytes for a transaction's outbox: one line of JSON, without its line end.
    pub fn encode(&self) -> Vec<u8> {
        let event = Event {
            id: self.id,
            shared_id: None,
            time: self.time,
            recipient: self.account,
            region: self.region.as_str(),
            name: EventName {
                source: self.source,
                operation: self.name,
                read_only: false,
                is_global: false,
                is_data: false,
            },
            kind: "AwsServiceEvent",
            who: UserIdentity::Service(self.account),
            origin: Origin::Service(INTERNAL),
            request_id: None,
            error: None,
            about: &self.about,
            service_details: &self.details,
        };
        event.encode()
    }
}

/// The event of a call, for the caller's account, and a copy for each other account whose things it was about. What was
/// refused is told to the caller's account only.
pub(crate) fn events_of_call(
    call: &Call,
    id: EventId,
    name: EventName,
    about: &EventDetails,
    error: Option<EventError<'_>>,
    mut new_id: impl FnMut() -> EventId,
) -> Vec<Vec<u8>> {
    let mut owners: Vec<AccountId> = Vec::new();
    if error.is_none() {
        let others = about.resources.iter().map(|resource| resource.account);
        for owner in others.filter(|owner| *owner != call.caller.account) {
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }
    let mut event = Event::of_call(call, id, name, about, error);
    if owners.is_empty() {
        return vec![event.encode()];
    }
    event.shared_id = Some(new_id());
    let mut all = vec![event.encode()];
    event.who = event.who.as_another_account();
    for owner in owners {
        event.id = new_id();
        event.recipient = owner;
        all.push(event.encode());
    }
    all
}

/// The event of a call that nobody signed, for the account that the holder of a token asks for a session.
pub(crate) fn event_of_unsigned_call(
    call: &UnsignedCall,
    holder: &EventTokenHolder,
    name: EventName,
    about: &EventDetails,
    error: Option<EventError<'_>>,
) -> Vec<u8> {
    let event = Event {
        id: call.event.id(),
        shared_id: None,
        time: call.time,
        recipient: holder.account,
        region: call.region.as_str(),
        name,
        kind: CALL,
        who: UserIdentity::TokenHolder(holder),
        origin: Origin::Client {
            address: call.source_address,
            agent: &call.user_agent,
            tls: call.tls.as_deref(),
        },
        request_id: Some(call.request_id),
        error,
        about,
        service_details: &BTreeMap::new(),
    };
    event.encode()
}

/// The type of objects in S3.
const OBJECT: &str = "AWS::S3::Object";
/// `eventType` of calls.
const CALL: &str = "AwsApiCall";

/// What an event tells.
struct Event<'a> {
    id: EventId,
    shared_id: Option<EventId>,
    time: Timestamp,
    recipient: AccountId,
    region: &'a str,
    name: EventName,
    kind: &'static str,
    who: UserIdentity<'a>,
    origin: Origin<'a>,
    request_id: Option<RequestId>,
    error: Option<EventError<'a>>,
    about: &'a EventDetails,
    service_details: &'a BTreeMap<&'static str, String>,
}

/// Where a call comes from.
enum Origin<'a> {
    /// From a client, over a connection.
    Client { address: std::net::IpAddr, agent: &'a str, tls: Option<&'a TlsDetails> },
    /// From a service, by its name.
    Service(&'a str),
}

impl<'a> Event<'a> {
    fn of_call(
        call: &'a Call,
        id: EventId,
        name: EventName,
        about: &'a EventDetails,
        error: Option<EventError<'a>>,
    ) -> Self {
        let service = call.service.as_ref().map(|service| service.principal.as_str());
        let client = Origin::Client {
            address: call.source_address,
            agent: &call.user_agent,
            tls: call.tls.as_deref(),
        };
        Self {
            id,
            shared_id: None,
            time: call.time,
            recipient: call.caller.account,
            region: if name.is_global { GLOBAL_REGION } else { call.region.as_str() },
            name,
            kind: CALL,
            who: UserIdentity::Caller { caller: &call.caller, invoked_by: service },
            origin: service.map_or(client, Origin::Service),
            request_id: Some(call.request_id),
            error,
            about,
            service_details: const { &BTreeMap::new() },
        }
    }

    /// One line of JSON, its fields in the order of the published examples.
    fn encode(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(USUAL_BYTES);
        Object::write(&mut line, |event| {
            self.write_circumstances(event);
            self.write_outcome(event);
            self.write_bearings(event);
        });
        line
    }

    fn write_circumstances(&self, event: &mut Object<'_>) {
        event.string("eventVersion", "1.11");
        event.object("userIdentity", |identity| self.who.write(identity));
        event.text("eventTime", self.time);
        event.string("eventSource", self.name.source);
        event.string("eventName", self.name.operation);
        event.string("awsRegion", self.region);
        match &self.origin {
            Origin::Client { address, agent, .. } => {
                event.text("sourceIPAddress", address);
                event.string("userAgent", agent);
            }
            Origin::Service(name) => {
                event.string("sourceIPAddress", name);
                event.string("userAgent", name);
            }
        }
    }

    fn write_outcome(&self, event: &mut Object<'_>) {
        event.text_if("errorCode", self.error.map(|error| cut(error.code)));
        event.text_if("errorMessage", self.error.and_then(|error| error.message).map(cut));
        let answer = if self.error.is_none() { self.about.response_elements.as_deref() } else { None };
        write_elements(event, "requestParameters", self.about.request_parameters.as_deref());
        write_elements(event, "responseElements", answer);
        write_additional(event, &self.about.additional);
    }

    fn write_bearings(&self, event: &mut Object<'_>) {
        event.text_if("requestID", self.request_id);
        event.text("eventID", self.id);
        event.truth("readOnly", self.name.read_only);
        if !self.about.resources.is_empty() || self.about.tells_no_resources {
            event.list("resources", &self.about.resources, |resource, object| {
                // As CloudTrail has it: of an object, the account stands with its bucket.
                if resource.kind != OBJECT {
                    object.text("accountId", resource.account);
                }
                object.string("type", resource.kind);
                object.string("ARN", &resource.arn);
            });
        }
        event.string("eventType", self.kind);
        event.truth("managementEvent", !self.name.is_data);
        event.text("recipientAccountId", self.recipient);
        if !self.service_details.is_empty() {
            event.object("serviceEventDetails", |details| {
                self.service_details.iter().for_each(|(name, value)| details.text(name, value));
            });
        }
        event.text_if("sharedEventID", self.shared_id);
        event.string("eventCategory", if self.name.is_data { "Data" } else { "Management" });
        if let Origin::Client { tls: Some(tls), .. } = self.origin {
            event.object("tlsDetails", |details| write_tls(details, tls));
        }
    }
}

/// JSON as it is, unless it is too much.
fn write_elements(event: &mut Object<'_>, field: &str, json: Option<&[u8]>) {
    match json {
        None => event.json(field, b"null"),
        Some(json) if json.len() <= ELEMENTS_BYTES_MAX => event.json(field, json),
        Some(json) => {
            let size = json.len();
            let reason = format!(r#"{{"omitted":true,"originalSize":{size},"reason":"{field} too large"}}"#);
            event.json(field, reason.as_bytes());
        }
    }
}

/// A name with a dot is one within an object.
fn write_additional(event: &mut Object<'_>, noted: &[(&'static str, EventValue)]) {
    if noted.is_empty() {
        return;
    }
    let outer_of = |name: &'static str| name.split_once('.').map(|(outer, _)| outer);
    event.object("additionalEventData", |data| {
        for (place, (name, value)) in noted.iter().enumerate() {
            let Some(outer) = outer_of(name) else {
                write_value(data, name, value);
                continue;
            };
            if noted.iter().take(place).any(|(before, _)| outer_of(before) == Some(outer)) {
                continue;
            }
            data.object(outer, |object| {
                for (name, value) in noted {
                    if let Some((_, inner)) = name.split_once('.').filter(|(other, _)| *other == outer) {
                        write_value(object, inner, value);
                    }
                }
            });
        }
    });
}

fn write_value(object: &mut Object<'_>, name: &str, value: &EventValue) {
    match value {
        EventValue::Text(text) => object.string(name, text),
        EventValue::Number(number) => object.json(name, number.to_string().as_bytes()),
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=ERROR_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

fn write_tls(object: &mut Object<'_>, details: &TlsDetails) {
    object.string("tlsVersion", details.version);
    object.string("cipherSuite", &details.cipher_suite);
    object.string("clientProvidedHostHeader", &details.host);
    object.text_if("keyExchange", details.key_exchange);
}
