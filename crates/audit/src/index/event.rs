//! An event of the log, as far as looking it up goes.

use base::{AccountId, Region, Timestamp};

use super::fields::{Fields, read_only_text, text};
use super::term::{Attribute, Scope};

/// An event that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its number in the log.
    pub sequence: u64,
    /// Whose and which Region's it is.
    pub scope: Scope,
    /// `eventTime`, to the second.
    pub time: Timestamp,
    /// `eventID`.
    pub id: String,
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: String,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// Who did it, by the name that LookupEvents gives: of a user its name, of a session the session's.
    pub user_name: Option<String>,
    /// `userIdentity.arn`.
    pub user_arn: Option<String>,
    /// `userIdentity.invokedBy`.
    pub invoked_by: Option<String>,
    /// `userIdentity.accessKeyId`.
    pub access_key_id: Option<String>,
    /// What it was about.
    pub resources: Vec<Resource>,
    /// `errorCode`, if the call was refused or failed.
    pub error_code: Option<String>,
    /// `sourceIPAddress`.
    pub source_address: Option<String>,
    /// The whole event, byte for byte as it was logged.
    pub json: String,
}

/// Something that an event was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Its type, such as `AWS::KMS::Key`.
    pub kind: String,
    /// Its name: an ARN, the id of a key, the name of a user.
    pub name: String,
}

impl LoggedEvent {
    /// Reads an event. `None` if it lacks what says when it was and whose it is: nobody can look such an event up.
    pub fn read(sequence: u64, json: &str) -> Option<Self> {
        let fields: Fields<'_> = serde_json::from_str(json).ok()?;
        let (scope, time) = fields.place()?;
        let mut resources = Vec::new();
        fields.each_resource(|kind, name| {
            resources.push(Resource { kind: kind.to_owned(), name: name.to_owned() });
        });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let identity = fields.user_identity.as_ref();
        Some(Self {
            sequence,
            scope,
            time,
            name: owned(text(&fields.event_name)).unwrap_or_default(),
            source: owned(text(&fields.event_source)).unwrap_or_default(),
            read_only: fields.read_only,
            user_name: owned(fields.user_name()),
            user_arn: owned(identity.and_then(|identity| text(&identity.arn))),
            invoked_by: owned(identity.and_then(|identity| text(&identity.invoked_by))),
            access_key_id: owned(fields.access_key_id()),
            resources,
            error_code: owned(text(&fields.error_code)),
            source_address: owned(text(&fields.source_ip_address)),
            id: fields.event_id.0.into_owned(),
            json: json.to_owned(),
        })
    }

    /// The account that got this event.
    pub fn account(&self) -> AccountId {
        self.scope.account
    }

    /// The Region that it is about.
    pub fn region(&self) -> Region {
        self.scope.region
    }

    /// `"true"` or `"false"`, as LookupEvents tells whether the call only read.
    pub fn read_only_text(&self) -> Option<&'static str> {
        self.read_only.map(read_only_text)
    }

    /// Whether it has this value of an attribute.
    pub(super) fn has(&self, attribute: Attribute, value: &str) -> bool {
        match attribute {
            Attribute::EventId => self.id == value,
            Attribute::EventName => self.name == value,
            Attribute::ReadOnly => self.read_only_text() == Some(value),
            Attribute::Username => self.user_name.as_deref() == Some(value),
            Attribute::ResourceType => self.resources.iter().any(|resource| resource.kind == value),
            Attribute::ResourceName => self.resources.iter().any(|resource| resource.name == value),
            Attribute::EventSource => self.source == value,
            Attribute::AccessKeyId => self.access_key_id.as_deref() == Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = r#""eventTime":"2026-01-02T03:04:05Z","awsRegion":"eu-central-1","eventID":"e","recipientAccountId":"111122223333""#;

    fn read(fields: &str) -> LoggedEvent {
        LoggedEvent::read(7, &format!("{{{fields},{TAIL}}}")).unwrap()
    }

    #[test]
    fn who_did_it_has_the_name_that_lookup_events_gives() {
        for (identity, name) in [
            (r#"{"type":"Root","principalId":"1"}"#, Some("root")),
            (r#"{"type":"IAMUser","principalId":"AIDA","userName":"alice"}"#, Some("alice")),
            (r#"{"type":"AssumedRole","principalId":"AROA:deploy"}"#, Some("deploy")),
            (r#"{"type":"FederatedUser","principalId":"111122223333:bob"}"#, Some("bob")),
            (r#"{"type":"WebIdentityUser","userName":"sub"}"#, Some("sub")),
            (r#"{"type":"AWSAccount","principalId":"AIDA","accountId":"1"}"#, None),
            (r#"{"type":"AWSService","invokedBy":"s3.amazonaws.com"}"#, None),
            (r#"{"accountId":"1","invokedBy":"AWS Internal"}"#, None),
        ] {
            assert_eq!(
                read(&format!(r#""userIdentity":{identity}"#)).user_name.as_deref(),
                name,
                "{identity}"
            );
        }
    }

    #[test]
    fn a_key_is_found_by_arn_and_by_id() {
        let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234";
        let event =
            read(&format!(r#""resources":[{{"accountId":"1","type":"AWS::KMS::Key","ARN":"{arn}"}}]"#));
        assert!(event.has(Attribute::ResourceName, arn) && event.has(Attribute::ResourceName, "1234"));
        let kind = "AWS::KMS::Key";
        assert!(event.has(Attribute::ResourceType, kind) && !event.has(Attribute::ResourceName, kind));
    }

    #[test]
    fn events_of_iam_are_about_whom_their_parameters_name() {
        let parameters = r#""requestParameters":{"userName":"bob","policyArn":"arn:aws:iam::aws:policy/X"}"#;
        let event = read(&format!(r#""eventSource":"iam.amazonaws.com",{parameters}"#));
        let kinds: Vec<_> =
            event.resources.iter().map(|one| (one.kind.as_str(), one.name.as_str())).collect();
        assert_eq!(kinds, [("AWS::IAM::User", "bob"), ("AWS::IAM::Policy", "arn:aws:iam::aws:policy/X")]);
        for other in [
            r#""eventSource":"kms.amazonaws.com""#,
            r#""eventSource":"iam.amazonaws.com","requestParameters":3"#,
        ] {
            let fields = if other.contains('3') { other.to_owned() } else { format!("{other},{parameters}") };
            assert!(read(&fields).resources.is_empty(), "{fields}");
        }
    }

    #[test]
    fn what_nobody_could_look_up_is_no_event() {
        let whole = format!("{{{TAIL}}}");
        assert!(LoggedEvent::read(1, &whole).is_some());
        for (part, other) in [
            ("2026-01-02T03:04:05Z", "yesterday"),
            ("eu-central-1", "nowhere"),
            ("111122223333", "1"),
            ("eventID", "other"),
            ("{", "["),
        ] {
            assert_eq!(LoggedEvent::read(1, &whole.replacen(part, other, 1)), None, "{other}");
        }
    }
}
