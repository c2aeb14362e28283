//! One event in CloudTrail's form.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use base::{
    AccountId, Call, EventDetails, EventId, EventResource, EventTokenHolder, Region, Timestamp, UnsignedCall,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::user_identity::{INTERNAL, UserIdentity};

/// The Region of global services.
const GLOBAL_REGION: &str = "us-east-1";
/// Bytes that `errorCode` and `errorMessage` may have.
const ERROR_BYTES_MAX: usize = 1_024;
/// Bytes that `requestParameters`, `responseElements` and `serviceEventDetails` may have.
const ELEMENTS_BYTES_MAX: usize = 100 * 1_024;

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
}

/// The error that a call was answered with.
#[derive(Clone, Copy, Debug)]
pub struct EventError<'a> {
    /// Its code.
    pub code: &'a str,
    /// Its text for the client.
    pub message: Option<&'a str>,
}

/// An event could not be written as JSON; what it records must not be done without it.
#[derive(Debug, thiserror::Error)]
#[error("an audit event could not be encoded: {0}")]
pub struct RecordError(#[from] serde_json::Error);

/// The event of something that the service does by itself, because it is due or at start: an `AwsServiceEvent`.
#[derive(Debug)]
pub struct ServiceEvent(Event);

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
        let mut event = Event::new(id, time, account, region, (source, name));
        event.user_identity = UserIdentity::service(account);
        event.source_ip_address = INTERNAL.to_owned();
        event.user_agent = INTERNAL.to_owned();
        Self(event)
    }

    /// Names something that it is about; `kind` is its type, such as `AWS::KMS::Key`.
    #[must_use]
    pub fn with_resource(mut self, kind: &'static str, account: AccountId, arn: impl Display) -> Self {
        let resource = EventResource { account, kind, arn: arn.to_string() };
        self.0.resources.get_or_insert_default().push(Resource::of(&resource));
        self
    }

    /// Says something in `serviceEventDetails`.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.service_event_details.get_or_insert_default().insert(name, value.to_string());
        self
    }

    /// The event as the bytes for a transaction's outbox: one line of JSON, without its line end.
    ///
    /// # Errors
    /// None that is known; if encoding fails all the same, what it records must fail with it.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(&self.0)?)
    }
}

/// The event of a call, for the caller's account, and a copy for each other account whose things it was about. What was
/// refused is told to the caller's account only.
pub(crate) fn events_of_call(
    call: &Call,
    id: EventId,
    name: EventName,
    details: &EventDetails,
    error: Option<EventError<'_>>,
    mut new_id: impl FnMut() -> EventId,
) -> Result<Vec<Vec<u8>>, RecordError> {
    let mut owners: Vec<AccountId> = Vec::new();
    if error.is_none() {
        let others = details.resources.iter().map(|resource| resource.account);
        for owner in others.filter(|owner| *owner != call.caller.account) {
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }
    let mut event = Event::of_call(call, id, name, details, error)?;
    if owners.is_empty() {
        return Ok(vec![serde_json::to_vec(&event)?]);
    }
    event.shared_event_id = Some(new_id().to_string());
    let mut all = vec![serde_json::to_vec(&event)?];
    event.user_identity = event.user_identity.as_another_account();
    for owner in owners {
        event.event_id = new_id().to_string();
        event.recipient_account_id = owner.to_string();
        all.push(serde_json::to_vec(&event)?);
    }
    Ok(all)
}

/// The event of a call that nobody signed, for the account that the holder of a token asks for a session.
pub(crate) fn event_of_unsigned_call(
    call: &UnsignedCall,
    holder: &EventTokenHolder,
    name: EventName,
    details: &EventDetails,
    error: Option<EventError<'_>>,
) -> Result<Vec<u8>, RecordError> {
    let names = (name.source, name.operation);
    let mut event = Event::new(call.event.id(), call.time, holder.account, call.region, names);
    event.user_identity = UserIdentity::token_holder(holder);
    event.source_ip_address = call.source_address.to_string();
    event.user_agent = call.user_agent.to_string();
    event.request_id = Some(call.request_id.to_string());
    event.tls_details = call.tls.as_deref().map(Tls::of);
    event.set_outcome(name, details, error)?;
    Ok(serde_json::to_vec(&event)?)
}

/// Fields in the order of the published examples.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_version: &'static str,
    user_identity: UserIdentity,
    event_time: String,
    event_source: &'static str,
    event_name: &'static str,
    aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    user_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    request_parameters: Option<Box<RawValue>>,
    response_elements: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_event_data: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<Resource>>,
    event_type: &'static str,
    management_event: bool,
    recipient_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_event_details: Option<BTreeMap<&'static str, String>>,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    shared_event_id: Option<String>,
    event_category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_details: Option<Tls>,
}

impl Event {
    /// A service event without anybody who caused it; a call's event replaces what names the caller.
    fn new(
        id: EventId,
        time: Timestamp,
        account: AccountId,
        region: Region,
        (event_source, event_name): (&'static str, &'static str),
    ) -> Self {
        Self {
            event_version: "1.11",
            user_identity: UserIdentity::default(),
            event_time: time.iso_extended(),
            event_source,
            event_name,
            aws_region: region.to_string(),
            source_ip_address: String::new(),
            user_agent: String::new(),
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: None,
            request_id: None,
            event_id: id.to_string(),
            read_only: false,
            resources: None,
            event_type: "AwsServiceEvent",
            management_event: true,
            recipient_account_id: account.to_string(),
            service_event_details: None,
            shared_event_id: None,
            event_category: "Management",
            tls_details: None,
        }
    }

    fn of_call(
        call: &Call,
        id: EventId,
        name: EventName,
        details: &EventDetails,
        error: Option<EventError<'_>>,
    ) -> Result<Self, RecordError> {
        let service = call.service.as_ref().map(|service| service.principal.clone());
        let account = call.caller.account;
        let mut event = Self::new(id, call.time, account, call.region, (name.source, name.operation));
        event.user_identity = UserIdentity::of(&call.caller).invoked_by(service.clone());
        event.source_ip_address = service.clone().unwrap_or_else(|| call.source_address.to_string());
        event.tls_details = call.tls.as_deref().filter(|_| service.is_none()).map(Tls::of);
        event.user_agent = service.unwrap_or_else(|| call.user_agent.to_string());
        event.request_id = Some(call.request_id.to_string());
        if name.is_global {
            event.aws_region = GLOBAL_REGION.to_owned();
        }
        event.set_outcome(name, details, error)?;
        Ok(event)
    }

    fn set_outcome(
        &mut self,
        name: EventName,
        details: &EventDetails,
        error: Option<EventError<'_>>,
    ) -> Result<(), RecordError> {
        self.event_type = "AwsApiCall";
        self.read_only = name.read_only;
        self.request_parameters = raw("requestParameters", details.request_parameters.as_deref())?;
        if let Some(error) = error {
            self.error_code = Some(cut(error.code));
            self.error_message = error.message.map(cut);
        } else {
            self.response_elements = raw("responseElements", details.response_elements.as_deref())?;
        }
        self.additional_event_data = additional(&details.additional);
        if !details.resources.is_empty() || details.tells_no_resources {
            self.resources = Some(details.resources.iter().map(Resource::of).collect());
        }
        Ok(())
    }
}

/// JSON as it is, unless it is too much.
fn raw(field: &str, json: Option<&[u8]>) -> Result<Option<Box<RawValue>>, RecordError> {
    let Some(json) = json else { return Ok(None) };
    if json.len() > ELEMENTS_BYTES_MAX {
        let size = json.len();
        let reason = format!(r#"{{"omitted":true,"originalSize":{size},"reason":"{field} too large"}}"#);
        return Ok(Some(RawValue::from_string(reason)?));
    }
    Ok(Some(serde_json::from_slice(json)?))
}

/// A name with a dot is one within an object.
fn additional(noted: &[(&'static str, String)]) -> Option<serde_json::Map<String, serde_json::Value>> {
    let mut all = serde_json::Map::new();
    for (name, value) in noted {
        let value = serde_json::Value::from(value.as_str());
        match name.split_once('.') {
            Some((outer, inner)) => {
                let entry = all.entry(outer).or_insert_with(|| serde_json::Map::new().into());
                entry.as_object_mut().map(|object| object.insert(inner.to_owned(), value));
            }
            None => {
                all.insert((*name).to_owned(), value);
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

fn cut(text: &str) -> String {
    let end = (0..=ERROR_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
}

#[derive(Debug, Serialize)]
struct Resource {
    #[serde(rename = "accountId")]
    account_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "ARN")]
    arn: String,
}

impl Resource {
    fn of(resource: &EventResource) -> Self {
        let EventResource { account, kind, arn } = resource;
        Self { account_id: account.to_string(), kind, arn: arn.clone() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls {
    tls_version: &'static str,
    cipher_suite: String,
    client_provided_host_header: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_exchange: Option<&'static str>,
}

impl Tls {
    fn of(details: &base::TlsDetails) -> Self {
        Self {
            tls_version: details.version,
            cipher_suite: details.cipher_suite.to_string(),
            client_provided_host_header: details.host.clone(),
            key_exchange: details.key_exchange,
        }
    }
}
