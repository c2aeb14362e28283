//! What an audit event tells of a call beside who made it and what came of it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::AccountId;

/// The id of one audit event: a UUID, unique for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// A version 4 UUID made of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event's id")]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        uuid::Uuid::try_parse(text).map(|id| Self(id.into_bytes())).map_err(|_| InvalidEventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = uuid::Uuid::encode_buffer();
        f.write_str(uuid::Uuid::from_bytes_ref(&self.0).hyphenated().encode_lower(&mut text))
    }
}

/// Something that a call was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventResource {
    /// The account that it belongs to.
    pub account: AccountId,
    /// Its type, such as `AWS::KMS::Key`.
    pub kind: &'static str,
    /// Its ARN.
    pub arn: String,
}

/// The holder of a good token of an identity provider, who asks an account for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTokenHolder {
    /// The account.
    pub account: AccountId,
    /// The provider.
    pub provider: String,
    /// For whom the token was made.
    pub audience: String,
    /// Whom the token names.
    pub subject: String,
}

/// What a call turned out to be about, noted on its way for its audit event. Whatever goes in here is shown to the accounts
/// concerned: never plaintext, key material, tokens or signatures.
#[derive(Debug)]
pub struct EventNotes {
    id: EventId,
    details: Mutex<EventDetails>,
}

/// Something in `additionalEventData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventValue {
    /// A string.
    Text(String),
    /// A number.
    Number(u64),
}

/// What has been noted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EventDetails {
    /// `requestParameters`: a JSON object.
    pub request_parameters: Option<Vec<u8>>,
    /// `responseElements`: a JSON object.
    pub response_elements: Option<Vec<u8>>,
    /// `additionalEventData`, name by name.
    pub additional: Vec<(&'static str, EventValue)>,
    /// What it was about, each once.
    pub resources: Vec<EventResource>,
    /// Whether an empty list says that it was about nothing in particular; else nothing is said.
    pub tells_no_resources: bool,
    /// Who asks, if nobody signed the call.
    pub token_holder: Option<EventTokenHolder>,
    /// Whether the event was put beside a change, to be committed with it.
    pub is_beside_change: bool,
}

impl EventNotes {
    /// Nothing noted yet.
    pub fn new(id: EventId) -> Self {
        Self { id, details: Mutex::default() }
    }

    /// The id of the event.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// What the request asks for, as events show it.
    pub fn set_request_parameters(&self, parameters: Option<Vec<u8>>) {
        self.details().request_parameters = parameters;
    }

    /// What the answer says, as events show it.
    pub fn set_response_elements(&self, elements: Option<Vec<u8>>) {
        self.details().response_elements = elements;
    }

    /// The event stands beside a change.
    pub fn set_beside_change(&self) {
        self.details().is_beside_change = true;
    }

    /// Who asks, in a call that nobody signed.
    pub fn set_token_holder(&self, holder: EventTokenHolder) {
        self.details().token_holder = Some(holder);
    }

    /// Adds something that the call is about.
    pub fn add_resource(&self, kind: &'static str, account: AccountId, arn: impl fmt::Display) {
        let resource = EventResource { account, kind, arn: arn.to_string() };
        let mut details = self.details();
        if !details.resources.contains(&resource) {
            details.resources.push(resource);
        }
    }

    /// The event has an empty list if the call turns out to be about nothing.
    pub fn tell_no_resources(&self) {
        self.details().tells_no_resources = true;
    }

    /// Says something in `additionalEventData`; what was said there under this name before is replaced.
    pub fn add(&self, name: &'static str, value: impl fmt::Display) {
        self.add_value(name, EventValue::Text(value.to_string()));
    }

    /// The same with a number.
    pub fn add_number(&self, name: &'static str, value: u64) {
        self.add_value(name, EventValue::Number(value));
    }

    fn add_value(&self, name: &'static str, value: EventValue) {
        let mut details = self.details();
        details.additional.retain(|(known, _)| *known != name);
        details.additional.push((name, value));
    }

    /// Shows everything that was noted so far. Nothing can be noted meanwhile: `look` must not wait, nor note anything.
    pub fn so_far<R>(&self, look: impl FnOnce(&EventDetails) -> R) -> R {
        look(&self.details())
    }

    fn details(&self) -> MutexGuard<'_, EventDetails> {
        self.details.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a client's connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsDetails {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite, as the IANA calls it.
    pub cipher_suite: Box<str>,
    /// The group of the key exchange.
    pub key_exchange: Option<&'static str>,
    /// The host that the client asked for.
    pub host: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_twice_is_there_once() {
        let notes = EventNotes::new(EventId::new([9; 16]));
        let account: AccountId = "123456789012".parse().unwrap();
        for arn in ["a", "b", "a"] {
            notes.add_resource("AWS::KMS::Key", account, arn);
        }
        notes.add("keyMaterialId", "one");
        notes.add("grantId", "g");
        notes.add("keyMaterialId", "two");
        notes.add("count", "one");
        notes.add_number("count", 2);
        notes.so_far(|details| {
            assert_eq!(details.resources.iter().map(|one| one.arn.as_str()).collect::<Vec<_>>(), ["a", "b"]);
            assert_eq!(
                details.additional,
                [
                    ("grantId", EventValue::Text("g".to_owned())),
                    ("keyMaterialId", EventValue::Text("two".to_owned())),
                    ("count", EventValue::Number(2)),
                ]
            );
        });
        let id = "09090909-0909-4909-8909-090909090909";
        assert_eq!((notes.id().to_string().as_str(), id.parse()), (id, Ok(notes.id())));
        assert_eq!("9".parse::<EventId>(), Err(InvalidEventId));
    }
}
